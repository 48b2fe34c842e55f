"""General settings of the suite: chance, Ray and the recorded days; everything else is local."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

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
    """Keep all tests marked `ray` in one worker of a parallel run, so that one Ray serves them.

    Tests that share something else of that kind say so with @pytest.mark.xdist_group("its name").
    """
    for item in items:
        if item.get_closest_marker("ray"):
            item.add_marker(pytest.mark.xdist_group("ray"))


@pytest.fixture(scope="session")
def instances_folder() -> Path:
    """The folder of the recorded delivery days (one folder for each instance)."""
    named = os.environ.get(INSTANCES)
    folder = Path(named) if named else ROOT.parent / "shared" / "mdrp" / "instances"
    if not folder.is_dir():
        pytest.skip(f"NO RECORDED DAYS at {folder}: set {INSTANCES} to their folder to run this")
    return folder
