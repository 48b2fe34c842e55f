"""What a zone's plan may know of orders that are not placed yet."""

from collections.abc import Sequence

import numpy as np

from engine.dispatch.demand import Forecast
from engine.geo.parameters import ZoneParameters
from engine.geo.zone import Zone
from engine.kernel.timing import SECOND_MS, Instant
from optimizer.problem import Expected, Route
from optimizer.routes import RouteTable


def uses_demand(parameters: ZoneParameters) -> bool:
    """Whether anything in the zone asks what is ordered where."""
    return (
        parameters.wait_moves_max > 0
        or parameters.leave_early_s > 0
        or parameters.time_price_percent > 0
    )


def expected_of(
    zone: Zone, forecast: Forecast | None, routes: Sequence[Route], *, now: Instant
) -> Expected | None:
    """What will be ordered, and what an order takes in the mean of the last plan's trips.

    None where no price is put on time, nothing is forecast, or nothing was planned.
    """
    parameters, table = zone.parameters, RouteTable.of(routes)
    if parameters.time_price_percent == 0 or forecast is None or not table.jobs:
        return None
    done_s = table.delivery_s[table.jobs_begin[1:] - 1] + parameters.door_leave_s
    return Expected(
        rate=float(forecast.rates.sum()),
        preparation=tuple(forecast.preparation.tolist()),
        promised_s=parameters.promised_s,
        approach_s=round(float(np.mean(table.pickup_s - table.leave_s))),
        work_s=max(1, round(float((done_s - table.leave_s).sum()) / len(table.jobs))),
        seed=now // SECOND_MS,
    )
