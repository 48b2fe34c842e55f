"""A day over real sockets while the processes that serve it are killed one after the other."""

import math
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from actors.clock import SystemClock
from actors.settings import ClockSettings
from api.cli import OPERATOR_PHONE
from api.settings import Settings
from api.up import System, running_system
from simulations.replay import run_live

# An alarm inside the event loop would be logged and forgotten: only a thread can end this test.
pytestmark = [pytest.mark.ray, pytest.mark.journey, pytest.mark.timeout(420, method="thread")]

SPEED = 60.0
PLACES = 6
ORDERS = 40
COURIERS = 12
MINUTES = 100
_TERMS = (
    "meters_per_minute",
    "pickup service minutes",
    "dropoff service minutes",
    "target click-to-door",
    "maximum click-to-door",
    "pay per order",
    "guaranteed pay per hour",
)


def _write_day(folder: Path) -> Path:
    """A small recorded day: six shops, forty orders, a dozen couriers, an hour and a half."""
    chance = random.Random(20261122)
    folder.mkdir()

    def spot() -> str:
        return f"{chance.randrange(9000)}\t{chance.randrange(9000)}"

    orders = []
    for number in range(ORDERS):
        placed = number * (MINUTES - 40) // ORDERS
        ready = placed + chance.randrange(5, 20)
        shop = chance.randrange(PLACES)
        orders.append(f"o{number}\t{spot()}\t{placed}\tr{shop}\t{ready}")
    tables = {
        "restaurants.txt": ["restaurant\tx\ty", *(f"r{n}\t{spot()}" for n in range(PLACES))],
        "orders.txt": ["order\tx\ty\tplacement_time\trestaurant\tready_time", *orders],
        "couriers.txt": [
            "courier\tx\ty\ton_time\toff_time",
            *(f"c{n}\t{spot()}\t0\t{MINUTES + 60}" for n in range(COURIERS)),
        ],
        "instance_parameters.txt": [
            "\t".join(_TERMS),
            "320\t4\t4\t40\t90\t10\t15",
        ],
    }
    for name, lines in tables.items():
        (folder / name).write_text("\n".join(lines) + "\n")
    return folder


def _settings(folder: Path) -> Settings:
    now = SystemClock().now()
    found = Settings()
    return found.model_copy(
        update={
            "data": found.data.model_copy(update={"folder": folder}),
            "edge": found.edge.model_copy(update={"port": 0}),
            "clock": ClockSettings(speed=SPEED, start_ms=now, started_ms=now),
            "identity": found.identity.model_copy(
                update={"operators": (OPERATOR_PHONE,), "verify_couriers": False}
            ),
        }
    )


def _pid_of(title: str) -> int:
    """The process among this one's descendants whose title begins so."""
    children: dict[int, list[int]] = {}
    titles: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text()
            titles[int(entry.name)] = (entry / "cmdline").read_text().replace("\0", " ")
        except (FileNotFoundError, ProcessLookupError):
            continue
        parent = int(stat.rpartition(")")[2].split()[1])
        children.setdefault(parent, []).append(int(entry.name))
    waiting = [os.getpid()]
    while waiting:
        for pid in children.get(waiting.pop(), []):
            if titles.get(pid, "").startswith(title):
                return pid
            waiting.append(pid)
    raise LookupError(f"no descendant is called {title}")


class Deaths(threading.Thread):
    """Kills one process after the other at random moments; watches how long service was away."""

    def __init__(self, system: System, victims: dict[str, Callable[[], int]]) -> None:
        super().__init__(daemon=True)
        self._system = system
        self._victims = victims
        self._chance = random.Random(7)
        self.away_s: dict[str, float] = {}

    def run(self) -> None:
        for name, find in self._victims.items():
            time.sleep(12 + 4 * self._chance.random())  # noqa: TID251 - real processes, real time
            os.kill(find(), signal.SIGKILL)
            self.away_s[name] = self._until_well()

    def _until_well(self) -> float:
        """Seconds from now until the last moment at which something was seen unwell."""
        began = time.monotonic()  # noqa: TID251
        last_unwell = began
        while time.monotonic() - last_unwell < 3:  # noqa: TID251
            if not self._well():
                last_unwell = time.monotonic()  # noqa: TID251
            time.sleep(0.05)  # noqa: TID251
        return last_unwell - began

    def _well(self) -> bool:
        try:
            answer = httpx2.get(f"{self._system.url}/readyz", timeout=1.0)
        except httpx2.HTTPError:
            return False
        return answer.status_code == 200 and answer.json()["live_stream"] == "ok"


def test_every_gift_is_delivered_once_though_everything_dies_in_turn(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    day = _write_day(tmp_path / "day")
    settings = _settings(tmp_path / "data")
    with running_system(settings, print, throwaway=True) as system:
        deaths = Deaths(
            system,
            {
                "cell": lambda: _pid_of("ray::CellHost"),
                "solver": lambda: _pid_of("ray::SolverHost"),
                "valkey": lambda: system.servers.valkey_pid or 0,
                "postgresql": lambda: system.servers.postgres_pid or 0,
            },
        )
        deaths.start()
        found = run_live(
            day,
            url=system.url,
            sms_log=system.sms_log,
            operator_phone=OPERATOR_PHONE,
            speed=SPEED,
            out=tmp_path / "solution.json",
        )
        deaths.join(timeout=60)
    for name, away_s in deaths.away_s.items():
        record_property(f"{name}_away_s", round(away_s, 1))
    assert not found.violations
    assert found.delivered == ORDERS
    assert len(deaths.away_s) == 4
    assert all(math.isfinite(away_s) for away_s in deaths.away_s.values())
