"""A quote for a way within our zones."""

from typing import Any, Final

from actors.chance import new_id
from api.errors import Refused
from api.order_answers import SplitShown
from api.parts import Parts
from api.quoted_zones import QuotedZones
from api.zones_of import zone_of
from engine.geo.travel import Points, VehicleKind, travel_times
from engine.geo.zone import OUTSIDE_ZONES, Zone
from engine.kernel.ids import QuoteId, UserId
from engine.kernel.place import Point
from engine.kernel.timing import Instant
from engine.orders.changing import preparation_left_s
from engine.orders.messages import BAD_WINDOW
from engine.orders.order import Order, Window, is_ahead
from engine.orders.quote import Quote, Way, Wishes, quote
from engine.orders.surge import NO_SURGE_PERCENT
from engine.pricing.lines import LineAmounts


async def make_quote_for(
    parts: Parts,
    zones: QuotedZones,
    *,
    customer_id: UserId,
    shop: Point,
    door: Point,
    preparation_s: int,
    wishes: Wishes,
) -> Quote:
    """By the tariff of the shop's zone, not kept yet.

    Raises `Refused` outside all zones, and for a window in the past.
    """
    zone = await _zone_for(parts, zones, shop, door)
    now = parts.clock.now()
    if wishes.window is not None and not is_ahead(wishes.window, now):
        raise Refused(BAD_WINDOW())
    return quote(
        zone,
        quote_id=QuoteId(new_id(parts.clock, parts.chance)),
        customer_id=customer_id,
        way=_way(zone, shop, door, now),
        preparation_s=preparation_s,
        wishes=wishes,
        pressure=await parts.bus.pressure(zone),
        punctuality=await zones.punctuality(zone.id),
        now=now,
    )


async def make_quote_again(
    parts: Parts,
    zones: QuotedZones,
    order: Order,
    former: Quote,
    *,
    door: Point,
    window: Window | None,
) -> Quote:
    """For another door or window of an order that was placed, not kept yet.

    What was not pressed when it was ordered is not dearer now. Raises `Refused` as above.
    """
    zone = await _zone_for(parts, zones, order.shop.point, door)
    now = parts.clock.now()
    if window is not None and window != order.window and not is_ahead(window, now):
        raise Refused(BAD_WINDOW())
    return quote(
        zone,
        quote_id=QuoteId(new_id(parts.clock, parts.chance)),
        customer_id=order.customer_id,
        way=_way(zone, order.shop.point, door, now),
        preparation_s=preparation_left_s(order, former, now=now),
        wishes=Wishes(goods=former.goods, vehicles=former.vehicles, window=window),
        pressure=former.surge.pressure if former.surge else None,
        punctuality=await zones.punctuality(zone.id),
        now=now,
    )


async def _zone_for(parts: Parts, zones: QuotedZones, shop: Point, door: Point) -> Zone:
    zone_id = await zone_of(parts.store, shop)
    if zone_id is None:
        raise Refused(OUTSIDE_ZONES(place="shop"))
    if await zone_of(parts.store, door) is None:
        raise Refused(OUTSIDE_ZONES(place="door"))
    zone = await zones.zone(zone_id)
    assert zone is not None, "a zone's cells are stored with it"
    return zone


def _way(zone: Zone, shop: Point, door: Point, now: Instant) -> Way:
    ways = travel_times(zone.parameters.travel)
    ends = Points.of([shop]), Points.of([door])
    travel_s = ways.seconds(*ends, vehicle=VehicleKind.CAR, at=now)
    return Way(
        shop=shop,
        door=door,
        route_m=float(ways.metres(*ends)[0]),
        travel_s=int(travel_s[0]),
    )


def quote_shown(made: Quote, split: SplitShown | None = None) -> dict[str, Any]:
    """A quote as its customer sees it; `split` says what his wallet could pay of it."""
    told = {name: getattr(made, name) for name in _QUOTED}
    return {
        "quote_id": made.id,
        **told,
        "lines": [_line(one) for one in made.lines],
        "surge_percent": NO_SURGE_PERCENT if made.surge is None else made.surge.fee_percent,
        "split": None if split is None else split.model_dump(),
    }


def _line(one: LineAmounts) -> dict[str, Any]:
    return {
        "name": one.line.name,
        "quantity": one.line.quantity,
        "net_halalas": one.net_halalas,
        "vat_halalas": one.vat_halalas,
        "gross_halalas": one.gross_halalas,
    }


_QUOTED: Final = (
    "zone_id",
    "distance_m",
    "fee_halalas",
    "vat_halalas",
    "rounding_halalas",
    "total_halalas",
    "expected_at",
    "likely_by",
    "promised_at",
    "valid_until",
)
