"""The same day in another town at the same time, by people of a process of their own."""

import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from simulations.chaos.audit import Audit
from simulations.replay import run_live
from simulations.score import Score
from simulations.witness import Chronicle
from storage.settings import DatabaseSettings

# Real time after the last shift in which an unharmed day would long be over.
_SPARE_S: Final = 240.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Where the running system is reached, and the database that is looked into afterwards."""

    url: str
    sms_log: Path
    operator_phone: str
    database: DatabaseSettings

    def live(self, folder: Path, *, speed: float, out: Path, audit: Audit) -> Score:
        """A recorded day in a town of its own; `out` gets its `solution.json`."""
        return run_live(
            folder,
            url=self.url,
            sms_log=self.sms_log,
            operator_phone=self.operator_phone,
            speed=speed,
            out=out / "solution.json",
            audit=audit,
            spare_s=_SPARE_S,
        )


class Elsewhere:
    """Begins at once; `violations` waits for its end."""

    def __init__(self, folder: Path, *, service: Service, speed: float, out: Path) -> None:
        self._name = out.name
        self._pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
        self._living = self._pool.submit(_live, folder, service, speed, out)

    def violations(self) -> list[str]:
        """What did not hold there."""
        try:
            return [f"{self._name}: {one}" for one in self._living.result()]
        except Exception as error:  # noqa: BLE001 - whatever it is, the other towns are told of
            return [f"{self._name} did not come to its end: {error!r}"]
        finally:
            self._pool.shutdown()


def _live(folder: Path, service: Service, speed: float, out: Path) -> list[str]:
    """Only the first town tells how far it is: there is one terminal."""
    out.mkdir(parents=True, exist_ok=True)
    chronicle = Chronicle(out / "told.jsonl")
    with Path(os.devnull).open("w") as nowhere:
        sys.stdout = nowhere
        try:
            audit = Audit(chronicle, service.database)
            found = service.live(folder, speed=speed, out=out, audit=audit)
        finally:
            chronicle.close()
            sys.stdout = sys.__stdout__
    return [*found.violations, *found.faults]
