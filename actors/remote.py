"""Cells and solvers as another process sees them: every method is a call that may fail."""

from collections.abc import Awaitable
from typing import Protocol, TypeVar

from engine.kernel.ids import CourierId
from optimizer.routing.problem import RoutingPlan

T_co = TypeVar("T_co", covariant=True)


class Method(Protocol[T_co]):
    """A method of an actor, called from another process."""

    def remote(self, *arguments: object) -> Awaitable[T_co]:
        """Call it; raises what Ray raises."""
        ...


class CellActor(Protocol):
    """A `CellHost` from outside."""

    execute: Method[bytes]
    report_positions: Method[list[CourierId]]
    snapshots: Method[bytes]
    health: Method[str]
    pid: Method[int]


class SolverActor(Protocol):
    """A `SolverHost` from outside."""

    plan: Method[bytes]
    route: Method[RoutingPlan]
    pid: Method[int]
