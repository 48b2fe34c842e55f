"""Trips that are revised all day long: couriers and the outside judge get along with it."""

import asyncio
import random
from collections import defaultdict
from pathlib import Path
from types import ModuleType

import pytest

from actors.cell import Cell
from actors.revising import Reviser
from engine.dispatch.revision import first_trip
from engine.kernel.ids import CourierId, OrderId
from engine.kernel.place import Point
from engine.kernel.timing import SECOND_MS
from simulations import mdrp, solution, stage
from simulations.diary import Diary
from simulations.people import Behaviour
from simulations.replay import VIRTUAL_START
from simulations.score import Score, score
from simulations.virtual import VirtualLoop, run_virtually
from tests.simulations import small_day

Hands = dict[CourierId, tuple[OrderId, ...]]

# One shop with a lot to do and all couriers near it.
BUSY = {
    "restaurants": ("r1\t1000\t1000",),
    "orders": tuple(
        f"o{n}\t{700 + 230 * n % 1900}\t{600 + 410 * n % 2100}\t{n}\tr1\t{n + 8 + 7 * n % 12}"
        for n in range(1, 17)
    ),
    "couriers": tuple(f"c{n}\t{300 * n}\t{250 * n}\t0\t{90 + 10 * n}" for n in range(1, 6)),
}


class Meddler:
    """Deals the orders of every shop anew among those who are bound for it, whether or not it is
    wise."""

    def __init__(self, built: stage.Stage, chance: random.Random, every_ms: int) -> None:
        self._built, self._chance, self._every_ms = built, chance, every_ms
        self.revised = 0

    async def run(self) -> None:
        while True:
            await self._built.clock.sleep(self._every_ms)
            for home in tuple(self._built.cells._homes.values()):
                await self._meddle(home.cell)

    async def _meddle(self, cell: Cell) -> None:
        holdings = cell._holdings
        reviser = Reviser(live=cell._live, holdings=holdings, clock=self._built.clock)
        for zone in tuple(holdings.zones.values()):
            hands, waiting = (
                defaultdict[Point, Hands](dict),
                defaultdict[Point, list[OrderId]](list),
            )
            for order in holdings.waiting(zone.id):
                waiting[order.shop.point].append(order.id)
            for courier in holdings.on_duty(zone.id):
                if trip := first_trip(courier):
                    hands[trip.shops[0]][courier.id] = trip.order_ids
            for shop, before in hands.items():
                self.revised += await reviser.revise(zone, self._deal(before, waiting[shop]))

    def _deal(self, before: Hands, waiting: list[OrderId]) -> Hands:
        cards = [*(one for hand in before.values() for one in hand), *waiting]
        self._chance.shuffle(cards)
        after: Hands = {courier: (cards.pop(),) for courier in before}
        for courier in after:
            if cards and self._chance.random() < 0.6:
                after[courier] += (cards.pop(),)
        return after


def live(
    folder: Path, tmp_path: Path, *, seed: int, every_s: int, behaviour: Behaviour
) -> tuple[Score, Diary, Path, Meddler]:
    instance = mdrp.read(folder)
    day, diary = mdrp.day(instance, starts_at=VIRTUAL_START), Diary()

    async def main(loop: VirtualLoop) -> tuple[list[str], int, Meddler]:
        built = stage.build(loop, starts_at=day.starts_at, seed=seed)
        meddler = Meddler(built, random.Random(seed), every_s * SECOND_MS)
        meddling = asyncio.create_task(meddler.run())
        unknown = await stage.play(built, day, diary, seed=seed, behaviour=behaviour)
        meddling.cancel()
        return unknown, built.clock.now(), meddler

    unknown, ended_at, meddler = run_virtually(main)
    assert unknown == []
    out = tmp_path / "solution.json"
    solution.write(out, diary, shops=day.zone.shops, starts_at=mdrp.minute_0(day.starts_at))
    return score(diary, day, ended_at=ended_at, wall_s=1.0), diary, out, meddler


@pytest.mark.parametrize(("seed", "every_s"), [(1, 60), (3, 17), (4, 5)])
def test_the_judge_finds_a_day_feasible_however_its_trips_were_revised(
    tmp_path: Path, evaluator: ModuleType, seed: int, every_s: int
) -> None:
    folder = small_day.write(tmp_path / "busy", **BUSY)
    found, diary, out, meddler = live(
        folder, tmp_path, seed=seed, every_s=every_s, behaviour=Behaviour()
    )
    assert found.is_clean, (found.violations, found.faults)
    assert meddler.revised > 20
    assert found.delivered == found.orders
    kinds = [visit.kind for page in diary.couriers.values() for visit in page.visits]
    assert "move" in kinds, "nobody came for what was not his any more"
    text = evaluator.json.loads(out.read_text())
    _, faults, _ = evaluator.evaluate(evaluator.Instance(str(folder)), text)
    assert faults == []


@pytest.mark.parametrize("seed", range(2))
def test_moody_people_lose_and_double_nothing_when_trips_are_revised(
    tmp_path: Path, seed: int
) -> None:
    folder = small_day.write(tmp_path / "busy", **BUSY)
    moody = Behaviour(decline=0.2, ignore=0.1, nobody_home=0.1, think_s=(0.0, 90.0))
    found, _, _, meddler = live(folder, tmp_path, seed=seed, every_s=11, behaviour=moody)
    assert found.is_clean, (found.violations, found.faults)
    assert meddler.revised
