"""Folders that the servers' account can enter, with a cluster in them that was made only once."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from storage.servers import embedded_servers
from storage.settings import DataSettings
from tests.fixtures.memory import quick_folder


@pytest.fixture(scope="session")
def ground() -> Iterator[Path]:
    """A folder outside pytest's own, which nobody but its owner may enter.

    These tests make and crash many clusters.
    """
    path = Path(tempfile.mkdtemp(prefix="hadiyati-tests-", dir=quick_folder()))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def seed(ground: Path) -> Path:
    """A data folder whose servers were started once and stopped."""
    data = DataSettings(folder=ground / "seed")
    with embedded_servers(data, on_step=lambda _: None):
        pass
    return data.folder


@pytest.fixture
def new_folder(ground: Path, request: pytest.FixtureRequest) -> Iterator[Callable[[], Path]]:
    """Makes names of data folders that are not there yet, and removes what was put there."""
    made: list[Path] = []

    def name() -> Path:
        made.append(ground / f"{request.node.name[:60]}-{len(made)}")
        return made[-1]

    yield name
    for path in made:
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def data(seed: Path, new_folder: Callable[[], Path]) -> DataSettings:
    """A data folder with a cluster of this test's own."""
    folder = new_folder()
    subprocess.run(["cp", "-a", seed, folder], check=True)
    return DataSettings(folder=folder)


@pytest.fixture
def root_only() -> None:
    if os.geteuid() != 0:
        pytest.skip("NEEDS ROOT: only root has an account to drop to")
