"""Differences of pairs and how sure they are: Student's interval for a mean, nothing else.

Both sides of a pair saw the same day and the same luck, so what the days have in common cancels out
and only the differences count. Student's t (1908, Biometrika 6) is exact for normal differences and
near enough for the mean of many orders' times; a bootstrap of five days is too narrow.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_PAIRS_NEEDED_MAX: Final = 10_000
_ROUNDING: Final = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The mean of some differences; `low` and `high` hold the true mean in `level` of all cases.

    `pairs_needed` is how many pairs would show this mean if it and its scatter stay as they are;
    None when it is shown already, or no number of pairs would do. Without an interval (one pair, or
    pairs that differ by exactly the same, whose scatter nobody knows) `low` and `high` are infinite
    and nothing is shown.
    """

    pairs: int
    mean: float
    low: float
    high: float
    level: float
    pairs_needed: int | None

    @property
    def is_shown(self) -> bool:
        """Whether zero lies outside the interval."""
        return self.low > 0 or self.high < 0

    @property
    def has_interval(self) -> bool:
        """Whether the scatter could be estimated."""
        return math.isfinite(self.low)


def estimate(differences: Sequence[float], *, level: float = 0.95) -> Estimate:
    """The mean of at least one difference with its interval; `level` is between 0 and 1."""
    assert differences, "no pairs"
    assert 0 < level < 1, level
    pairs = len(differences)
    mean = math.fsum(differences) / pairs
    deviation = _deviation(differences, mean)
    if deviation > 0:
        half = _t(pairs, level) * deviation / math.sqrt(pairs)
    else:
        half = 0.0 if mean == 0 and pairs > 1 else math.inf
    return Estimate(
        pairs=pairs,
        mean=mean,
        low=mean - half,
        high=mean + half,
        level=level,
        pairs_needed=_pairs_needed(pairs, mean, deviation, level) if half >= abs(mean) else None,
    )


def one_of_many(level: float, many: int) -> float:
    """The level of each of so many intervals that all hold together at `level` (Bonferroni)."""
    return 1 - (1 - level) / max(1, many)


def _t(pairs: int, level: float) -> float:
    """The quantile of Student's distribution that leaves `1 - level` on both sides together."""
    from scipy.special import stdtrit  # noqa: PLC0415 - slow to load, and the edge needs no figure

    return float(stdtrit(pairs - 1, (1 + level) / 2))


def _deviation(differences: Sequence[float], mean: float) -> float:
    if len(differences) < 2:
        return 0.0
    squares = math.fsum((one - mean) ** 2 for one in differences)
    deviation = math.sqrt(squares / (len(differences) - 1))
    # Rounding leaves a trace of scatter where there is none.
    return deviation if deviation > _ROUNDING * abs(mean) else 0.0


def _pairs_needed(pairs: int, mean: float, deviation: float, level: float) -> int | None:
    if mean == 0 or deviation == 0:
        return None

    def shows(count: int) -> bool:
        return _t(count, level) * deviation / math.sqrt(count) < abs(mean)

    low, high = pairs, _PAIRS_NEEDED_MAX
    if not shows(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if shows(middle) else (middle, high)
    return high
