"""Where couriers are: the newest fix of each, which is telemetry and not an event."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from actors.ages import Ages
from engine.couriers.fixes import Fix, FixFault, Track, follow
from engine.kernel.ids import CourierId
from engine.kernel.timing import Instant
from storage.store import TrailFix


class Telemetry:
    """Latest wins; what is not believed is dropped, and counted by its fault.

    A mocked fix is believed and counted: couriers have honest reasons, and operators look.
    """

    def __init__(self, trail_sample_ms: int) -> None:
        self._fixes: dict[CourierId, Fix] = {}
        self._doubted: dict[CourierId, Fix] = {}
        self._moved: dict[CourierId, None] = {}
        self._trail: list[TrailFix] = []
        self._sampled_at: dict[CourierId, Instant] = {}
        self._trail_sample_ms = trail_sample_ms
        self.ages = Ages()
        self.received = 0
        self.mocked = 0
        self.faults: Counter[FixFault] = Counter()

    @property
    def dropped(self) -> int:
        """How many fixes were not believed."""
        return self.faults.total()

    def report(
        self,
        fixes: Iterable[tuple[CourierId, Fix]],
        *,
        expected: Callable[[CourierId], bool],
        now: Instant,
    ) -> list[CourierId]:
        """Take the fixes of couriers who are expected, in the order in which they came.

        Who was not expected is told.
        """
        strangers: list[CourierId] = []
        for courier_id, fix in fixes:
            self.received += 1
            is_expected = expected(courier_id)
            if not is_expected:
                strangers.append(courier_id)
            fault = self._follow(courier_id, fix, now) if is_expected else FixFault.UNEXPECTED
            if fault is not None:
                self.faults[fault] += 1
                continue
            self.mocked += fix.is_mock
            self._moved[courier_id] = None
            if fix.at - self._sampled_at.get(courier_id, 0) >= self._trail_sample_ms:
                self._sampled_at[courier_id] = fix.at
                self._trail.append(
                    TrailFix(
                        courier_id=courier_id,
                        at=fix.at,
                        lat=fix.lat,
                        lng=fix.lng,
                        accuracy_m=fix.accuracy_m,
                    )
                )
        return strangers

    def _follow(self, courier_id: CourierId, fix: Fix, now: Instant) -> FixFault | None:
        last = self._fixes.get(courier_id)
        doubted = self._doubted.get(courier_id)
        known = None if last is None else Track(newest=last, doubted=doubted)
        track, fault = follow(known, fix, now=now)
        if track is not None and track.newest is not last:
            self._fixes[courier_id] = track.newest
        if track is None or track.doubted is None:
            self._doubted.pop(courier_id, None)
        else:
            self._doubted[courier_id] = track.doubted
        return fault

    def restore(self, fixes: Mapping[CourierId, Fix]) -> None:
        """Take remembered fixes where nothing newer is known."""
        for courier_id, fix in fixes.items():
            last = self._fixes.get(courier_id)
            if last is None or last.at < fix.at:
                self._fixes[courier_id] = fix

    def forget(self, courier_id: CourierId) -> None:
        """He is off duty: where he goes now is his own."""
        self._fixes.pop(courier_id, None)
        self._doubted.pop(courier_id, None)
        self._sampled_at.pop(courier_id, None)
        self._moved.pop(courier_id, None)

    def forget_all_but(self, expected: Callable[[CourierId], bool]) -> None:
        """Forget everybody who is not expected."""
        for courier_id in [one for one in self._fixes if not expected(one)]:
            self.forget(courier_id)

    def fixes(self) -> Mapping[CourierId, Fix]:
        """Everybody's newest fix, as it is whenever somebody looks."""
        return self._fixes

    def fix(self, courier_id: CourierId) -> Fix | None:
        """One courier's newest fix."""
        return self._fixes.get(courier_id)

    def take_moved(self) -> dict[CourierId, Fix]:
        """The fixes that are new since the last call."""
        moved, self._moved = self._moved, {}
        return {one: self._fixes[one] for one in moved}

    def take_trail(self) -> list[TrailFix]:
        """The sampled fixes since the last call."""
        trail, self._trail = self._trail, []
        return trail
