"""A leg of a simulated courier's day: the way to a stop, and his time there."""

from dataclasses import dataclass, replace

from engine.kernel.place import Point
from engine.kernel.timing import MINUTE_MS, Instant
from simulations.diary import Visit
from simulations.views import StopShown

_SECOND_TRY_MS = 5 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class Leg:
    """A stop and its times; `told_at` is when he first learned of it."""

    stop: StopShown
    told_at: Instant
    left_at: Instant
    arrived_at: Instant
    handed_over_at: Instant
    free_at: Instant

    def tried_again(self) -> "Leg":
        """With a while at a door that nobody has opened."""
        return replace(
            self,
            handed_over_at=self.handed_over_at + _SECOND_TRY_MS,
            free_at=self.free_at + _SECOND_TRY_MS,
        )

    def visit(self, kind: str, keys: tuple[str, ...], *, told_at: tuple[Instant, ...]) -> Visit:
        """What his diary says of it."""
        return Visit(
            kind=kind,
            keys=keys,
            point=self.stop.point,
            left_at=self.left_at,
            arrived_at=self.arrived_at,
            handed_over_at=self.handed_over_at,
            free_at=self.free_at,
            told_at=told_at,
        )


def between(a: Point, b: Point, way: float) -> Point:
    """The place after a share of the straight way, from 0 to 1."""
    return Point(lat=a.lat + (b.lat - a.lat) * way, lng=a.lng + (b.lng - a.lng) * way)
