"""What passes between cells and edges, and need not be kept: the port of the live stream."""

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any, Final, Protocol

from msgspec import Meta, Struct

from engine.couriers.fixes import Fix
from engine.kernel.ids import CellId, CourierId
from engine.kernel.timing import Instant

__all__ = [
    "ASK_ANEW",
    "EDGE",
    "Batch",
    "Bookmark",
    "Fix",
    "LiveStream",
    "LiveTraces",
    "LiveUnavailable",
    "Publication",
]

# The kind of a publication that tells nothing but that the channel's snapshot is another now.
ASK_ANEW: Final = "ask_anew"
# What edges tell each other comes in batches of this name, which follow no sequence.
EDGE: Final = CellId("edge")


class Bookmark(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Up to where somebody has read a channel.

    Within an `epoch` each state that is told has the `offset` after that of the one before it, or a
    later one where something may have been told elsewhere in between; a new epoch says nothing
    about what came between.
    """

    epoch: Annotated[str, Meta(max_length=80)]
    offset: Annotated[int, Meta(ge=0, le=2**53)]

    def reaches(self, told: "Bookmark") -> bool:
        """Whether who has read up to here has what is told; of another epoch nobody knows."""
        return self.epoch == told.epoch and self.offset >= told.offset


class Publication(Struct, frozen=True, kw_only=True, array_like=True):
    """A frame for the watchers of a channel.

    Channels are `order:<id>`, `orders:<customer id>`, `courier:<id>` and `zone:<id>`. `version` is
    the thing's version: a watcher who has seen a newer one drops it; 0 means that only the newest
    matters (positions), and such a one has no bookmark.
    """

    channel: str
    kind: str
    version: int
    body: dict[str, Any]
    bookmark: Bookmark | None = None


class Batch(Struct, frozen=True, kw_only=True, array_like=True):
    """What a cell published at once.

    A gap in `sequence`, or a new `incarnation`, tells a reader that he missed something and must
    ask for snapshots.
    """

    cell: CellId
    incarnation: str
    sequence: int
    at: Instant
    publications: tuple[Publication, ...]


class LiveUnavailable(Exception):
    """The stream cannot be reached; nothing is wrong with the truth, ask the cells instead."""


class LiveStream(Protocol):
    """Cells write batches, edges read them; last positions ride along."""

    @property
    def gap_ms(self) -> float:
        """How long a cell waits after a batch before the next: each costs, whatever it holds."""
        ...

    async def publish(self, batch: Batch) -> None:
        """Append a batch; raises LiveUnavailable."""
        ...

    async def tail(self) -> str:
        """The position after which `read` sees only what is new; raises LiveUnavailable."""
        ...

    async def head(self) -> str:
        """The oldest position after which `read` can still read; raises LiveUnavailable."""
        ...

    async def read(self, after: str, *, wait_ms: int) -> tuple[str, Sequence[Batch]]:
        """Batches after a position, waiting up to `wait_ms` for the first; where to go on from.

        Raises LiveUnavailable when the stream is away, or was lost since `after`.
        """
        ...

    async def save_fixes(self, cell: CellId, fixes: Mapping[CourierId, Fix]) -> None:
        """Remember last positions; raises LiveUnavailable."""
        ...

    async def load_fixes(self, cell: CellId) -> dict[CourierId, Fix]:
        """The last positions known; raises LiveUnavailable."""
        ...


class LiveTraces(Protocol):
    """What passed by and is still there for a while."""

    async def forget(self, ids: Collection[str]) -> None:
        """Let go whatever names one of these things or people; raises LiveUnavailable.

        A stream with such a batch goes whole, and its readers ask for snapshots.
        """
        ...
