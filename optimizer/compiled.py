"""How the inner loops are compiled."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

from numba import njit, types
from numba.core.dispatcher import Dispatcher

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
    lean: F = _in_one_form(njit(**_INNER, forceinline=True)(function))
    return lean


def compiled_apart(function: F) -> F:
    """The same once for all who call it: for what is seldom done and would make them all larger."""
    lean: F = _in_one_form(njit(**_INNER)(function))
    return lean


def compiled_entry(function: F) -> F:
    """The same for what Python calls."""
    lean: F = _in_one_form(njit(**_LEAN, forceinline=True)(function))
    return lean


def _in_one_form(made: Any) -> Any:  # noqa: ANN401 - numba tells no types
    """Have a function called with 64 bits for each whole number, however short or known it is.

    There would be a form for each combination of them, ten of some, all of which do the same.
    """
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
