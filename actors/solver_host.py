"""The process around the optimizer: bytes in, bytes out."""

import os
from typing import Literal

from actors.dying import die
from actors.garbage import collect_seldom
from actors.packing import pack, unpack
from actors.solver import real_stopwatch
from optimizer.routing.problem import RoutingPlan, RoutingProblem

Search = Literal["tick", "routing"]


class SolverHost:
    """An actor that plans; of the searches it has one ready when it has started."""

    def __init__(self, search: Search) -> None:
        collect_seldom()
        # It takes seconds to import, and a cell that has to serve again need not wait for it.
        from actors import solving  # noqa: PLC0415
        from optimizer.compiling import SEARCHES  # noqa: PLC0415

        self._solving = solving
        # What is compiled is loaded by its first use, which would take the first plan's time.
        SEARCHES[search]()

    def plan(self, problem: bytes) -> bytes:
        """A verified plan; one that breaks a rule ends the process."""
        try:
            return pack(self._solving.checked_plan(unpack(problem), real_stopwatch()))
        except Exception:  # noqa: BLE001 - whatever it is, it is a bug of ours, and ends this process
            die()

    def route(self, problem: RoutingProblem) -> RoutingPlan:
        """Verified routes; ones that break a rule end the process."""
        try:
            return self._solving.checked_routes(problem, real_stopwatch())
        except Exception:  # noqa: BLE001 - whatever it is, it is a bug of ours, and ends this process
            die()

    def health(self) -> str:
        """Who answers is well."""
        return "ok"

    def pid(self) -> int:
        """The process, for those who want to see it die."""
        return os.getpid()

    def retire(self) -> None:
        """End this process, so that Ray starts it anew."""
        os._exit(1)
