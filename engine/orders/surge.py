"""Surge: how hard a zone is pressed, followed smoothly, and what that does to the fee."""

from msgspec import Struct

from engine.geo.parameters import ZoneParameters
from engine.kernel.timing import SECOND_MS, Instant

NO_SURGE_PERCENT = 100


class Pressure(Struct, frozen=True, kw_only=True):
    """Waiting orders and available couriers at an instant; `percent` is their smoothed ratio.

    100 percent are as many waiting orders as available couriers; without couriers one is counted.
    """

    waiting: int
    available: int
    percent: float
    at: Instant


class Surge(Struct, frozen=True, kw_only=True):
    """The pressure that a fee was made with, and the percentage that it made of the fee."""

    pressure: Pressure
    fee_percent: int


def pressure(
    before: Pressure | None, *, waiting: int, available: int, half_life_s: int, now: Instant
) -> Pressure:
    """The pressure now: half of what changed since before is followed in `half_life_s`."""
    percent = 100 * waiting / max(1, available)
    if before is not None and half_life_s > 0:
        passed_s = max(0, now - before.at) / SECOND_MS
        # A finite power for whatever time has passed.
        rest = 0.5 ** min(passed_s / half_life_s, 60.0)
        percent += (before.percent - percent) * rest
    return Pressure(waiting=waiting, available=available, percent=percent, at=now)


def surge(now: Pressure, parameters: ZoneParameters) -> Surge:
    """From `surge_from_percent` on the fee rises evenly to its maximum at `surge_full_percent`."""
    low, full = parameters.surge_from_percent, parameters.surge_full_percent
    if now.percent <= low:
        share = 0.0
    elif now.percent >= full:
        share = 1.0
    else:
        share = (now.percent - low) / (full - low)
    raised = round((parameters.surge_max_percent - NO_SURGE_PERCENT) * share)
    return Surge(pressure=now, fee_percent=NO_SURGE_PERCENT + raised)
