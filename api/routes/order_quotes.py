"""What an order's price was made from, and whether the same comes of it again."""

from typing import Annotated, Any

from fastapi import APIRouter
from msgspec import to_builtins
from msgspec.structs import replace

from api.answer import Answer
from api.answers import WindowShown
from api.deps import PartsDep, PathId, granted
from api.description import WITH_STORE, WITH_TOKEN, answers
from api.errors import Refused
from api.json_answer import Json
from api.order_answers import PricedLineShown, PriceLineShown
from api.order_views import find_visible
from api.parts import Parts
from api.quoting import quote_shown
from api.refusals import INVALID_REQUEST
from engine.geo.travel import VehicleKind
from engine.geo.zone import Zone
from engine.identity.access import Permission
from engine.kernel.messages import Caller
from engine.orders.messages import QUOTE_EXPIRED, UNKNOWN_ORDER
from engine.orders.quote import Quote, again

router = APIRouter(prefix="/v1", tags=["orders"])


class OrderQuoteShown(Answer):
    """The quote that an order has now, with all that it was made from; amounts in halalas.

    `again_halalas` is what comes of that anew, by the tariff of its version; `is_same` when total,
    lines and promise are what they were. The order's fees are no part of it.
    """

    quote_id: str
    zone_id: str
    zone_parameters_version: int
    distance_m: int
    travel_s: int
    preparation_s: int
    goods: list[PriceLineShown]
    vehicles: list[VehicleKind]
    window: WindowShown | None
    surge_percent: int
    fee_halalas: int
    vat_halalas: int
    rounding_halalas: int
    total_halalas: int
    lines: list[PricedLineShown]
    expected_at: int
    likely_by: int
    promised_at: int
    quoted_at: int
    valid_until: int
    again_halalas: int
    is_same: bool


@router.get(
    "/orders/{order_id}/quote",
    responses=answers(
        200,
        OrderQuoteShown,
        *WITH_TOKEN,
        *WITH_STORE,
        INVALID_REQUEST,
        UNKNOWN_ORDER,
        QUOTE_EXPIRED,
    ),
)
async def show_order_quote(
    order_id: PathId, caller: Annotated[Caller, granted(Permission.SEE_ORDER)], parts: PartsDep
) -> Json:
    """From what its price was made, and whether the same comes of it again."""
    order = await find_visible(parts, caller, order_id)
    made = await parts.store.find_quote(order.quote_id)
    if made is None:
        raise Refused(QUOTE_EXPIRED(quote_id=order.quote_id))
    anew = again(made, await _zone_then(parts, made))
    told = {**quote_shown(made), **_inputs(made)}
    told.pop("split")
    return Json({**told, "again_halalas": anew.total_halalas, "is_same": anew == made})


async def _zone_then(parts: Parts, made: Quote) -> Zone:
    """The zone with the tariff that was in force."""
    zone = await parts.store.find_zone(made.zone_id)
    assert zone is not None, "a zone is never forgotten"
    sets = await parts.store.list_parameter_sets(zone.id)
    return replace(
        zone, current=next(one for one in sets if one.version == made.zone_parameters_version)
    )


def _inputs(made: Quote) -> dict[str, Any]:
    return {
        "zone_parameters_version": made.zone_parameters_version,
        "travel_s": made.travel_s,
        "preparation_s": made.preparation_s,
        "goods": to_builtins(made.goods),
        "vehicles": list(made.vehicles),
        "window": to_builtins(made.window),
        "quoted_at": made.quoted_at,
    }
