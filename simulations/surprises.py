"""What the service does not know of a day: how fast the roads really are, which shops are late."""

import math
import random
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from statistics import NormalDist
from typing import Final

from engine.geo.travel import HOURS, VehicleKind
from engine.kernel.place import Point
from engine.kernel.timing import MINUTE_MS, Instant
from simulations.almanac import local_hour
from simulations.day import Day, DayOrder, Ways
from simulations.people import Behaviour

_LEG: Final = struct.Struct("<4d")
_NORMAL: Final = NormalDist()


class Traffic:
    """Real travel times: what is believed, times a factor of the leg and one of the hour.

    Each road and each hour has its own, always the same for one seed. `pace` is how much faster
    people drive at an instant than on a plain day.
    """

    def __init__(
        self,
        ways: Ways,
        *,
        deviation: float,
        seed: int,
        utc_offset_h: int,
        pace: Callable[[Instant], float],
    ) -> None:
        self._ways, self._deviation, self._pace = ways, deviation, pace
        self._utc_offset_h, self._salt = utc_offset_h, seed & 0xFFFFFFFF
        chance = random.Random(seed)
        self._hours = [chance.gauss(0, deviation) / 2 for _ in range(HOURS)]

    def travel_ms(self, origin: Point, to: Point, *, vehicle: VehicleKind, at: Instant) -> int:
        """Milliseconds on the road when leaving at `at`."""
        believed_ms = self._ways.travel_ms(origin, to, vehicle=vehicle, at=at)
        leg = zlib.crc32(_LEG.pack(origin.lat, origin.lng, to.lat, to.lng), self._salt)
        luck = _NORMAL.inv_cdf((leg + 0.5) / 2**32) * self._deviation
        hour = self._hours[local_hour(at, self._utc_offset_h)]
        return round(believed_ms * math.exp(luck + hour) / self._pace(at))


def surprising(
    day: Day, behaviour: Behaviour, *, seed: int, pace: Callable[[Instant], float] = lambda _: 1.0
) -> Day:
    """The day with the roads and shops of this behaviour; the service expects the day as it was."""
    chance = random.Random(seed)
    ways: Ways = day.ways
    if behaviour.traffic:
        ways = Traffic(
            day.ways,
            deviation=behaviour.traffic,
            seed=seed,
            utc_offset_h=day.zone.parameters.travel.utc_offset_h,
            pace=pace,
        )
    orders = tuple(_perhaps_late(one, behaviour, chance) for one in day.orders)
    return replace(day, ways=ways, orders=orders)


def _perhaps_late(order: DayOrder, behaviour: Behaviour, chance: random.Random) -> DayOrder:
    if not behaviour.shop_late or chance.random() >= behaviour.shop_late:
        return order
    late_ms = int(chance.expovariate(1 / behaviour.shop_late_min) * MINUTE_MS)
    return replace(order, expected_ready_at=order.ready_at, ready_at=order.ready_at + late_ms)
