"""Things that pass from one cell to another: who owns them now is told at least once."""

from engine.kernel.ids import CellId
from engine.kernel.messages import Effect


class TellOwner(Effect, frozen=True, kw_only=True, tag=True):
    """The cell that owns `thing` (`courier:id` or `zone:id`) now is to take it in.

    `before` is the cell that owned it until then.
    """

    thing: str
    before: CellId | None = None
