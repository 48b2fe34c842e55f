"""A day in three towns, each with a cell of its own, while a Ray node that holds cells is lost."""

import json
from pathlib import Path

import pytest

from api.commands.chaos import machines, reached
from api.up import running_system
from simulations.chaos.harm import kinds_of_harm
from simulations.chaos.run import Harming, live_through
from tests.journeys.days import SPEED, settings_in, write_day

pytestmark = [pytest.mark.ray, pytest.mark.journey, pytest.mark.timeout(420, method="thread")]

ORDERS = 6
TOWNS = 3


def test_a_lost_node_loses_nothing_of_three_cells(tmp_path: Path) -> None:
    day = write_day(tmp_path / "day", orders=ORDERS, couriers=4, minutes=50)
    with running_system(settings_in(tmp_path / "data", nodes=3), print, throwaway=True) as system:
        redis_url = system.servers.redis_url
        every = kinds_of_harm({}, redis_url=redis_url, disk=None, machines=machines(system))
        is_clean = live_through(
            day,
            service=reached(system),
            speed=SPEED,
            harming=Harming(
                kinds={"ray node lost": every["ray node lost"]},
                seed=7,
                rounds=1,
                patience_s=240,
                is_whole=lambda: system.nodes.are_up,
            ),
            out=tmp_path / "out",
            towns=TOWNS,
        )
    told = json.loads((tmp_path / "out" / "chaos.json").read_bytes())
    assert told["violations"] == []
    assert is_clean
    assert told["delivered"] == ORDERS
    assert [one["kind"] for one in told["harm"]] == ["ray node lost"]
