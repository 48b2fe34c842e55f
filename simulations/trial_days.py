"""The days on which parameter sets are tried: a city's, recorded ones, or the last hours.

A source travels to other processes, so it holds only what its days can be made from again.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from engine.kernel.ids import derived_id
from engine.kernel.timing import HOUR_MS
from simulations import simulate, sources
from simulations.day import Day
from simulations.people import LIVELY, Behaviour
from simulations.recent import Recent, day_of
from simulations.sources import Asked
from simulations.surprises import surprising


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


class Format(StrEnum):
    """How a recorded day is written down."""

    MDRP = "mdrp"
    CSV = "csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class CityDays:
    """Days of a generated city; each is another seed."""

    asked: Asked
    seed: int = 1
    behaviour: Behaviour = LIVELY

    @property
    def of(self) -> str:
        asked = self.asked
        orders = f"{asked.orders_per_hour:g} orders" if asked.orders_per_hour else "its orders"
        return (
            f"{asked.city}: {asked.couriers} couriers, {orders} an hour, {asked.hours:g} h "
            f"from {asked.start}, seed {self.seed}"
        )

    def to_live(self, number: int) -> ToLive:
        luck = luck_of(self.seed, number)
        return _surprising(sources.generated(self.asked, seed=luck), self.behaviour, luck)

    def kind(self, number: int) -> int:
        return number


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderDays:
    """Recorded days in turn; beyond the last they come again, with other luck."""

    folders: tuple[Path, ...]
    format: Format = Format.MDRP
    seed: int = 1
    behaviour: Behaviour = LIVELY

    @property
    def of(self) -> str:
        names = ", ".join(one.resolve().name for one in self.folders[:4])
        more = f" and {len(self.folders) - 4} more" if len(self.folders) > 4 else ""
        return f"recorded: {names}{more}, seed {self.seed}"

    def to_live(self, number: int) -> ToLive:
        read = sources.recorded if self.format is Format.MDRP else sources.tabled
        source = read(self.folders[self.kind(number)])
        return _surprising(source, self.behaviour, luck_of(self.seed, number))

    def kind(self, number: int) -> int:
        return number % len(self.folders)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentDays:
    """The same hours of a zone again and again, each time with other luck."""

    recent: Recent
    seed: int = 1
    behaviour: Behaviour = LIVELY

    @property
    def of(self) -> str:
        hours = (self.recent.until - self.recent.since) / HOUR_MS
        return f"the last {hours:g} h of {self.recent.zone.name_en}"

    def to_live(self, number: int) -> ToLive:
        source = simulate.Source(day=day_of([self.recent]))
        return _surprising(source, self.behaviour, luck_of(self.seed, number))

    def kind(self, number: int) -> int:
        del number
        return 0


def _surprising(source: simulate.Source, behaviour: Behaviour, luck: int) -> ToLive:
    return ToLive(
        day=surprising(source.day, behaviour, seed=luck, pace=source.pace),
        luck=luck,
        behaviour=behaviour,
        undeliverable=source.undeliverable,
    )


def luck_of(seed: int, number: int) -> int:
    """Another seed for every number; neighbouring seeds share none."""
    return int(derived_id("luck", str(seed), str(number)).replace("-", "")[:12], 16)
