"""Numbers for simulated people, and a place on the equator where nobody has a zone yet."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Final, Self

from msgspec import to_builtins

from actors.chance import SystemChance, new_id
from engine.kernel.timing import SECOND_MS, Instant
from simulations.day import ZonePlan
from simulations.people import DoorShut
from simulations.rest import Account
from simulations.views import Told

# Mobile prefixes in Saudi Arabia; the seven digits after them are a run and a person. The last
# prefix is for runs that come back as the same people, who may be many.
_PASSING: Final = ("50", "53", "54", "55", "56", "58")
_STAYING: Final = "59"
_PASSING_RUN_DIGITS, _STAYING_RUN_DIGITS = 3, 2
_DIGITS = 7
# No recorded day is wider than a degree.
_SITES: Final = 170


@dataclass(slots=True)
class Phones:
    """Numbers in E.164, one after the other, all beginning with `start`."""

    start: str
    _numbers: "count[int]" = field(default_factory=count)

    @classmethod
    def of_passing_run(cls, now: Instant) -> Self:
        """Numbers that no other run of the last hour used; ten thousand of them."""
        runs = 10**_PASSING_RUN_DIGITS
        # The very first numbers are those that people type by hand.
        prefix, run = divmod(1 + now // SECOND_MS % (runs * len(_PASSING) - 1), runs)
        return cls(f"{_PASSING[prefix]}{run:0{_PASSING_RUN_DIGITS}}")

    @classmethod
    def of_seed(cls, seed: int) -> Self:
        """The same numbers for the same seed; a hundred thousand of them."""
        run = seed % 10**_STAYING_RUN_DIGITS
        return cls(f"{_STAYING}{run:0{_STAYING_RUN_DIGITS}}")

    def next(self) -> str:
        """Another number."""
        digits = _DIGITS + len(_STAYING) - len(self.start)
        number = next(self._numbers)
        assert number < 10**digits, f"no more than {10**digits} people in one run"
        return f"+966{self.start}{number:0{digits}}"


async def create_zone(operator: Account, plan: ZonePlan) -> Told:
    """Open a zone over REST."""
    body = {
        "name_en": plan.name_en,
        "name_ar": plan.name_ar,
        "cells": list(plan.cells),
        "parameters": to_builtins(plan.parameters),
    }
    key = new_id(operator.edge.clock, SystemChance())
    told = await operator.request("POST", "/v1/zones", body, key=key)
    if plan.shops and not told.refused:
        path = f"/v1/zones/{told.body['zone_id']}/shops"
        shops = {"shops": [to_builtins(one.point) for one in plan.shops]}
        known = await operator.request("PUT", path, shops)
        return known if known.refused else told
    return told


async def open_zone_somewhere(
    operator: Account, plan_at: Callable[[float], ZonePlan]
) -> tuple[str, float]:
    """Open the zone at the first degree of longitude that is free; its id and the degree."""
    for centre_lng in range(_SITES):
        told = await create_zone(operator, plan_at(float(centre_lng)))
        if not told.refused:
            return str(told.body["zone_id"]), float(centre_lng)
        if told.refused != "cells_taken":
            raise DoorShut(f"the zone was refused: {told.refused} {told.body}")
    raise DoorShut("there is no room left on the equator: start with an empty data folder")
