"""Logs of runs that are thrown away: what a killed run left goes with the next."""

import tempfile
from pathlib import Path

import pytest

from api.log_folder import throwaway_logs
from storage.servers.lock import LOCK_FILE


def test_folders_of_killed_runs_go_and_those_in_use_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    killed, beginning = tmp_path / "hadiyati-logs-killed", tmp_path / "hadiyati-logs-beginning"
    for folder in (killed, beginning):
        folder.mkdir()
    (killed / LOCK_FILE).touch()
    (killed / "api.log").touch()
    with throwaway_logs() as first, throwaway_logs() as second:
        assert {first, second, beginning} == set(tmp_path.iterdir())
    assert {beginning} == set(tmp_path.iterdir())
