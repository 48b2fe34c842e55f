"""What a delivery costs and when it is promised."""

import math

from msgspec import Struct

from engine.geo.zone import Zone
from engine.kernel.ids import QuoteId, UserId, ZoneId
from engine.kernel.place import Point
from engine.kernel.timing import SECOND_MS, Instant

VAT_PERCENT = 15
QUOTE_VALID_MS = 15 * 60 * SECOND_MS


class Quote(Struct, frozen=True, kw_only=True):
    """A price and a promise, valid until `valid_until`; amounts in halalas, the total with VAT."""

    id: QuoteId
    customer_id: UserId
    zone_id: ZoneId
    zone_parameters_version: int
    shop: Point
    door: Point
    distance_m: int
    preparation_s: int
    fee_halalas: int
    vat_halalas: int
    total_halalas: int
    promised_at: Instant
    quoted_at: Instant
    valid_until: Instant


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
    shop: Point,
    door: Point,
    route_m: float,
    travel_s: int,
    preparation_s: int,
    now: Instant,
) -> Quote:
    """The price by the zone's tariff and the promise by its window.

    `route_m` and `travel_s` are the way from shop to door.
    """
    p = zone.parameters
    fee = p.fee_base_halalas + math.ceil(route_m / 1000) * p.fee_per_km_halalas
    vat = vat_on(fee)
    ready_s = preparation_s + p.prep_buffer_s
    minimum_s = ready_s + p.shop_service_s + travel_s + p.door_service_s
    promise_s = max(p.promised_s, minimum_s + p.promise_slack_s)
    return Quote(
        id=quote_id,
        customer_id=customer_id,
        zone_id=zone.id,
        zone_parameters_version=zone.parameters_version,
        shop=shop,
        door=door,
        distance_m=round(route_m),
        preparation_s=preparation_s,
        fee_halalas=fee,
        vat_halalas=vat,
        total_halalas=fee + vat,
        promised_at=now + promise_s * SECOND_MS,
        quoted_at=now,
        valid_until=now + QUOTE_VALID_MS,
    )
