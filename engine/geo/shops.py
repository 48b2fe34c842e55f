"""The shops that a zone knows: gifts are fetched there, though nobody has ordered one yet."""

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from engine.geo.cells import cell_at, resolution_of
from engine.geo.zone import Zone
from engine.kernel.ids import CellId, UserId, ZoneId
from engine.kernel.messages import Change, Command, Decision, Event
from engine.kernel.place import Point, each_once
from engine.kernel.refusals import Refusal, RefusalKind, declare
from engine.kernel.timing import Instant

ZONE_SHOPS_MAX: Final = 1_000
_TOLD_MAX: Final = 10


class ChangeZoneShops(Command, frozen=True, kw_only=True, tag=True):
    """A zone is to know these shops, and no others."""

    zone_id: ZoneId
    shops: tuple[Point, ...]
    author: UserId


class ZoneShopsChanged(Event, frozen=True, kw_only=True, tag=True):
    """A zone knows so many shops now."""

    count: int
    author: UserId


SHOPS_OUTSIDE = declare(
    "shops_outside_zone",
    RefusalKind.INVALID,
    en="Some of these shops lie outside the zone. Leave them out, or tell the zone that has them.",
    ar="بعض هذه المتاجر خارج المنطقة. احذفها أو أضفها إلى المنطقة التي تقع فيها.",
)


def change_shops(zone: Zone, command: ChangeZoneShops, *, now: Instant) -> Decision | Refusal:
    """The list anew, each place once; refused if one lies outside the zone."""
    outside = _outside(command.shops, zone.cells)
    if outside:
        return SHOPS_OUTSIDE(shops=outside[:_TOLD_MAX], count=len(outside))
    shops = tuple(each_once(command.shops))
    reply = {"zone_id": zone.id, "shops": len(shops), "before": len(zone.shops)}
    if shops == zone.shops:
        return Decision(reply=reply)
    event = ZoneShopsChanged(at=now, count=len(shops), author=command.author)
    changed = replace(zone, version=zone.version + 1, shops=shops)
    return Decision(changes=(Change(changed, (event,)),), reply=reply)


def _outside(shops: Iterable[Point], cells: tuple[CellId, ...]) -> list[str]:
    """Which of them, by their places."""
    covered, resolution = frozenset(cells), resolution_of(cells[0])
    outside = (one for one in shops if cell_at(one, resolution) not in covered)
    return [f"{one.lat}, {one.lng}" for one in outside]
