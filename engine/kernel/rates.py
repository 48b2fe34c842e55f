"""How often something may happen: the generic cell rate algorithm (ITU-T I.371)."""

from msgspec import Struct

SECOND_US = 1_000_000


class Quota(Struct, frozen=True, kw_only=True):
    """`units` may be spent at once, and grow back evenly within `window_s` seconds."""

    name: str
    units: int
    window_s: int = 60

    @property
    def interval_us(self) -> int:
        """How long one unit takes to grow back."""
        return max(1, self.window_s * SECOND_US // self.units)


class Standing(Struct, frozen=True, kw_only=True):
    """What is left after a charge; what was not allowed was not charged."""

    is_allowed: bool
    remaining: int
    full_in_us: int
    retry_in_us: int = 0


def charge(full_at_us: int, quota: Quota, units: int, *, now_us: int) -> tuple[int, Standing]:
    """When it will be full again after this charge, and how it stands then.

    What costs more than there can ever be is never allowed.
    """
    interval, room = quota.interval_us, quota.units * quota.interval_us
    begun = max(full_at_us, now_us)
    after = begun + units * interval
    over = after - now_us - room
    if over > 0:
        left = room - (begun - now_us)
        standing = Standing(
            is_allowed=False,
            remaining=max(0, left // interval),
            full_in_us=begun - now_us,
            retry_in_us=over,
        )
        return full_at_us, standing
    return after, Standing(is_allowed=True, remaining=-over // interval, full_in_us=after - now_us)
