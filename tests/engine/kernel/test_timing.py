"""What must hold of durations."""

import pytest

from engine.kernel.timing import HOUR_MS, MINUTE_MS, SECOND_MS, seconds_between
from tests.builders import NOON


def test_an_hour_is_sixty_minutes_of_sixty_seconds() -> None:
    assert HOUR_MS == 60 * MINUTE_MS == 3600 * SECOND_MS == 3_600_000


@pytest.mark.parametrize(
    ("ms", "seconds"), [(0, 0), (999, 0), (1000, 1), (1999, 1), (-1, -1), (-1000, -1), (-1001, -2)]
)
def test_seconds_are_rounded_down_also_before_the_start(ms: int, seconds: int) -> None:
    assert seconds_between(NOON, NOON + ms) == seconds
