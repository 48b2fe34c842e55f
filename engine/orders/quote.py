"""What a delivery costs and when it is promised."""

import math

from msgspec import Struct

from engine.geo.zone import Zone
from engine.kernel.ids import QuoteId, UserId, ZoneId
from engine.kernel.place import Point
from engine.kernel.timing import SECOND_MS, Instant
from engine.orders.surge import Pressure, Surge, surge

VAT_PERCENT = 15
QUOTE_VALID_MS = 15 * 60 * SECOND_MS


class Quote(Struct, frozen=True, kw_only=True):
    """A price and a promise, valid until `valid_until`; amounts in halalas, the total with VAT.

    All that they are made from is kept: the version of the zone's parameters, the way, and the
    surge; None when the zone could not be asked how hard it is pressed.
    """

    id: QuoteId
    customer_id: UserId
    zone_id: ZoneId
    zone_parameters_version: int
    shop: Point
    door: Point
    distance_m: int
    preparation_s: int
    surge: Surge | None = None
    fee_halalas: int
    vat_halalas: int
    total_halalas: int
    promised_at: Instant
    quoted_at: Instant
    valid_until: Instant


class Way(Struct, frozen=True, kw_only=True):
    """From shop to door: metres of road and seconds of travel."""

    shop: Point
    door: Point
    route_m: float
    travel_s: int


def vat_on(net_halalas: int) -> int:
    """VAT on a net amount, half a halala rounded up."""
    return (net_halalas * VAT_PERCENT * 2 + 100) // 200


def fee_in(total_halalas: int) -> int:
    """The fee without VAT in a total that `quote` has made."""
    whole = 100 + VAT_PERCENT
    return (total_halalas * 200 + whole) // (2 * whole)


def quote(
    zone: Zone,
    *,
    quote_id: QuoteId,
    customer_id: UserId,
    way: Way,
    preparation_s: int,
    pressure: Pressure | None = None,
    now: Instant,
) -> Quote:
    """The price by the zone's tariff and surge, and the promise by its window."""
    p = zone.parameters
    raised = None if pressure is None else surge(pressure, p)
    tariff = p.fee_base_halalas + math.ceil(way.route_m / 1000) * p.fee_per_km_halalas
    fee = tariff if raised is None else (tariff * raised.fee_percent + 50) // 100
    vat = vat_on(fee)
    ready_s = preparation_s + p.prep_buffer_s
    minimum_s = ready_s + p.shop_service_s + way.travel_s + p.door_service_s
    promise_s = max(p.promised_s, minimum_s + p.promise_slack_s)
    return Quote(
        id=quote_id,
        customer_id=customer_id,
        zone_id=zone.id,
        zone_parameters_version=zone.parameters_version,
        shop=way.shop,
        door=way.door,
        distance_m=round(way.route_m),
        preparation_s=preparation_s,
        surge=raised,
        fee_halalas=fee,
        vat_halalas=vat,
        total_halalas=fee + vat,
        promised_at=now + promise_s * SECOND_MS,
        quoted_at=now,
        valid_until=now + QUOTE_VALID_MS,
    )
