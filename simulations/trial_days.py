"""Where the days come from on which parameter sets are tried: a city's seed, or recorded folders.

A source travels to other processes, so it holds only what its days can be made from again.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from engine.kernel.ids import derived_id
from simulations import mdrp
from simulations.day import Day
from simulations.people import Behaviour
from simulations.replay import VIRTUAL_START
from simulations.simulate import MOODS, a_day


class CityName(StrEnum):
    """The cities that can be generated."""

    RIYADH = "riyadh"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToLive:
    """A day, and the luck and the people with which it is lived."""

    day: Day
    luck: int
    behaviour: Behaviour
    undeliverable: frozenset[str] = frozenset()


class Source(Protocol):
    """Days by their numbers, the same for the same number; `of` is for people."""

    @property
    def of(self) -> str:
        """What the days are."""
        ...

    def to_live(self, number: int) -> ToLive:
        """Day `number`, from 0 on."""
        ...

    def kind(self, number: int) -> int:
        """Days of one kind differ only by luck, so together they are one witness."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CityDays:
    """Days of a generated city; each is another seed. Orders an hour are those of the busiest."""

    city: CityName = CityName.RIYADH
    couriers: int = 60
    orders_per_hour: float | None = None
    hours: float = 4.0
    seed: int = 1

    @property
    def of(self) -> str:
        orders = f"{self.orders_per_hour:g} orders" if self.orders_per_hour else "its orders"
        return (
            f"{self.city.value}: {self.couriers} couriers, {orders} an hour, {self.hours:g} h, "
            f"seed {self.seed}"
        )

    def to_live(self, number: int) -> ToLive:
        seed = luck_of(self.seed, number)
        day = a_day(
            seed=seed,
            couriers=self.couriers,
            hours=self.hours,
            orders_per_hour=self.orders_per_hour,
        )
        return ToLive(day=day, luck=seed, behaviour=MOODS)

    def kind(self, number: int) -> int:
        return number


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderDays:
    """Recorded days in turn; beyond the last they come again, with other luck."""

    folders: tuple[Path, ...]
    seed: int = 1

    @property
    def of(self) -> str:
        names = ", ".join(one.resolve().name for one in self.folders[:4])
        more = f" and {len(self.folders) - 4} more" if len(self.folders) > 4 else ""
        return f"recorded: {names}{more}, seed {self.seed}"

    def to_live(self, number: int) -> ToLive:
        instance = mdrp.read(self.folders[self.kind(number)])
        return ToLive(
            day=mdrp.day(instance, starts_at=VIRTUAL_START),
            luck=luck_of(self.seed, number),
            behaviour=Behaviour(),
            undeliverable=instance.undeliverable(),
        )

    def kind(self, number: int) -> int:
        return number % len(self.folders)


def luck_of(seed: int, number: int) -> int:
    """Another seed for every number; neighbouring seeds share none."""
    return int(derived_id("luck", str(seed), str(number)).replace("-", "")[:12], 16)
