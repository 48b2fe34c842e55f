"""Does harm to the running system at random moments, and watches how long service is away."""

import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from simulations.chaos.harm import Harm
from storage.servers.patience import Stopwatch

_LOOK_EVERY_S: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Harmed:
    """A harm that was done: when, and for how many seconds service was not whole."""

    kind: str
    at_s: float
    away_s: float


class Injector(threading.Thread):
    """Every kind once in a random order, then again, until `stop` or `rounds` rounds are done.

    `is_well` asks the system from outside. What is not well again within `patience_s` is in
    `violations`, and ends it; well is what was so for `well_for_s`. `between_s` are the least and
    the most seconds of peace, which begin when `may_harm` says so.
    """

    def __init__(
        self,
        kinds: Mapping[str, Harm],
        *,
        chance: random.Random,
        is_well: Callable[[], bool],
        on_harm: Callable[[Harmed], None],
        may_harm: Callable[[], bool] = lambda: True,
        between_s: tuple[float, float] = (4.0, 12.0),
        patience_s: float = 90.0,
        well_for_s: float = 3.0,
        rounds: int | None = None,
    ) -> None:
        super().__init__(daemon=True, name="chaos")
        self._kinds, self._chance = kinds, chance
        self._is_well, self._on_harm = is_well, on_harm
        self._may_harm = may_harm
        self._between_s, self._patience_s = between_s, patience_s
        self._well_for_s = well_for_s
        self._rounds = rounds
        self._stopping = threading.Event()
        self.harmed: list[Harmed] = []
        self.violations: list[str] = []

    def stop(self, *, patience_s: float) -> None:
        """Let the harm that is being done end, and do no more."""
        self._stopping.set()
        self.join(patience_s)

    def run(self) -> None:
        watch, done = Stopwatch(), 0
        while self._rounds is None or done < self._rounds:
            names = list(self._kinds)
            self._chance.shuffle(names)
            for name in names:
                if not self._has_peace():
                    return
                if not self._do(name, watch.elapsed_s):
                    return
            done += 1

    def _has_peace(self) -> bool:
        """Wait for the next harm; whether there is to be one."""
        while not self._may_harm():
            if self._stopping.wait(_LOOK_EVERY_S):
                return False
        return not self._stopping.wait(self._chance.uniform(*self._between_s))

    def _do(self, name: str, at_s: float) -> bool:
        watch = Stopwatch()
        watching = _Watch(self._is_well)
        watching.start()
        try:
            self._kinds[name](_sleep)
        except Exception as error:  # noqa: BLE001 - whatever went wrong is told with the rest
            self.violations.append(f"{name} could not be done: {error!r}")
        is_well = self._is_well_in_time(watching, watch)
        watching.end()
        harmed = Harmed(kind=name, at_s=at_s, away_s=watching.away_s)
        self.harmed.append(harmed)
        self._on_harm(harmed)
        if not is_well:
            self.violations.append(f"{name}: not well again within {self._patience_s:.0f} s")
            return False
        return True

    def _is_well_in_time(self, watching: "_Watch", watch: Stopwatch) -> bool:
        while watching.well_for_s < self._well_for_s:
            if watch.elapsed_s > self._patience_s:
                return False
            _sleep(_LOOK_EVERY_S)
        return True


def _sleep(seconds: float) -> None:
    threading.Event().wait(seconds)


class _Watch(threading.Thread):
    """Asks again and again whether all is well, also while the harm is being done."""

    def __init__(self, is_well: Callable[[], bool]) -> None:
        super().__init__(daemon=True)
        self._is_well = is_well
        self._ended = threading.Event()
        self._watch = Stopwatch()
        self.away_s = 0.0
        self._began_well_s: float | None = None

    @property
    def well_for_s(self) -> float:
        began = self._began_well_s
        return 0.0 if began is None else self._watch.elapsed_s - began

    def run(self) -> None:
        while not self._ended.wait(_LOOK_EVERY_S):
            asked_s = self._watch.elapsed_s
            if self._is_well():
                if self._began_well_s is None:
                    self._began_well_s = asked_s
            else:
                self._began_well_s = None
                self.away_s = self._watch.elapsed_s

    def end(self) -> None:
        self._ended.set()
        self.join()
