"""How the inner loops are compiled."""

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compile a function that makes no array, into those that call it; one that does is refused.

    Without the counting of references, which took four fifths of the time of the inner loops, and
    without calls, each of which would copy the descriptions of all arrays it passes on: they took
    two thirds of the rest.
    """
    options: dict[str, Any] = {"cache": True, "_nrt": False, "forceinline": True}
    lean: F = njit(**options)(function)
    return lean


def compiled_apart(function: F) -> F:
    """The same once for all who call it: for what is seldom done and would make them all larger."""
    options: dict[str, Any] = {"cache": True, "_nrt": False}
    lean: F = njit(**options)(function)
    return lean
