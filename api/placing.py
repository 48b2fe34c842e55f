"""The order that a quote becomes."""

from collections.abc import Sequence
from typing import Final

from api.bodies import OrderBody
from api.errors import Refused
from api.ordering_again import must_be_what_went_back
from api.parts import Parts
from api.recipients import recipient_of
from engine.kernel.ids import QuoteId
from engine.kernel.messages import Caller
from engine.kernel.place import Place
from engine.kernel.refusals import KEY_REUSED
from engine.kernel.timing import SECOND_MS
from engine.orders.as_quoted import objection_to_wishes
from engine.orders.messages import QUOTE_EXPIRED, QUOTE_MISMATCH, PlaceOrder
from engine.orders.order import Gift, Recipient, Window
from engine.orders.quote import Quote, order_id_of, redelivery_of
from engine.payments.payment import Payment

PIN_DIGITS: Final = 4


async def order_of_body(parts: Parts, body: OrderBody) -> PlaceOrder:
    """The command that places what was asked for over REST; raises `Refused`."""
    return await _as_allowed(parts, await _quote_of(parts, body), body)


def ordered_again(parts: Parts, made: Payment, bodies: Sequence[OrderBody]) -> list[PlaceOrder]:
    """What a repeated request orders, by the quotes it was paid for with, though they have expired.

    Raises `Refused` when the payment is for other quotes.
    """
    quotes = [one.quote for one in made.shares] or [made.quote]
    if [one.id for one in quotes] != [one.quote_id for one in bodies]:
        raise Refused(KEY_REUSED())
    return [_as_in(parts, quote, body) for quote, body in zip(quotes, bodies, strict=True)]


async def _quote_of(parts: Parts, body: OrderBody) -> Quote:
    quoted = await parts.store.find_quote(QuoteId(body.quote_id))
    if quoted is None:
        raise Refused(QUOTE_EXPIRED(quote_id=body.quote_id))
    return quoted


async def _as_allowed(parts: Parts, quoted: Quote, body: OrderBody) -> PlaceOrder:
    """What is brought once more must be what went back."""
    if quoted.redelivers is not None:
        await must_be_what_went_back(parts, quoted.redelivers, body)
    return _as_in(parts, quoted, body)


def _as_in(parts: Parts, quoted: Quote, body: OrderBody) -> PlaceOrder:
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
    quoted = await _quote_of(parts, body)
    if quoted.valid_until < parts.clock.now():
        raise Refused(QUOTE_EXPIRED(quote_id=body.quote_id))
    if quoted.customer_id != caller.user_id:
        raise Refused(QUOTE_MISMATCH(field="customer"))
    order = await _as_allowed(parts, quoted, body)
    zone = await parts.store.find_zone(order.zone_id)
    assert zone is not None, "a zone is never forgotten"
    refusal = objection_to_wishes(zone.parameters, order, now=parts.clock.now())
    if refusal is not None:
        raise Refused(refusal)
    return order
