"""What a list can be filtered by: typed columns, what may be said of each, and what it means."""

from collections.abc import Callable
from enum import StrEnum
from operator import attrgetter, ge, gt, le, lt
from typing import Any, Final, assert_never

from msgspec import Struct

Value = int | str | tuple[str, ...]


class Kind(StrEnum):
    """What a column holds, and so how a value is written: instants are milliseconds."""

    INSTANT = "instant"
    NUMBER = "number"
    CHOICE = "choice"
    ID = "id"
    TEXT = "text"


class Operator(StrEnum):
    """How a column is compared: `IS` with a value, or with any of several for a choice."""

    IS = "is"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"


_ORDER: Final = {Operator.GT: gt, Operator.GTE: ge, Operator.LT: lt, Operator.LTE: le}
_IS: Final = (Operator.IS,)


class Column(Struct, frozen=True, kw_only=True, cache_hash=True):
    """One field of the rows of a list; `says` tells who asks what he gets.

    `path` leads to it in a row, when that is not its name. Of a choice with `is_single` one value
    is asked for at a time, and `default` when none is.
    """

    name: str
    kind: Kind
    says: str = ""
    path: str = ""
    choices: tuple[str, ...] = ()
    is_single: bool = False
    default: str = ""

    @property
    def operators(self) -> tuple[Operator, ...]:
        """What may be said of it."""
        return tuple(_ORDER) if self.kind in {Kind.INSTANT, Kind.NUMBER} else _IS

    @property
    def value_of(self) -> Callable[[Any], Any]:
        """Its value in a row."""
        return attrgetter(self.path or self.name)


class Condition(Struct, frozen=True, array_like=True):
    """That a column compares so with a value; several values are any of them."""

    column: str
    operator: Operator
    value: Value

    def holds(self, found: Any) -> bool:  # noqa: ANN401 - what a column holds
        """Whether it is true of what was found in a row; of nothing nothing is true."""
        if found is None:
            return False
        match self.operator:
            case Operator.IS:
                return found in self.value if isinstance(self.value, tuple) else found == self.value
            case Operator.GT | Operator.GTE | Operator.LT | Operator.LTE:
                return bool(_ORDER[self.operator](found, self.value))
        assert_never(self.operator)
