"""The leak test: a day cut short must be decided as the whole day was, up to the cut.

A policy that uses what it cannot know yet decides otherwise when the future is deleted. When a
decision was made is only a claim in a solution; that it is made again without the future is
evidence.
"""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from engine.kernel.timing import Instant
from simulations.mdrp import BadInstance, Instance
from simulations.mdrp_score import Solution

_EPS = 1e-6


class Decided(NamedTuple):
    """A courier was told at this minute to fetch an order, or to move to a shop."""

    courier: str
    kind: str
    what: str
    minute: float


class Leak(msgspec.Struct, frozen=True, kw_only=True):
    """A day beside itself without its orders after minute `cut`.

    `only_whole` and `only_cut` are decisions up to the cut that stand in one solution alone. When
    the histories agree up to the cut, they were made alike and revised afterwards. `first_event`
    is the first that differs.
    """

    cut: int
    decisions: int
    only_whole: tuple[Decided, ...]
    only_cut: tuple[Decided, ...]
    first_event: str

    @property
    def is_leak(self) -> bool:
        """Whether something was decided otherwise for what came later."""
        return bool(self.first_event)

    @property
    def is_prefix(self) -> bool:
        """Whether the solutions agree up to the cut."""
        return not self.only_whole and not self.only_cut


def random_cut(instance: Instance, chance: random.Random) -> int:
    """A minute at which there are orders before, and orders to come; raises BadInstance."""
    placed = [one.placed for one in instance.orders]
    if not placed or placed[0] == placed[-1]:
        raise BadInstance(f"{instance.name}: cannot be cut, all orders are placed at once")
    return chance.randint(placed[0], placed[-1] - 1)


def until(instance: Instance, cut: int) -> Instance:
    """The instance without the orders that are placed after the minute."""
    return replace(instance, orders=tuple(one for one in instance.orders if one.placed <= cut))


def compare(whole: "Traces", cut_short: "Traces", *, cut: int, cut_at: Instant) -> Leak:
    """What was decided up to the cut, in solutions and in histories."""
    a, b = decisions(whole.solution, cut), decisions(cut_short.solution, cut)
    return Leak(
        cut=cut,
        decisions=len(a),
        only_whole=tuple(sorted(a - b)),
        only_cut=tuple(sorted(b - a)),
        first_event=_first_difference(
            _history(whole.events, cut_at), _history(cut_short.events, cut_at)
        ),
    )


class Traces(NamedTuple):
    """What a run leaves: its solution, and the file of its events."""

    solution: Solution
    events: Path


def decisions(solution: Solution, cut: int) -> frozenset[Decided]:
    """What couriers were told up to the minute."""
    return frozenset(
        Decided(page.courier, stop.kind, what, round(minute, 6))
        for page in solution.couriers
        for stop in page.stops
        if stop.kind != "dropoff"
        for what, minute in zip(stop.keys or (stop.restaurant or "",), stop.decided, strict=False)
        if minute is not None and minute <= cut + _EPS
    )


class _Dated(msgspec.Struct):
    at: Instant


class _Line(msgspec.Struct):
    event: _Dated


def _history(events: Path, until_at: Instant) -> list[bytes]:
    """The events up to an instant, in their order."""
    decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(_Line)
    with events.open("rb") as lines:
        return [line for line in lines if decoder.decode(line).event.at <= until_at]


def _first_difference(whole: list[bytes], cut_short: list[bytes]) -> str:
    for a, b in zip(whole, cut_short, strict=False):
        if a != b:
            return f"{_short(a)} became {_short(b)}"
    if len(whole) == len(cut_short):
        return ""
    longer = max(whole, cut_short, key=len)
    return f"{_short(longer[min(len(whole), len(cut_short))])} stands in one history alone"


def _short(line: bytes) -> str:
    return line.decode().strip()[:300]
