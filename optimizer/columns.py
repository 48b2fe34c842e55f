"""Records of which a problem holds thousands, as columns: few of them are read one by one."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import repeat
from operator import attrgetter, le
from typing import Any, ClassVar, Generic, Self, TypeVar, overload

import numpy as np
from msgspec import Struct

from optimizer.arrays import NEVER, Ints, ints

T = TypeVar("T", bound=Struct)
Texts = tuple[Any, ...]


class Columns(Sequence[T], Generic[T]):
    """Records of one kind, which have an id; what they are is told by each subclass.

    kind: of what. texts: the fields kept as they are; the others are integers, and those of
    `limits` are `NEVER` where a record says None.
    """

    NEVER: ClassVar[int] = NEVER

    kind: ClassVar[type[Any]]
    texts: ClassVar[tuple[str, ...]]
    limits: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        texts: Mapping[str, Texts],
        numbers: Mapping[str, Ints],
        in_order: bool = False,  # noqa: FBT001, FBT002 - what is unpickled is told by place
    ) -> None:
        """in_order: it is known that they stand in the order of ids."""
        self._texts, self._numbers, self._in_order = dict(texts), dict(numbers), in_order
        self._told: dict[int, tuple[tuple[str, ...], Ints]] = {}

    @classmethod
    def of(cls, records: Sequence[T]) -> Self:
        """The same as columns."""
        if isinstance(records, cls):
            return records
        names = cls.kind.__struct_fields__
        read = {name: list(map(attrgetter(name), records)) for name in names}
        for name in cls.limits:
            read[name] = [NEVER if one is None else one for one in read[name]]
        return cls(
            {name: tuple(read[name]) for name in cls.texts},
            {name: ints(read[name]) for name in names if name not in cls.texts},
        )

    @property
    def ids(self) -> tuple[str, ...]:
        """Their ids."""
        return self._texts["id"]

    def text(self, field: str) -> Texts:
        """A field that is kept as it is."""
        return self._texts[field]

    def number(self, field: str) -> Ints:
        """A field of integers; not to be changed."""
        return self._numbers[field]

    @cached_property
    def at(self) -> Mapping[str, int]:
        """Where each is."""
        return dict(zip(self.ids, range(len(self)), strict=True))

    def places(self, ids: tuple[str, ...]) -> Ints:
        """Where these are, -1 = nowhere; not to be changed, for it is told again."""
        if ids == self.ids:
            return np.arange(len(self))
        # The key holds while the tuple is kept beside it.
        if id(ids) not in self._told:
            self._told[id(ids)] = ids, ints(list(map(self.at.get, ids, repeat(-1))))
        return self._told[id(ids)][1]

    @cached_property
    def rank(self) -> Ints:
        """The place of each in the order of ids."""
        rank = np.arange(len(self))
        if not self._is_sorted:
            rank[sorted(range(len(self)), key=self.ids.__getitem__)] = np.arange(len(self))
        return rank

    @cached_property
    def _is_sorted(self) -> bool:
        return self._in_order or all(map(le, self.ids, self.ids[1:]))

    def by_id(self) -> Self:
        """The same in the order of ids."""
        if self._is_sorted:
            return self
        at = np.argsort(self.rank).tolist()
        return type(self)(
            {name: tuple([column[i] for i in at]) for name, column in self._texts.items()},
            {name: column[at] for name, column in self._numbers.items()},
        )

    @overload
    def __getitem__(self, at: int) -> T: ...

    @overload
    def __getitem__(self, at: slice) -> tuple[T, ...]: ...

    def __getitem__(self, at: int | slice) -> T | tuple[T, ...]:
        if isinstance(at, slice):
            return tuple(self[one] for one in range(*at.indices(len(self))))
        told: dict[str, Any] = {name: column[at] for name, column in self._texts.items()}
        for name, column in self._numbers.items():
            number = int(column[at])
            told[name] = None if name in self.limits and number == NEVER else number
        record: T = self.kind(**told)
        return record

    def __len__(self) -> int:
        return len(self.ids)

    def __reduce__(
        self,
    ) -> tuple[type[Self], tuple[Mapping[str, Texts], Mapping[str, Ints], bool]]:
        return type(self), (self._texts, self._numbers, self._in_order)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]
