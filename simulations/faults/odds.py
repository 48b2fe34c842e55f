"""How often things go wrong in one run, drawn from its seed."""

import math
import random
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from engine.kernel.timing import Instant

_RARE, _OFTEN = 0.0005, 0.03
_CALM_SHARE: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Odds:
    """Probabilities for one call, unless the name says otherwise.

    A call takes up to `delay_ms`, or, when it is `slow`, up to `slow_ms`. The network between edge
    and cell loses a call, loses its answer, or delivers the call once more later. The store
    refuses, loses the answer of a commit, or lets a commit land after it was given up. The stream
    refuses a cell, or its reader. A cell
    crashes while it awaits something; after `zombie` of the crashes the old one works on for a
    while beside the new one. An hour has so many outages of the store and of the stream; after
    `stream_forgets` of the latter the stream is empty. An effect fails, or its process dies.
    """

    call_lost: float = 0.0
    call_doubled: float = 0.0
    answer_lost: float = 0.0
    store_refuses: float = 0.0
    commit_answer_lost: float = 0.0
    commit_late: float = 0.0
    stream_refuses: float = 0.0
    reader_refused: float = 0.0
    stream_answer_lost: float = 0.0
    solver_fails: float = 0.0
    slow: float = 0.0
    crash: float = 0.0
    effect_fails: float = 0.0
    effect_crash: float = 0.0
    zombie: float = 0.0
    stream_forgets: float = 0.0
    store_outages_per_h: float = 0.0
    stream_outages_per_h: float = 0.0
    clock_jumps_per_h: float = 0.0
    delay_ms: int = 20
    slow_ms: int = 3_000
    outage_ms: int = 40_000
    skew_ms: int = 0
    jump_ms: int = 0

    @classmethod
    def drawn(cls, chance: random.Random) -> Self:
        """Half of all kinds of faults stay away in each run, so that each is also met alone.

        Source: swarm testing (Groce et al., 2012). The others' rates are drawn log-uniformly.
        """
        names = (*_PROBABILITIES, *_SHARES, *_PER_HOUR, *_SIZES)
        drawn = {name: chance.random() for name in names}
        present = {name: luck for name, luck in drawn.items() if chance.random() >= _CALM_SHARE}
        odds = cls(delay_ms=chance.choice((0, 5, 50, 400)))
        scaled: dict[str, Any] = {name: _scaled(name, luck) for name, luck in present.items()}
        return replace(odds, **scaled)


_SHARES: Final = {"zombie": 1.0, "stream_forgets": 1.0}
_PER_HOUR: Final = {
    "store_outages_per_h": 4.0,
    "stream_outages_per_h": 4.0,
    "clock_jumps_per_h": 4.0,
}
_SIZES: Final = {"skew_ms": 1_500, "jump_ms": 20_000}
_PROBABILITIES: Final = (
    "call_lost",
    "call_doubled",
    "answer_lost",
    "store_refuses",
    "commit_answer_lost",
    "commit_late",
    "stream_refuses",
    "reader_refused",
    "stream_answer_lost",
    "solver_fails",
    "slow",
    "crash",
    "effect_fails",
    "effect_crash",
)


def _scaled(name: str, luck: float) -> float:
    if name in _SIZES:
        return round(luck * _SIZES[name])
    if name in _PROBABILITIES:
        return math.exp(math.log(_RARE) + luck * (math.log(_OFTEN) - math.log(_RARE)))
    return luck * (_SHARES | _PER_HOUR)[name]


@dataclass(frozen=True, slots=True)
class Spell:
    """A time in which something is away, or a clock is off by `ms`."""

    since: Instant
    until: Instant
    ms: int = 0

    def holds(self, at: Instant) -> bool:
        """Whether it is on at an instant."""
        return self.since <= at < self.until


def spells(
    chance: random.Random, *, since: Instant, until: Instant, per_h: float, longest_ms: int
) -> tuple[Spell, ...]:
    """Spells that come at random, `per_h` in the mean, each up to so long."""
    found: list[Spell] = []
    at = float(since)
    while per_h > 0:
        at += chance.expovariate(per_h / 3_600_000)
        if at >= until:
            break
        end = min(until, int(at) + chance.randint(1, longest_ms))
        found.append(Spell(int(at), end, chance.choice((-1, 1))))
        at = end
    return tuple(found)
