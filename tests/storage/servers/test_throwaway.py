"""Throw-away folders leave nothing behind, whoever else looks for abandoned ones meanwhile."""

import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from storage.servers.account import choose_account
from storage.servers.lock import LOCK_FILE, claimed
from storage.servers.register import REGISTER_FILE
from storage.servers.throwaway import throwaway_folder
from storage.settings import DataSettings

ROUNDS = 40
KILLED = """
import os, signal
from storage.servers.account import choose_account
from storage.servers.lock import claimed
from storage.servers.throwaway import throwaway_folder
from storage.settings import DataSettings
data = DataSettings(elsewhere="{base}")
with throwaway_folder(data, choose_account(None)) as folder, claimed(folder):
    (folder / "{register}").touch()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def test_a_folder_is_gone_although_others_look_for_abandoned_ones(base: Path) -> None:
    account, data = choose_account(None), DataSettings(elsewhere=base)
    done = threading.Event()

    def others_come_and_go() -> None:
        while not done.is_set():
            with throwaway_folder(data, account):
                pass

    others = [threading.Thread(target=others_come_and_go) for _ in range(3)]
    for one in others:
        one.start()
    try:
        for _ in range(ROUNDS):
            with throwaway_folder(data, account) as folder, claimed(folder):
                (folder / REGISTER_FILE).touch()
            assert not folder.exists()
    finally:
        done.set()
        for one in others:
            one.join()


def test_what_a_killed_process_left_goes_with_the_next_one(base: Path) -> None:
    program = KILLED.format(register=REGISTER_FILE, base=base)
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode < 0
    (left,) = base.iterdir()
    assert (left / LOCK_FILE).is_file()
    with throwaway_folder(DataSettings(elsewhere=base), choose_account(None)) as folder:
        assert list(base.iterdir()) == [folder]
    assert not list(base.iterdir())
