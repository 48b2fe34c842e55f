"""The figures by which a day is judged: each defined once, for simulations, reports and guards.

Times are in minutes, shares from 0 to 1, amounts in halalas; None where there was nothing to judge.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from engine.kernel.timing import MINUTE_MS, Instant


class OrderRecord(Struct, frozen=True, kw_only=True):
    """One order; `bound_ms` is the shortest click-to-door that anybody could have reached.

    One that is scheduled is clicked long before its door is meant to be reached.
    """

    placed_at: Instant
    ready_at: Instant
    due_at: Instant
    picked_up_at: Instant | None = None
    delivered_at: Instant | None = None
    bound_ms: int | None = None
    is_scheduled: bool = False

    @property
    def click_to_door_ms(self) -> int | None:
        """How long its customer waited; None unless it was wanted at once, and delivered."""
        if self.delivered_at is None or self.is_scheduled:
            return None
        return self.delivered_at - self.placed_at

    @property
    def late_ms(self) -> int | None:
        """How much later than promised it was delivered; an early one is not late at all."""
        return None if self.delivered_at is None else max(0, self.delivered_at - self.due_at)


class Visit(Struct, frozen=True, kw_only=True):
    """One stop of a courier; `service_ms` is what the hand-over takes when nobody has to wait."""

    left_at: Instant
    arrived_at: Instant
    free_at: Instant
    service_ms: int
    picked_up: int = 0


class CourierRecord(Struct, frozen=True, kw_only=True):
    """One courier: milliseconds on duty, his visits, and the fees (without VAT) that he earned.

    On duty is when he may be given work: neither a break, nor what he finishes after his shift.
    """

    duty_ms: int
    visits: tuple[Visit, ...] = ()
    earned_halalas: int = 0

    @property
    def worked_ms(self) -> int:
        """Driving to stops and service at them, without waiting."""
        return sum(one.arrived_at - one.left_at + one.service_ms for one in self.visits)

    @property
    def idle_ms(self) -> int:
        """On duty without a stop ahead."""
        return max(0, self.duty_ms - sum(one.free_at - one.left_at for one in self.visits))


class OfferCounts(Struct, frozen=True, kw_only=True):
    """Offers by outcome; what is neither of the four is still open."""

    made: int = 0
    accepted: int = 0
    declined: int = 0
    expired: int = 0
    withdrawn: int = 0

    @property
    def answered(self) -> int:
        """Those that somebody had a chance to take: what was withdrawn is nobody's answer."""
        return self.accepted + self.declined + self.expired

    @property
    def acceptance(self) -> float | None:
        """Which share of them was taken."""
        return _ratio(self.accepted, self.answered)


class Spread(Struct, frozen=True, kw_only=True):
    """Many values: how many, mean, middle, what nine in ten stay below, and the greatest."""

    count: int
    mean: float
    p50: float
    p90: float
    most: float


class Metrics(Struct, frozen=True, kw_only=True):
    """The figures of `DEFINITIONS`."""

    orders: int
    delivered: int
    click_to_door_min: Spread | None
    ready_to_pickup_min: Spread | None
    excess_min: Spread | None
    overage_min: float | None
    late_share: float | None
    couriers: int
    utilisation: float | None
    idle_share: float | None
    orders_per_trip: float | None
    idle_gini: float | None
    earnings_gini: float | None
    offers: OfferCounts


class Definition(Struct, frozen=True, kw_only=True):
    """What a figure means: its unit and its formula in words."""

    unit: str
    formula: str


