"""How the inner loops are compiled."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from numba import njit, types
from numba.core.dispatcher import Dispatcher

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compile a function that makes no array, into those that call it; one that does is refused.

    Without calls, each of which would copy the descriptions of all arrays it passes on: they took
    two thirds of what the counting of references had left. Without a way in from Python, which
    would hold another copy of the function and of all that it calls: such a call ends the process.
    """
    return _lean(function, forceinline=True, no_cpython_wrapper=True)


def compiled_apart(function: F) -> F:
    """The same once for all who call it: for what is seldom done and would make them all larger."""
    return _lean(function, no_cpython_wrapper=True)


def compiled_entry(function: F) -> F:
    """The same as `compiled`, for what Python calls."""
    return _lean(function, forceinline=True)


def _lean(function: F, **options: bool) -> F:
    """Without the counting of references, which took four fifths of the time of the inner loops.

    Each whole number is handed over with 64 bits, however short or known it is: there would be a
    form of the function for each combination of them, ten of some, all of which do the same.
    """
    lean: dict[str, Any] = {"cache": True, "_nrt": False, "no_cfunc_wrapper": True, **options}
    made: F = njit(**lean)(function)
    if isinstance(made, Dispatcher):
        template_of = made.get_call_template

        def template_of_wide(args: Iterable[Any], named: Mapping[str, Any]) -> Any:  # noqa: ANN401
            wide = {name: _wide(one) for name, one in named.items()}
            return template_of(tuple(map(_wide, args)), wide)

        made.get_call_template = template_of_wide  # type: ignore[assignment, method-assign]
    return made


def _wide(kind: types.Type) -> types.Type:
    is_known = isinstance(kind, types.IntegerLiteral)
    return types.int64 if is_known or kind in types.signed_domain else kind
