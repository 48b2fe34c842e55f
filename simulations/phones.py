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

# Mobile prefixes in Saudi Arabia; the digits after them are a run and a person.
_PREFIXES: Final = ("50", "53", "54", "55", "56", "58", "59")
_RUNS, _PEOPLE = 1000, 10_000
# The last prefix is for runs that come back as the same people.
_PASSING_RUNS: Final = _RUNS * (len(_PREFIXES) - 1)
# No recorded day is wider than a degree.
_SITES: Final = 170


@dataclass(slots=True)
class Phones:
    """Numbers in E.164, one after the other; another run gives others."""

    run: int
    _numbers: "count[int]" = field(default_factory=count)

    @classmethod
    def of_passing_run(cls, now: Instant) -> Self:
        """Numbers that no other run of the last hours used."""
        return cls(1 + now // SECOND_MS % (_PASSING_RUNS - 1))

    @classmethod
    def of_seed(cls, seed: int) -> Self:
        """The same numbers for the same seed."""
        return cls(_PASSING_RUNS + seed % _RUNS)

    def next(self) -> str:
        """Another number."""
        prefix, run = divmod(self.run, _RUNS)
        return f"+966{_PREFIXES[prefix]}{run:03}{next(self._numbers) % _PEOPLE:04}"


async def create_zone(operator: Account, plan: ZonePlan) -> Told:
    """Open a zone over REST."""
    body = {
        "name_en": plan.name_en,
        "name_ar": plan.name_ar,
        "cells": list(plan.cells),
        "parameters": to_builtins(plan.parameters),
    }
    key = new_id(operator.edge.clock, SystemChance())
    return await operator.request("POST", "/v1/zones", body, key=key)


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
