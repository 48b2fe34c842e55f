"""Days of a city that are small enough for a test."""

from simulations.sources import Asked
from simulations.trial_days import CityDays


def tiny_days(*, couriers: int, hours: float) -> CityDays:
    asked = Asked("riyadh", couriers, None, hours, "2026-01-07T16:30", 30, 1)
    return CityDays(asked=asked, seed=5)
