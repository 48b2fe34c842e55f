"""Paying for something: what it is paid with, and the payment as far as it goes at once."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import Request
from pydantic import Field

from actors.checkout import Checkout
from api.bodies import PRICE_HALALAS_MAX, Body
from api.errors import Refused
from api.parts import Parts
from engine.kernel.ids import PaymentId
from engine.kernel.messages import Caller
from engine.kernel.refusals import KEY_REUSED, Refusal
from engine.payments.decide import Payable
from engine.payments.gateways import METHOD_NOT_OFFERED, GatewayName, Network, Source, SourceKind
from engine.payments.messages import ORDER_PAID, PAYMENTS_OFF, SOURCE_REFUSED, SPLIT_REFUSED
from engine.payments.payment import Payment, PaymentStatus
from engine.payments.saved import UNKNOWN_METHOD, SavedMethod, method_id

if TYPE_CHECKING:
    from actors.payments import Payments

_SOURCE_MAX = 20_000
# What may be said to whoever pays, whatever it is for.
PAYING: Final = (
    PAYMENTS_OFF,
    METHOD_NOT_OFFERED,
    SOURCE_REFUSED,
    ORDER_PAID,
    UNKNOWN_METHOD,
    SPLIT_REFUSED,
)


class SourceBody(Body):
    """What the gateway's own form in the app made of a card; a card's number is never sent here.

    The wallet has no value; that of a saved method is its id.
    """

    kind: Annotated[SourceKind, Field(strict=False)]
    value: Annotated[str, Field(max_length=_SOURCE_MAX)] = ""


class PaidWith(Body):
    """What something is paid with; whether to save that.

    `wallet_halalas` of it come from the customer's gift credit and wallet, the rest by the network.
    """

    network: Annotated[Network, Field(strict=False)]
    source: SourceBody
    save: bool = False
    wallet_halalas: Annotated[int, Field(ge=0, le=PRICE_HALALAS_MAX)] = 0


async def charged(
    request: Request,
    caller: Caller,
    body: PaidWith,
    *,
    payment_id: PaymentId,
    what: Payable,
    is_for_it: Callable[[Payment], bool] = lambda _: True,
) -> Payment:
    """The payment, taken as far as it goes by now, its method saved if that is wished.

    Raises `Refused`: where no payments are taken, too, and when the payment of that id is for
    something else, by `is_for_it`.
    """
    parts: Parts = request.app.state.parts
    payments: Payments = request.app.state.payments
    if not parts.gateways:
        raise Refused(PAYMENTS_OFF())
    if body.wallet_halalas and GatewayName.WALLET not in parts.gateways:
        raise Refused(METHOD_NOT_OFFERED(network=Network.WALLET.value))
    source = await _source_of(parts, caller, body.source)
    made = await payments.pay(
        Checkout(
            payment_id=payment_id,
            customer_id=caller.user_id,
            order=what,
            network=body.network,
            source=source,
            wallet_halalas=body.wallet_halalas,
        )
    )
    if isinstance(made, Refusal):
        raise Refused(made)
    by_wallet = made.wallet.halalas if made.wallet else 0
    if not is_for_it(made) or by_wallet != body.wallet_halalas:
        raise Refused(KEY_REUSED())
    if body.save:
        await _save_method(parts, made, source)
    return made


async def _source_of(parts: Parts, caller: Caller, body: SourceBody) -> Source:
    """What is charged; for a saved method its token."""
    if body.kind is not SourceKind.SAVED:
        return Source(kind=body.kind, value=body.value)
    method = await parts.saved_methods.find(body.value)
    if method is None or method.customer_id != caller.user_id:
        raise Refused(UNKNOWN_METHOD())
    return Source(kind=SourceKind.TOKEN, value=method.token)


async def _save_method(parts: Parts, payment: Payment, source: Source) -> None:
    """Save what the bank has not declined; only a token can be used again."""
    is_good = payment.status not in {PaymentStatus.DECLINED, PaymentStatus.MISMATCHED}
    if source.kind is not SourceKind.TOKEN or payment.card is None or not is_good:
        return
    who, gateway = payment.customer_id, payment.gateway
    method = SavedMethod(
        id=method_id(who, gateway, source.value),
        customer_id=who,
        gateway=gateway,
        network=payment.network,
        token=source.value,
        card=payment.card,
        saved_at=parts.wall.now(),
    )
    await parts.saved_methods.save(method)
