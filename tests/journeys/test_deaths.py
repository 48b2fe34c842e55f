"""A day over real sockets while the processes that serve it are killed one after the other."""

import json
import random
from pathlib import Path

import pytest

from actors.clock import SystemClock
from actors.settings import ClockSettings
from api.commands.chaos import reached, victims
from api.commands.running import OPERATOR_PHONE
from api.settings import Settings
from api.up import running_system
from simulations.chaos.harm import kinds_of_harm
from simulations.chaos.run import live_through

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


def test_every_gift_is_delivered_once_though_everything_dies_in_turn(tmp_path: Path) -> None:
    day = _write_day(tmp_path / "day")
    settings = _settings(tmp_path / "data")
    with running_system(settings, print, throwaway=True) as system:
        every = kinds_of_harm(victims(system), redis_url=system.servers.redis_url, disk=None)
        kinds = {name: one for name, one in every.items() if "stopped" not in name}
        is_clean = live_through(
            day,
            service=reached(system),
            speed=SPEED,
            kinds=kinds,
            seed=7,
            out=tmp_path / "out",
            rounds=1,
            # Somebody else's machine may be slow to start a process again.
            patience_s=240,
        )
    told = json.loads((tmp_path / "out" / "chaos.json").read_bytes())
    assert told["violations"] == []
    assert is_clean
    assert told["delivered"] == ORDERS
    assert {one["kind"] for one in told["harm"]} == set(kinds)
    assert told["histories_read"] == ORDERS
    assert told["asked_again"] >= 5 * ORDERS
