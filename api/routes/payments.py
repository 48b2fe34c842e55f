"""Paying for a quote, coming back from the bank, and what gateways have to say."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from msgspec.structs import replace
from pydantic import Field
from starlette.responses import RedirectResponse, Response

from actors.gateways.settings import PaymentsMode
from actors.payments import Checkout, Payments
from api.bodies import Body, OrderBody
from api.deps import Key, PartsDep, PathId, granted
from api.description import WITH_BODY, WITH_KEY, WITH_STORE, WITH_TOKEN, answers
from api.errors import Refused
from api.json_answer import Json
from api.list_queries import PAYMENTS
from api.paging import Paging, listed
from api.parts import Parts
from api.payment_answers import (
    MethodsShown,
    NoticeTaken,
    PaymentShown,
    PaymentsShown,
    PaymentStanding,
    shown,
)
from api.placing import order_of_body
from api.refusals import INVALID_REQUEST
from api.sending import id_of_command
from engine.identity.access import Permission
from engine.identity.phone import BAD_PHONE
from engine.kernel.ids import PaymentId, QuoteId, derived_id
from engine.kernel.messages import Caller, Role
from engine.kernel.refusals import KEY_REUSED, UNAVAILABLE, Refusal
from engine.orders.cash import CASH_NOT_TAKEN, CASH_SHOWS_PRICE, cash_objection
from engine.orders.messages import QUOTE_EXPIRED, QUOTE_MISMATCH, PlaceOrder
from engine.payments.decide import Payable
from engine.payments.gateways import (
    METHOD_NOT_OFFERED,
    GatewayName,
    Network,
    Source,
    SourceKind,
    flow_of,
)
from engine.payments.messages import (
    NOTICE_NOT_GENUINE,
    ORDER_PAID,
    PAYMENTS_OFF,
    SOURCE_REFUSED,
    UNKNOWN_PAYMENT,
)
from engine.payments.payment import Payment, PaymentStatus
from engine.payments.saved import UNKNOWN_METHOD, SavedMethod, method_id

router = APIRouter(prefix="/v1", tags=["payments"])
_SOURCE_MAX = 20_000


class SourceBody(Body):
    """What the gateway's own form in the app made of a card; a card's number is never sent here.

    The wallet has no value; that of a saved method is its id.
    """

    kind: Annotated[SourceKind, Field(strict=False)]
    value: Annotated[str, Field(max_length=_SOURCE_MAX)] = ""


class PaymentBody(Body):
    """An order as it would be placed, and what it is paid with; whether to save that."""

    order: OrderBody
    network: Annotated[Network, Field(strict=False)]
    source: SourceBody
    save: bool = False


@router.get("/payment-methods", responses=answers(200, MethodsShown))
async def list_payment_methods(parts: PartsDep) -> Json:
    """How one can pay, and with which gateway's form."""
    settings = parts.settings.payments
    methods = [
        {
            "network": network,
            "gateway": gateway,
            "flow": flow_of(gateway, network),
            "publishable_key": parts.settings.publishable_key(gateway),
        }
        for network, gateway in settings.routes.items()
        if gateway in parts.gateways
    ]
    return Json({"is_required": settings.mode is PaymentsMode.REQUIRED, "methods": methods})


@router.post(
    "/payments",
    status_code=201,
    responses=answers(
        201,
        PaymentShown,
        *WITH_BODY,
        *WITH_TOKEN,
        *WITH_STORE,
        *WITH_KEY,
        PAYMENTS_OFF,
        METHOD_NOT_OFFERED,
        SOURCE_REFUSED,
        ORDER_PAID,
        UNKNOWN_METHOD,
        QUOTE_EXPIRED,
        QUOTE_MISMATCH,
        BAD_PHONE,
        CASH_NOT_TAKEN,
        CASH_SHOWS_PRICE,
        UNAVAILABLE,
    ),
)
async def pay(
    body: PaymentBody,
    *,
    key: Key,
    caller: Annotated[Caller, granted(Permission.PAY)],
    parts: PartsDep,
    request: Request,
) -> Json:
    """Pay for a quote; its order is placed as soon as the money is held or taken."""
    if not parts.gateways:
        raise Refused(PAYMENTS_OFF())
    command_id = id_of_command(caller, "POST /v1/payments", key)
    order = await paid_order(parts, caller, body.order)
    if body.network is Network.CASH:
        await _must_take_cash(parts, order)
    wish = Checkout(
        payment_id=PaymentId(derived_id("payment", command_id)),
        customer_id=caller.user_id,
        order=order,
        network=body.network,
        source=await source_of(parts, caller, body.source),
    )
    payments: Payments = request.app.state.payments
    made = await payments.pay(wish)
    if isinstance(made, Refusal):
        raise Refused(made)
    if _asks(made.order) != _asks(wish.order):
        raise Refused(KEY_REUSED())
    if body.save:
        await save_method(parts, made, wish.source)
    return Json(shown(made), 201)


