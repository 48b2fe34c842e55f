"""What is ordered where, and how long it takes to prepare: expected from what was seen lately."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from engine.kernel.ids import OrderId
from engine.kernel.place import Point, each_once
from engine.kernel.timing import HOUR_MS, MINUTE_MS, SECOND_MS, Instant
from engine.orders.order import Order

SHOPS_MAX: Final = 500
NOTED_MAX: Final = 50_000
_PREPARATION_MAX_MIN: Final = 120
# Before anything was seen: one order for every preparation time of 5 to 40 minutes.
_PRIOR_MIN: Final = range(5, 41)
_PREPARATION_MEMORY_MS: Final = 24 * HOUR_MS
# A rate from the first minutes would be a guess: less than this is taken for this.
_LEAST_SEEN_S: Final = 600
_FORGOTTEN: Final = 0.01
# An hour says how much is ordered, but of most shops it has seen an order or none: so half of what
# is ordered now is expected where it was ordered in the course of the day.
_SHARES_MEMORY_MS: Final = 6 * HOUR_MS
_BY_SHARE: Final = 0.5


class Forecast(Struct, frozen=True, kw_only=True):
    """What is expected in a zone: the rates of its busiest shops, and the preparation.

    As `Demand.rates` and `Demand.preparation` tell them.
    """

    shops: Sequence[Point]
    rates: NDArray[np.float64]
    preparation: NDArray[np.float64]


class Demand:
    """The memory of one zone since `since`; it begins with nothing, also after a restart.

    How much is ordered is smoothed exponentially (Brown, "Smoothing, Forecasting and Prediction",
    1963), corrected for the time that was not seen. A shop's rate lies half-way between its own and
    what it would be by its share of the day's orders. Of shops that the zone knows and from which
    nobody ordered yet it is expected that together they get as large a share as was ordered where
    it was the only order (Good, "The Population Frequencies of Species", Biometrika 40, 1953).
    """

    def __init__(self, *, since: Instant) -> None:
        self._at = since
        self._seen = 0.0
        self._lately: dict[Point, float] = {}
        self._today: dict[Point, float] = {}
        self._preparations = np.zeros(_PREPARATION_MAX_MIN + 1)
        self._noted = dict[OrderId, None]()

    def fade(self, *, memory_s: int, now: Instant) -> None:
        """Let time pass: what was seen counts less."""
        passed_ms = max(0, now - self._at)
        left = math.exp(-passed_ms / (memory_s * SECOND_MS))
        self._at = max(now, self._at)
        self._seen = self._seen * left + 1 - left
        self._lately = _faded(self._lately, left)
        day_ms = max(_SHARES_MEMORY_MS, memory_s * SECOND_MS)
        self._today = _faded(self._today, math.exp(-passed_ms / day_ms))
        self._preparations *= math.exp(-passed_ms / _PREPARATION_MEMORY_MS)

    def note(self, order: Order, *, now: Instant) -> None:
        """Count an order that waits, once, however often it is noted.

        A scheduled one comes up when it begins to wait, not when it was placed.
        """
        if order.id in self._noted:
            return
        self._noted[order.id] = None
        if len(self._noted) > NOTED_MAX:
            del self._noted[next(iter(self._noted))]
        shop = order.shop.point
        for weights in (self._lately, self._today):
            weights[shop] = weights.get(shop, 0.0) + 1
        known_at = order.placed_at if order.window is None else now
        minutes = max(0, round((order.ready_at - known_at) / MINUTE_MS))
        self._preparations[min(minutes, _PREPARATION_MAX_MIN)] += 1

    def forecast(self, *, memory_s: int, known: Sequence[Point] = ()) -> Forecast:
        """What is expected by what was seen until now."""
        shops, rates = self.rates(memory_s=memory_s, known=known)
        return Forecast(shops=shops, rates=rates, preparation=self.preparation())

    def rates(
        self, *, memory_s: int, known: Sequence[Point] = ()
    ) -> tuple[list[Point], NDArray[np.float64]]:
        """The busiest shops, sorted by place, and the orders a second expected in each.

        `known` are shops of which the zone was told, sorted by place.
        """
        if not self._lately:
            return [], np.zeros(0)
        lately, today = math.fsum(self._lately.values()), math.fsum(self._today.values())
        unseen = self._unseen(known)
        share_unseen = self._share_unseen(today) if unseen else 0.0
        by_share = _BY_SHARE * lately / today
        expected = {
            shop: (1 - share_unseen)
            * ((1 - _BY_SHARE) * self._lately.get(shop, 0.0) + by_share * weight)
            for shop, weight in self._today.items()
        }
        expected |= dict.fromkeys(unseen, share_unseen * lately / max(1, len(unseen)))
        busiest = sorted(expected, key=lambda one: (-expected[one], one.lat, one.lng))
        shops = each_once(busiest[:SHOPS_MAX])
        seen = max(self._seen, 1 - math.exp(-_LEAST_SEEN_S / memory_s))
        weights = np.array([expected[one] for one in shops], dtype=np.float64)
        return shops, weights / (memory_s * seen)

    def _unseen(self, known: Sequence[Point]) -> list[Point]:
        """Those of them without an order; of too many, some that lie as far apart as all of them.

        Who was seen keeps its place.
        """
        unseen = [one for one in known if one not in self._today]
        room = SHOPS_MAX - len(self._today)
        return unseen[:: -(-len(unseen) // room)] if unseen and room > 0 else []

    def _share_unseen(self, today: float) -> float:
        """The chance that the next order is the first of its shop."""
        return math.fsum(one for one in self._today.values() if one <= 1) / (today + 1)

    def preparation(self) -> NDArray[np.float64]:
        """The chance that an order is ready so many whole minutes after it comes up.

        By what was seen and the prior.
        """
        counts = self._preparations.copy()
        counts[_PRIOR_MIN.start : _PRIOR_MIN.stop] += 1
        chances: NDArray[np.float64] = counts / counts.sum()
        return chances


def _faded(weights: Mapping[Point, float], left: float) -> dict[Point, float]:
    """What is left of them, without what is as good as forgotten."""
    return {shop: weight * left for shop, weight in weights.items() if weight * left >= _FORGOTTEN}
