"""The order that a quote becomes."""

from typing import Final

from api.bodies import OrderBody
from api.errors import Refused
from api.ordering_again import must_be_what_went_back
from api.parts import Parts
from api.recipients import recipient_of
from engine.kernel.ids import QuoteId
from engine.kernel.messages import Caller
from engine.kernel.place import Place
from engine.kernel.timing import SECOND_MS
from engine.orders.as_quoted import objection_to_wishes
from engine.orders.messages import QUOTE_EXPIRED, QUOTE_MISMATCH, PlaceOrder
from engine.orders.order import Gift, Recipient, Window
from engine.orders.quote import Quote, order_id_of, redelivery_of

PIN_DIGITS: Final = 4


async def order_of_body(parts: Parts, quoted: Quote, body: OrderBody) -> PlaceOrder:
    """The command that places what was asked for over REST; raises `Refused`."""
    if quoted.redelivers is not None:
        await must_be_what_went_back(parts, quoted.redelivers, body)
    return order_of(
        parts,
        quoted,
        gift=body.gift.gift(),
        recipient=recipient_of(body.recipient),
        shop=body.shop.place(),
        door=body.door.place(),
        window=body.window.window() if body.window else None,
    )


def order_of(
    parts: Parts,
    quoted: Quote,
    *,
    gift: Gift,
    recipient: Recipient,
    shop: Place,
    door: Place,
    window: Window | None,
) -> PlaceOrder:
    """The command that places it. A quote is one order, however often and by whatever key."""
    return PlaceOrder(
        order_id=redelivery_of(quoted.redelivers) if quoted.redelivers else order_id_of(quoted.id),
        zone_id=quoted.zone_id,
        quote=quoted,
        gift=gift,
        recipient=recipient,
        shop=shop,
        door=door,
        pin=f"{parts.chance.below(10**PIN_DIGITS):0{PIN_DIGITS}}",
        ready_at=parts.clock.now() + quoted.preparation_s * SECOND_MS,
        window=window,
    )


async def paid_order(parts: Parts, caller: Caller, body: OrderBody) -> PlaceOrder:
    """The command that will place it; what can be known to be in vain is refused before paying."""
    quoted = await parts.store.find_quote(QuoteId(body.quote_id))
    if quoted is None or quoted.valid_until < parts.clock.now():
        raise Refused(QUOTE_EXPIRED(quote_id=body.quote_id))
    if quoted.customer_id != caller.user_id:
        raise Refused(QUOTE_MISMATCH(field="customer"))
    order = await order_of_body(parts, quoted, body)
    zone = await parts.store.find_zone(order.zone_id)
    assert zone is not None, "a zone is never forgotten"
    refusal = objection_to_wishes(zone.parameters, order, now=parts.clock.now())
    if refusal is not None:
        raise Refused(refusal)
    return order
