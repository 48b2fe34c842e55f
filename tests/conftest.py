"""General settings of the suite: chance, Ray and the recorded days; everything else is local."""

import gc
import os
from pathlib import Path

import pytest
from hypothesis import settings

from actors.garbage import collect_seldom

pytest_plugins = ["tests.fixtures.servers"]

ROOT = Path(__file__).resolve().parent.parent
INSTANCES = "HADIYATI_TEST_INSTANCES"

# A slow machine is no failed property. CI tries the same examples in every run, so that a red run
# speaks of the change in it; at the desk every run tries new ones.
settings.register_profile("desk", deadline=None, print_blob=True)
settings.register_profile("ci", deadline=None, print_blob=True, derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "desk")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep all tests that run the whole system in one worker of a parallel run.

    One Ray serves them, and while they wait for their processes the other workers compute. Tests
    that share something else of that kind say so with @pytest.mark.xdist_group("its name").
    """
    for item in items:
        if item.get_closest_marker("ray") or item.get_closest_marker("journey"):
            item.add_marker(pytest.mark.xdist_group("system"))


def pytest_collection_finish() -> None:
    """What was imported and collected stays to the end: it is not looked through for garbage.

    The rest is, as seldom as where the service runs.
    """
    gc.collect()
    gc.freeze()
    collect_seldom()


@pytest.fixture(scope="session")
def instances_folder() -> Path:
    """The folder of the recorded delivery days (one folder for each instance)."""
    named = os.environ.get(INSTANCES)
    folder = Path(named) if named else ROOT.parent / "shared" / "mdrp" / "instances"
    if not folder.is_dir():
        pytest.skip(f"NO RECORDED DAYS at {folder}: set {INSTANCES} to their folder to run this")
    return folder
