"""What a gift and its delivery cost, and when it is promised."""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from engine.geo.parameters import ZoneParameters
from engine.geo.travel import VehicleKind
from engine.geo.zone import Zone
from engine.kernel.ids import OrderId, QuoteId, UserId, ZoneId, derived_id
from engine.kernel.place import Point
from engine.kernel.timing import SECOND_MS, Instant
from engine.orders.order import Window
from engine.orders.surge import NO_SURGE_PERCENT, Pressure, Surge, surge
from engine.pricing.lines import LineAmounts, PriceLine, amounts

QUOTE_VALID_MS = 15 * 60 * SECOND_MS
DELIVERY: Final = "delivery"
# Fewer deliveries than these say nothing about the next one.
PUNCTUALITY_SAMPLES_MIN: Final = 20


class Punctuality(Struct, frozen=True, kw_only=True):
    """How late after their promise (negative: how early) a zone's last gifts came.

    Half of them were at most `p50_s` late, nine of ten at most `p90_s`.
    """

    p50_s: int
    p90_s: int
    samples: int


class Quote(Struct, frozen=True, kw_only=True):
    """A price and a promise, valid until `valid_until`; amounts in halalas, the total with VAT.

    All that they are made from is kept: the version of the zone's parameters, the way, what is
    sold, the wishes, the surge (None when the zone could not be asked how hard it is pressed) and
    how late the zone was; `again` makes the same quote from it. `fee_halalas` is without VAT;
    half of all gifts come until `expected_at`, nine of ten until `likely_by`. `redelivers` is the
    order that went back to its shop and is brought once more.
    """

    id: QuoteId
    customer_id: UserId
    zone_id: ZoneId
    zone_parameters_version: int
    shop: Point
    door: Point
    distance_m: int
    travel_s: int = 0
    preparation_s: int
    goods: tuple[PriceLine, ...] = ()
    vehicles: tuple[VehicleKind, ...] = ()
    window: Window | None = None
    surge: Surge | None = None
    punctuality: Punctuality | None = None
    lines: tuple[LineAmounts, ...] = ()
    fee_halalas: int
    vat_halalas: int
    rounding_halalas: int = 0
    total_halalas: int
    expected_at: Instant = 0
    likely_by: Instant = 0
    promised_at: Instant
    quoted_at: Instant
    valid_until: Instant
    redelivers: OrderId | None = None


class Way(Struct, frozen=True, kw_only=True):
    """From shop to door: metres of road and seconds of travel."""

    shop: Point
    door: Point
    route_m: float
    travel_s: int


class Wishes(Struct, frozen=True, kw_only=True):
    """What is to be sold with the delivery, what must carry it, and when; None is now."""

    goods: tuple[PriceLine, ...] = ()
    vehicles: tuple[VehicleKind, ...] = ()
    window: Window | None = None


NO_WISHES: Final = Wishes()


def order_id_of(quote_id: QuoteId) -> OrderId:
    """The one order that a quote can become."""
    return OrderId(derived_id("order", quote_id))


def redelivery_of(order_id: OrderId) -> OrderId:
    """The one order that brings once more what went back."""
    return OrderId(derived_id("redelivery", order_id))


def needs_car(vehicles: tuple[VehicleKind, ...]) -> bool:
    """Whether nothing smaller than a car may carry it."""
    return vehicles == (VehicleKind.CAR,)


