"""A zone passes from one cell to another while it is served, with all that lives in it."""

from msgspec.structs import replace

from engine.geo.zone import Zone
from engine.kernel.ids import CellId, EffectId, UserId, ZoneId, derived_id
from engine.kernel.messages import Change, Command, Decision, Event
from engine.kernel.ownership import TellOwner
from engine.kernel.timing import Instant


class MoveZone(Command, frozen=True, kw_only=True, tag=True):
    """Let another cell run a zone: one of its own, named after it, or that of its anchor."""

    zone_id: ZoneId
    cell: CellId
    author: UserId


class TakeOverZone(Command, frozen=True, kw_only=True, tag=True):
    """The zone is yours now; said by its former cell, `before`."""

    zone_id: ZoneId
    before: CellId | None = None


class ZoneMoved(Event, frozen=True, kw_only=True, tag=True):
    """Another cell runs the zone."""

    cell: CellId
    before: CellId
    author: UserId


def own_cell(zone_id: ZoneId) -> CellId:
    """The cell that runs this zone and no other."""
    return CellId(zone_id)


def move(zone: Zone, command: MoveZone, *, before: CellId, now: Instant) -> Decision:
    """All that lives in a zone lives where the zone does, so only the zone changes."""
    reply = {"zone_id": zone.id, "cell": command.cell, "before": before}
    if command.cell == before:
        return Decision(reply={**reply, "repeated": True})
    event = ZoneMoved(at=now, cell=command.cell, before=before, author=command.author)
    moved = replace(zone, version=zone.version + 1, home=command.cell)
    effect = TellOwner(
        id=EffectId(derived_id("zone moved", zone.id, str(moved.version))),
        thing=f"zone:{zone.id}",
        before=before,
    )
    return Decision(changes=(Change(moved, (event,)),), effects=(effect,), reply=reply)