DEFINITIONS: Final[dict[str, Definition]] = {
    "orders": Definition(unit="orders", formula="Orders that were placed."),
    "delivered": Definition(unit="orders", formula="Orders that were handed over at the door."),
    "click_to_door_min": Definition(
        unit="min",
        formula="delivered_at - placed_at, over delivered orders that were wanted at once.",
    ),
    "ready_to_pickup_min": Definition(
        unit="min", formula="picked_up_at - ready_at, over orders that were picked up."
    ),
    "excess_min": Definition(
        unit="min",
        formula="click-to-door minus the direct bound (preparation, half a service in the shop, "
        "the way to the door by the fastest vehicle, half a service at the door), over delivered "
        "orders.",
    ),
    "overage_min": Definition(
        unit="min", formula="Mean of max(0, delivered_at - due_at), over delivered orders."
    ),
    "late_share": Definition(
        unit="share", formula="Delivered orders with delivered_at > due_at, by delivered orders."
    ),
    "couriers": Definition(unit="couriers", formula="Couriers who were on duty at all."),
    "utilisation": Definition(
        unit="share",
        formula="(driving to stops + service at them) / time on duty; mean over couriers.",
    ),
    "idle_share": Definition(
        unit="share", formula="(time on duty without a stop) / time on duty, over all couriers."
    ),
    "orders_per_trip": Definition(
        unit="orders", formula="Orders that were picked up, by visits to shops."
    ),
    "idle_gini": Definition(
        unit="0 to 1",
        formula="Gini coefficient of the couriers' share of idle time: 0 all alike, 1 one has all.",
    ),
    "earnings_gini": Definition(
        unit="0 to 1",
        formula="Gini coefficient of what couriers earned per hour on duty (the fees without VAT "
        "of what they delivered).",
    ),
    "offers": Definition(unit="offers", formula="Offers that were made, by outcome."),
}


def metrics(
    orders: Sequence[OrderRecord], couriers: Sequence[CourierRecord], offers: OfferCounts
) -> Metrics:
    """Judge what happened."""
    late_ms = [late for one in orders if (late := one.late_ms) is not None]
    door_ms = [(one, door) for one in orders if (door := one.click_to_door_ms) is not None]
    worked = [one for one in couriers if one.duty_ms > 0]
    duty_ms = sum(one.duty_ms for one in worked)
    trips = sum(visit.picked_up > 0 for one in couriers for visit in one.visits)
    picked_up = sum(visit.picked_up for one in couriers for visit in one.visits)
    return Metrics(
        orders=len(orders),
        delivered=len(late_ms),
        click_to_door_min=minutes(door for _, door in door_ms),
        ready_to_pickup_min=minutes(
            one.picked_up_at - one.ready_at for one in orders if one.picked_up_at is not None
        ),
        excess_min=minutes(
            door - one.bound_ms for one, door in door_ms if one.bound_ms is not None
        ),
        overage_min=_ratio(sum(late_ms) / MINUTE_MS, len(late_ms)),
        late_share=_ratio(sum(one > 0 for one in late_ms), len(late_ms)),
        couriers=len(worked),
        utilisation=_ratio(sum(one.worked_ms / one.duty_ms for one in worked), len(worked)),
        idle_share=_ratio(sum(one.idle_ms for one in worked), duty_ms),
        orders_per_trip=_ratio(picked_up, trips),
        idle_gini=gini([one.idle_ms / one.duty_ms for one in worked]),
        earnings_gini=gini([one.earned_halalas / one.duty_ms for one in worked]),
        offers=offers,
    )


def minutes(durations_ms: Iterable[int]) -> Spread | None:
    """The spread of durations, in minutes."""
    return spread([one / MINUTE_MS for one in durations_ms])


def spread(values: Sequence[float]) -> Spread | None:
    """The spread of values; None when there are none."""
    if not values:
        return None
    p50, p90 = np.percentile(values, [50, 90])
    return Spread(
        count=len(values),
        mean=float(np.mean(values)),
        p50=float(p50),
        p90=float(p90),
        most=max(values),
    )


def gini(values: Sequence[float]) -> float | None:
    """The Gini coefficient of values that are not negative: 0 when all are alike."""
    if not values:
        return None
    shares = lorenz(values)
    return float(1 - np.sum(shares[1:] + shares[:-1]) / len(values))


def lorenz(values: Sequence[float]) -> NDArray[np.float64]:
    """The Lorenz curve: which share of the whole the poorest 0, 1, ... n of n have together."""
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    assert ordered.size == 0 or ordered[0] >= 0, "a share of something negative means nothing"
    summed = np.concatenate(([0.0], np.cumsum(ordered)))
    if summed[-1] == 0:
        return np.linspace(0.0, 1.0, summed.size)
    return np.asarray(summed / summed[-1], dtype=np.float64)


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None
