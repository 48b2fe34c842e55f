"""What parameter sets are compared by: each metric with its unit, its direction and its figure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from engine.metrics import Spread
from simulations.score import UNDELIVERED_MIN, Score


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One figure of a day; `of` is None for a day that has nothing to take it from."""

    name: str
    label: str
    unit: str
    lower_is_better: bool
    of: Callable[[Score], float | None]


def _mean(spread: Spread | None) -> float | None:
    return None if spread is None else spread.mean


def _p90(spread: Spread | None) -> float | None:
    return None if spread is None else spread.p90


def _undelivered(score: Score) -> int:
    return score.orders - score.delivered - score.returned - score.cancelled


def _percent_of_orders(count: int, score: Score) -> float | None:
    return 100 * count / score.orders if score.orders else None


def _excess(score: Score) -> float | None:
    """Minutes above the direct bound; an order that nobody delivered counts as lateness has it."""
    above, left = score.metrics.excess_min, _undelivered(score)
    if above is None:
        return UNDELIVERED_MIN if left else None
    return (above.mean * score.delivered + UNDELIVERED_MIN * left) / (score.delivered + left)


METRICS: Final = (
    Metric(
        name="lateness",
        label="lateness",
        unit="min an order",
        lower_is_better=True,
        of=lambda score: score.lateness_min if score.orders else None,
    ),
    Metric(
        name="excess",
        label="above the direct bound",
        unit="min an order",
        lower_is_better=True,
        of=_excess,
    ),
    Metric(
        name="click_to_door",
        label="click to door, mean",
        unit="min",
        lower_is_better=True,
        of=lambda score: _mean(score.click_to_door),
    ),
    Metric(
        name="click_to_door_p90",
        label="click to door, p90",
        unit="min",
        lower_is_better=True,
        of=lambda score: _p90(score.click_to_door),
    ),
    Metric(
        name="ready_to_pickup",
        label="ready to pick-up, mean",
        unit="min",
        lower_is_better=True,
        of=lambda score: _mean(score.ready_to_pickup),
    ),
    Metric(
        name="undelivered",
        label="undelivered",
        unit="%",
        lower_is_better=True,
        of=lambda score: _percent_of_orders(_undelivered(score), score),
    ),
    Metric(
        name="cancelled",
        label="cancelled by customers",
        unit="%",
        lower_is_better=True,
        of=lambda score: _percent_of_orders(score.cancelled, score),
    ),
    Metric(
        name="road",
        label="time on the road",
        unit="min a delivery",
        lower_is_better=True,
        of=lambda score: score.road_min_per_order,
    ),
    Metric(
        name="offers",
        label="offers made",
        unit="a delivery",
        lower_is_better=True,
        of=lambda score: score.offers_made / score.delivered if score.delivered else None,
    ),
    Metric(
        name="idle_gini",
        label="idle time, Gini",
        unit="0 to 1",
        lower_is_better=True,
        of=lambda score: score.metrics.idle_gini,
    ),
    Metric(
        name="earnings_gini",
        label="earnings, Gini",
        unit="0 to 1",
        lower_is_better=True,
        of=lambda score: score.metrics.earnings_gini,
    ),
)
BY_NAME: Final = {one.name: one for one in METRICS}
LATENESS: Final = "lateness"
COST: Final = "road"


def measured(score: Score) -> dict[str, float | None]:
    """Every metric of a day by its name."""
    return {one.name: one.of(score) for one in METRICS}
