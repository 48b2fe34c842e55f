"""How the inner loops are compiled."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])
# Without the counting of references, which took four fifths of the time of the inner loops.
_LEAN: Final[dict[str, Any]] = {"cache": True, "_nrt": False, "no_cfunc_wrapper": True}
# The way in from Python would hold another copy of the function and of all that it calls.
_INNER: Final[dict[str, Any]] = {**_LEAN, "no_cpython_wrapper": True}


def compiled(function: F) -> F:
    """Compile a function that makes no array, into those that call it; one that does is refused.

    Without calls, each of which would copy the descriptions of all arrays it passes on: they took
    two thirds of the time. Python cannot call it: the process would end.
    """
    lean: F = njit(**_INNER, forceinline=True)(function)
    return lean


def compiled_apart(function: F) -> F:
    """The same once for all who call it: for what is seldom done and would make them all larger."""
    lean: F = njit(**_INNER)(function)
    return lean


def compiled_entry(function: F) -> F:
    """The same for what Python calls."""
    lean: F = njit(**_LEAN, forceinline=True)(function)
    return lean
