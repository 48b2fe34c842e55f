"""A gift that is ordered once more, or brought once more after it went back."""

from typing import Any, Final

from msgspec import to_builtins

from api.bodies import OrderBody
from api.errors import Refused
from api.parts import Parts
from engine.dispatch.view import place_view
from engine.kernel.ids import OrderId
from engine.kernel.place import Place
from engine.orders.messages import ORDER_STATE, QUOTE_EXPIRED, QUOTE_MISMATCH
from engine.orders.order import Gift, Order, OrderStatus, Recipient, Window
from engine.orders.quote import Quote, Wishes
from engine.pricing.lines import PriceLine

_GIVEN_BACK: Final = "هدية أعيدت للمتجر / Gift that went back"


async def wishes_again(
    parts: Parts, order: Order, window: Window | None, *, is_redelivery: bool
) -> Wishes:
    """What is sold with it: the same goods, or what was given back of those that went back.

    Raises `Refused` when there is nothing to bring once more, or no trace of what was sold.
    """
    if is_redelivery:
        if order.status is not OrderStatus.RETURNED:
            raise Refused(ORDER_STATE(status=order.status.value))
        owed = order.total_halalas - (order.charge_halalas or 0)
        line = PriceLine(name=_GIVEN_BACK, unit_halalas=owed, includes_vat=True)
        goods: tuple[PriceLine, ...] = (line,) if owed else ()
        return Wishes(goods=goods, vehicles=order.gift.vehicles, window=window)
    former = await parts.store.find_quote(order.quote_id)
    if former is None:
        raise Refused(QUOTE_EXPIRED(quote_id=order.quote_id))
    return Wishes(goods=former.goods, vehicles=former.vehicles, window=window)


async def preparation_again_s(parts: Parts, order: Order, *, is_redelivery: bool) -> int:
    """Seconds that the shop needs; none for what stands there already."""
    former: Quote | None = None
    if not is_redelivery:
        former = await parts.store.find_quote(order.quote_id)
    return 0 if former is None else former.preparation_s


def to_place(
    quote: Quote, *, gift: Gift, recipient: Recipient, shop: Place, door: Place
) -> dict[str, Any]:
    """The body with which what was quoted is placed."""
    return {
        "quote_id": quote.id,
        "gift": to_builtins(gift),
        "recipient": to_builtins(recipient),
        "shop": place_view(shop),
        "door": place_view(door),
        "window": to_builtins(quote.window),
    }


async def must_be_what_went_back(parts: Parts, order_id: OrderId, body: OrderBody) -> None:
    """Raises `Refused` when something else is to be sold by the quote of a redelivery."""
    order = await parts.store.find_order(order_id)
    if order is None or body.gift.gift() != order.gift:
        raise Refused(QUOTE_MISMATCH(field="gift"))