def quote(
    zone: Zone,
    *,
    quote_id: QuoteId,
    customer_id: UserId,
    way: Way,
    preparation_s: int,
    wishes: Wishes = NO_WISHES,
    pressure: Pressure | None = None,
    punctuality: Punctuality | None = None,
    now: Instant,
) -> Quote:
    """The price by the zone's tariff and surge, and the promise by its window."""
    p = zone.parameters
    # Whole metres, so that the stored way gives the same fee again.
    distance_m = -int(-way.route_m // 1)
    raised = None if pressure is None or wishes.window is not None else surge(pressure, p)
    fee = delivery_fee(p, distance_m, wishes, raised)
    delivery = PriceLine(name=DELIVERY, unit_halalas=fee)
    priced = amounts((*wishes.goods, delivery))
    least_s = preparation_s + p.prep_buffer_s + p.shop_service_s + way.travel_s + p.door_service_s
    promise_s = max(p.promised_s, least_s + p.promise_slack_s)
    promised_at = now + promise_s * SECOND_MS if wishes.window is None else wishes.window.end
    expected_at, likely_by = _spread(
        least_at=now + least_s * SECOND_MS, promised_at=promised_at, wishes=wishes, late=punctuality
    )
    return Quote(
        id=quote_id,
        customer_id=customer_id,
        zone_id=zone.id,
        zone_parameters_version=zone.parameters_version,
        shop=way.shop,
        door=way.door,
        distance_m=distance_m,
        travel_s=way.travel_s,
        preparation_s=preparation_s,
        goods=wishes.goods,
        vehicles=wishes.vehicles,
        window=wishes.window,
        surge=raised,
        punctuality=punctuality,
        lines=priced.lines,
        fee_halalas=fee,
        vat_halalas=priced.vat_halalas,
        rounding_halalas=priced.rounding_halalas,
        total_halalas=priced.payable_halalas,
        expected_at=expected_at,
        likely_by=likely_by,
        promised_at=promised_at,
        quoted_at=now,
        valid_until=now + QUOTE_VALID_MS,
    )


def again(made: Quote, zone: Zone) -> Quote:
    """The same quote, made anew from what it keeps; `zone` has the parameters of its version."""
    assert zone.parameters_version == made.zone_parameters_version, "another tariff was in force"
    made_again = quote(
        zone,
        quote_id=made.id,
        customer_id=made.customer_id,
        way=Way(shop=made.shop, door=made.door, route_m=made.distance_m, travel_s=made.travel_s),
        preparation_s=made.preparation_s,
        wishes=Wishes(goods=made.goods, vehicles=made.vehicles, window=made.window),
        pressure=made.surge.pressure if made.surge else None,
        punctuality=made.punctuality,
        now=made.quoted_at,
    )
    return replace(made_again, redelivers=made.redelivers)


def delivery_fee(p: ZoneParameters, distance_m: int, wishes: Wishes, raised: Surge | None) -> int:
    """The delivery fee without VAT: tariff, vehicle, then surge up to its cap or the later rate.

    How hard the zone is pressed now says nothing about a later window, so that pays no surge.
    """
    fee = p.fee_base_halalas + -(-distance_m // 1000) * p.fee_per_km_halalas
    if needs_car(wishes.vehicles):
        fee = _percent(fee, p.fee_car_percent)
    if wishes.window is not None:
        return _percent(fee, p.fee_scheduled_percent)
    surged = _percent(fee, NO_SURGE_PERCENT if raised is None else raised.fee_percent)
    return min(surged, fee + p.surge_max_halalas)


def _percent(amount: int, percent: int) -> int:
    return (amount * percent + 50) // 100


def _spread(
    *, least_at: Instant, promised_at: Instant, wishes: Wishes, late: Punctuality | None
) -> tuple[Instant, Instant]:
    """When half of such gifts come, and nine of ten, as the last ones did.

    Nobody is sooner than the way allows. While too few came lately, half are expected midway
    between that and the promise, nine of ten until the promise.
    """
    if wishes.window is not None:
        return (wishes.window.start + wishes.window.end) // 2, wishes.window.end
    if late is None or late.samples < PUNCTUALITY_SAMPLES_MIN:
        return (least_at + promised_at) // 2, promised_at
    expected_at = max(least_at, promised_at + late.p50_s * SECOND_MS)
    return expected_at, max(expected_at, promised_at + late.p90_s * SECOND_MS)