async def source_of(parts: Parts, caller: Caller, body: SourceBody) -> Source:
    """What is charged; for a saved method its token."""
    if body.kind is not SourceKind.SAVED:
        return Source(kind=body.kind, value=body.value)
    method = await parts.saved_methods.find(body.value)
    if method is None or method.customer_id != caller.user_id:
        raise Refused(UNKNOWN_METHOD())
    return Source(kind=SourceKind.TOKEN, value=method.token)


async def save_method(parts: Parts, payment: Payment, source: Source) -> None:
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


async def paid_order(parts: Parts, caller: Caller, body: OrderBody) -> PlaceOrder:
    """The command that will place it; what can be known to be in vain is refused before paying."""
    quoted = await parts.store.find_quote(QuoteId(body.quote_id))
    if quoted is None or quoted.valid_until < parts.clock.now():
        raise Refused(QUOTE_EXPIRED(quote_id=body.quote_id))
    if quoted.customer_id != caller.user_id:
        raise Refused(QUOTE_MISMATCH(field="customer"))
    return await order_of_body(parts, quoted, body)


async def _must_take_cash(parts: Parts, order: PlaceOrder) -> None:
    zone = await parts.store.find_zone(order.zone_id)
    assert zone is not None, "a zone is never forgotten"
    refusal = cash_objection(zone.parameters, replace(order, is_cash=True))
    if refusal is not None:
        raise Refused(refusal)


def _asks(order: Payable | None) -> tuple[object, ...]:
    """What must be the same for a key to have been used for the same."""
    if not isinstance(order, PlaceOrder):
        return ()
    return order.quote.id, order.gift, order.recipient, order.shop, order.door, order.window


@router.get(
    "/payments",
    responses=answers(200, PaymentsShown, *WITH_TOKEN, *WITH_STORE, INVALID_REQUEST),
)
async def list_payments(
    caller: Annotated[Caller, granted(Permission.PAY)],
    parts: PartsDep,
    paging: Annotated[Paging, listed(PAYMENTS)],
) -> Json:
    """The caller's own, newest first."""
    page = await parts.payments.list_of(caller.user_id, paging.wanted)
    return paging.answer(page, "payments", [shown(one) for one in page.rows])


@router.get(
    "/payments/{payment_id}",
    responses=answers(
        200, PaymentShown, *WITH_TOKEN, *WITH_STORE, UNKNOWN_PAYMENT, INVALID_REQUEST
    ),
)
async def get_payment(
    payment_id: PathId, caller: Annotated[Caller, granted(Permission.SEE_PAYMENT)], parts: PartsDep
) -> Json:
    """A payment as it stands."""
    return Json(shown(await find_payment(parts, caller, payment_id)))


@router.get(
    "/payments/{payment_id}/return",
    response_class=Response,
    responses={
        **answers(200, PaymentStanding, *WITH_STORE, UNKNOWN_PAYMENT, INVALID_REQUEST),
        303: {"description": "To `HADIYATI_PAYMENTS__RETURN_URL`, where that is set."},
    },
)
async def come_back(payment_id: PathId, parts: PartsDep, request: Request) -> Response:
    """Where the bank sends a customer; how it stands is asked of the gateway, not of him."""
    payment = await parts.payments.find(PaymentId(payment_id))
    if payment is None:
        raise Refused(UNKNOWN_PAYMENT())
    payments: Payments = request.app.state.payments
    stands = await payments.returned(payment)
    url = parts.settings.payments.return_url
    if url:
        return RedirectResponse(f"{url}?{urlencode({'payment_id': stands.id})}", 303)
    told = {"payment_id": stands.id, "status": stands.status, "is_placed": stands.is_placed}
    return Json(told, headers={"cache-control": "no-store"})


@router.post(
    "/webhooks/{gateway}",
    responses=answers(200, NoticeTaken, *WITH_STORE, NOTICE_NOT_GENUINE, INVALID_REQUEST),
)
async def hear_gateway(gateway: GatewayName, parts: PartsDep, request: Request) -> Json:
    """A gateway's word that something happened to a payment; what, it is asked."""
    known = parts.gateways.get(gateway)
    notice = known and known.read_notice(request.headers, await request.body())
    if not notice:
        raise Refused(NOTICE_NOT_GENUINE())
    payments: Payments = request.app.state.payments
    payment = await payments.hear(gateway, notice)
    if payment is not None:
        payments.begin(payments.advance(payment))
    return Json({"is_known": payment is not None})


async def find_payment(parts: Parts, caller: Caller, payment_id: str) -> Payment:
    """A payment that the caller may see; raises `Refused`."""
    payment = await parts.payments.find(PaymentId(payment_id))
    if payment is None or not _may_see(caller, payment):
        raise Refused(UNKNOWN_PAYMENT())
    return payment


def _may_see(caller: Caller, payment: Payment) -> bool:
    if caller.role is Role.OPERATOR:
        zone_id = payment.zone_id
        return caller.zones is None if zone_id is None else caller.may_act_in(zone_id)
    return payment.customer_id == caller.user_id
