"""A worker ends when what runs beside its requests has crashed, and not when its disk is full."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

from fastapi import FastAPI

from actors.clock import SystemClock
from api.server import EdgeServer, listen_config
from api.settings import Settings
from api.sockets.presence import Presence
from storage.memory_live import MemoryLive


async def test_a_worker_does_not_outlive_what_runs_beside_its_requests() -> None:
    crashing = asyncio.Event()

    async def work() -> None:
        await crashing.wait()
        raise RuntimeError("a bug")

    async def crash() -> None:
        crashing.set()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        presence = Presence(MemoryLive(), SystemClock(), sockets_max=1, sockets_of_one_max=1)
        app.state.desk = SimpleNamespace(presence=presence)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(work())
            yield

    app = FastAPI(lifespan=lifespan)
    app.add_api_route("/crash", crash)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = EdgeServer(listen_config(app, Settings().edge), app)
        serving = asyncio.create_task(server.serve([listening]))
        async with asyncio.timeout(60):
            _, writer = await asyncio.open_connection(*listening.getsockname())
            writer.write(b"GET /crash HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n\r\n")
            await serving
            writer.close()
    assert server.lifespan.error_occurred


def test_a_log_on_a_full_disk_does_no_harm() -> None:
    words = "import structlog; from api.logs import write_logs; write_logs()"
    say = "structlog.get_logger().warning('unavailable')"
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", f"{words}; {say}; {say}; print('alive', flush=True)"],
            stdout=subprocess.PIPE,
            stderr=full,
            timeout=60,
            check=False,
        )
    assert done.stdout == b"alive\n"


def test_a_worker_and_a_cell_load_nothing_of_what_solves() -> None:
    """Who has to serve again at once does not wait for what others do."""
    heavy = "ortools numba pandas scipy highspy matplotlib"
    program = (
        "import sys, api.server, actors.runtime; "
        f"print(*sorted(set('{heavy}'.split()) & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    assert told.stdout.strip() == b""
