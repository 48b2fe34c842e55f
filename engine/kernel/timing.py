"""Instants and durations: whole milliseconds, an instant counted from the Unix epoch in UTC."""

Instant = int

SECOND_MS = 1_000
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000


def seconds_between(start: Instant, end: Instant) -> int:
    """Whole seconds from `start` to `end`, rounded down; negative when `end` is earlier."""
    return (end - start) // SECOND_MS
