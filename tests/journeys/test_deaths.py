"""A day over real sockets while the processes that serve it are killed one after the other."""

import json
from pathlib import Path

import pytest

from api.commands.chaos import reached, victims
from api.up import running_system
from simulations.chaos.harm import kinds_of_harm
from simulations.chaos.run import Harming, live_through
from tests.journeys.days import SPEED, settings_in, write_day

# An alarm inside the event loop would be logged and forgotten: only a thread can end this test.
pytestmark = [pytest.mark.ray, pytest.mark.journey, pytest.mark.timeout(420, method="thread")]

ORDERS = 40


def test_every_gift_is_delivered_once_though_everything_dies_in_turn(tmp_path: Path) -> None:
    day = write_day(tmp_path / "day", orders=ORDERS, couriers=12, minutes=100)
    settings = settings_in(tmp_path / "data")
    with running_system(settings, print, throwaway=True) as system:
        every = kinds_of_harm(victims(system), redis_url=system.servers.redis_url, disk=None)
        kinds = {name: one for name, one in every.items() if "stopped" not in name}
        is_clean = live_through(
            day,
            service=reached(system),
            speed=SPEED,
            # Somebody else's machine may be slow to start a process again.
            harming=Harming(kinds=kinds, seed=7, rounds=1, patience_s=240),
            out=tmp_path / "out",
        )
    told = json.loads((tmp_path / "out" / "chaos.json").read_bytes())
    assert told["violations"] == []
    assert is_clean
    assert told["delivered"] == ORDERS
    assert {one["kind"] for one in told["harm"]} == set(kinds)
    assert told["histories_read"] == ORDERS
    assert told["asked_again"] >= 5 * ORDERS
