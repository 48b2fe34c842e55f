"""What is measured beside the service must not disturb it."""

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from actors.chance import SystemChance, new_id
from actors.clock import SystemClock
from engine.couriers.courier import Courier
from simulations.realtime.bare_commits import BareCommits
from storage.memory_live import MemoryLive
from tests.builders import a_courier

if TYPE_CHECKING:
    from simulations.realtime.site import Site


class Unstored(BareCommits):
    """Nothing is stored."""

    async def _begin(self) -> Courier:
        return a_courier()


async def test_edges_that_read_the_stream_never_have_to_ask_how_all_stands() -> None:
    live, clock, chance = MemoryLive(), SystemClock(), SystemChance()
    place: Any = SimpleNamespace(live=live, database=None)
    site = SimpleNamespace(place=place, clock=clock, new_id=lambda: new_id(clock, chance))
    for _ in range(2):
        bare = Unstored(cast("Site", site), ())
        for _ in range(2):
            assert len(await bare.shown(5, per_s=1000.0)) == 5
    _, batches = await live.read(await live.head(), wait_ms=0)
    cells = {one.cell for one in batches}
    assert len(cells) == 2
    for cell in cells:
        told = [one for one in batches if one.cell == cell]
        assert len({one.incarnation for one in told}) == 1
        assert [one.sequence for one in told] == list(range(1, len(told) + 1))
