"""The whole system as children of one process, without Ray."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from actors.settings import RuntimeKind, RuntimeSettings
from api.edge_settings import EdgeSettings
from api.settings import Settings
from api.sockets.close_codes import Close
from api.up import CannotStart, running_system
from storage.servers.patience import Stopwatch
from storage.settings import DataSettings

pytestmark = pytest.mark.journey
LOCAL = RuntimeSettings(kind=RuntimeKind.LOCAL)
_PATIENCE_S = 60.0


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_for(condition: object, what: str) -> None:
    assert callable(condition)
    watch, pause = Stopwatch(), threading.Event()
    while not condition():
        assert watch.elapsed_s < _PATIENCE_S, what
        pause.wait(0.05)


def test_everything_runs_and_a_worker_that_dies_is_started_again() -> None:
    steps: list[str] = []
    settings = Settings(edge=EdgeSettings(port=0), runtime=LOCAL)
    with running_system(settings, steps.append, throwaway=True) as system:
        assert system.state()["status"] == "ready"
        (first,) = system.workers.pids
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: system.workers.pids not in ([], [first]), "another worker")
        wait_for(lambda: system.state().get("status") == "ready", "to be ready again")
        (second,) = system.workers.pids
        folder = system.settings.data.folder
        postgres, valkey = system.servers.postgres_pid, system.servers.valkey_pid
        assert postgres is not None
        assert valkey is not None
    assert any(f"pid {first}) ended with -9" in one for one in steps)
    for pid in (first, second, postgres, valkey):
        wait_for(lambda pid=pid: not is_alive(pid), f"process {pid} to end")
    assert not folder.exists()


def test_workers_are_replaced_while_everybody_is_served() -> None:
    """Phones are told to connect again, and no request meets a closed door."""
    settings = Settings(edge=EdgeSettings(port=0, authenticate_s=_PATIENCE_S), runtime=LOCAL)
    with running_system(settings, print, throwaway=True) as system:
        before, refused = system.workers.pids, list[dict[str, Any]]()
        rolling = threading.Thread(target=system.workers.roll)

        async def phone() -> int:
            async with connect(system.url.replace("http", "ws") + "/v1/socket") as socket:
                rolling.start()
                with suppress(ConnectionClosed):
                    await socket.recv()
            assert socket.close_code is not None
            return socket.close_code

        asking = threading.Event()

        def ask() -> None:
            while not asking.wait(0.02):
                told = system.state()
                if told.get("status") != "ready":
                    refused.append(told)

        asker = threading.Thread(target=ask)
        asker.start()
        code = asyncio.run(phone())
        rolling.join(_PATIENCE_S)
        asking.set()
        asker.join()
        assert code == Close.GOING_AWAY
        assert refused == []
        assert len(system.workers.pids) == 1
        assert system.workers.pids != before


def test_a_port_in_use_is_told_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = Settings(
            data=DataSettings(folder=tmp_path / "data"),
            edge=EdgeSettings(port=port),
            runtime=LOCAL,
        )
        with pytest.raises(CannotStart, match=f"port {port}"), running_system(settings, print):
            pytest.fail("it must not start")
    assert not (tmp_path / "data").exists()


def test_actors_in_the_apis_process_allow_one_such_process(tmp_path: Path) -> None:
    settings = Settings(edge=EdgeSettings(port=0, workers=2), runtime=LOCAL)
    with (
        pytest.raises(CannotStart, match=r"edge\.workers"),
        running_system(settings, lambda _: None, throwaway=True),
    ):
        pytest.fail("it must not start")


STARTER = """
import json, sys
from actors.settings import RuntimeSettings
from api.sockets.close_codes import Close
from api.edge_settings import EdgeSettings
from api.settings import Settings
from api.up import running_system
kind, workers = sys.argv[1:]
settings = Settings(
    edge=EdgeSettings(port=0, workers=int(workers)), runtime=RuntimeSettings(kind=kind)
)
with running_system(settings, lambda _: None, throwaway=True) as system:
    pids = [*system.workers.pids, system.servers.postgres_pid, system.servers.valkey_pid]
    about = {"url": system.url, "pids": pids, "state": system.state()}
    print(json.dumps({**about, "deaths": system.workers.deaths}), flush=True)
    sys.stdin.read()
"""


def started(kind: RuntimeKind, *, workers: int) -> tuple["subprocess.Popen[str]", dict[str, Any]]:
    """A process that runs everything, and what it says of it."""
    parent = subprocess.Popen(
        [sys.executable, "-c", STARTER, kind.value, str(workers)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    return parent, json.loads(parent.stdout.readline())


def test_when_the_parent_is_killed_nothing_is_left_behind() -> None:
    parent, about = started(RuntimeKind.LOCAL, workers=1)
    with parent:
        parent.kill()
    assert len(about["pids"]) == 3
    for pid in about["pids"]:
        wait_for(lambda pid=pid: not is_alive(pid), f"process {pid} to end")


@pytest.mark.ray
@pytest.mark.timeout(300)
async def test_with_ray_all_workers_serve_and_phones_hear_of_the_end() -> None:
    parent, about = await asyncio.to_thread(started, RuntimeKind.RAY, workers=2)
    with parent:
        assert (about["state"]["status"], about["deaths"]) == ("ready", 0)
        url = f"ws{about['url'].removeprefix('http')}/v1/socket"
        phones = [await connect(url, compression=None, proxy=None) for _ in range(8)]
        assert parent.stdin is not None
        parent.stdin.close()
        for phone in phones:
            await phone.wait_closed()
            assert phone.close_code == 4503
        assert await asyncio.to_thread(parent.wait, _PATIENCE_S) == 0
    for pid in about["pids"]:
        wait_for(lambda pid=pid: not is_alive(pid), f"process {pid} to end")
