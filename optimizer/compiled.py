"""How the inner loops are compiled."""

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compile a function that makes no array; one that does is refused.

    Without the counting of references, which took four fifths of the time of the inner loops.
    """
    options: dict[str, Any] = {"cache": True, "_nrt": False}
    lean: F = njit(**options)(function)
    return lean
