"""Paying for a quote, coming back from the bank, and what gateways have to say."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from msgspec.structs import replace
from starlette.responses import RedirectResponse, Response

from actors.gateways.payments import GatewayUncertain
from actors.gateways.settings import PaymentsMode
from actors.payments import Payments
from api.bodies import OrderBody
from api.deps import Key, PartsDep, PathId, granted
from api.description import WITH_BODY, WITH_KEY, WITH_STORE, WITH_TOKEN, answers
from api.errors import Refused
from api.json_answer import Json
from api.list_queries import PAYMENTS
from api.paging import Paging, listed
from api.parts import Parts
from api.paying import PAYING, PaidWith, charged
from api.payment_answers import (
    MethodsShown,
    NoticeTaken,
    PaymentShown,
    PaymentsShown,
    PaymentStanding,
    shown,
)
from api.placing import ordered_again, paid_order
from api.refusals import INVALID_REQUEST
from api.sending import id_of_command
from engine.identity.access import Permission
from engine.identity.phone import BAD_PHONE
from engine.kernel.ids import PaymentId, derived_id
from engine.kernel.messages import Caller, Role
from engine.kernel.refusals import UNAVAILABLE
from engine.orders.cash import CASH_NOT_TAKEN, CASH_SHOWS_PRICE, cash_objection
from engine.orders.messages import BAD_WINDOW, QUOTE_EXPIRED, QUOTE_MISMATCH, PlaceOrder
from engine.payments.decide import Payable
from engine.payments.gateways import (
    GatewayName,
    Network,
    flow_of,
)
from engine.payments.messages import (
    NOTICE_NOT_GENUINE,
    UNKNOWN_PAYMENT,
)
from engine.payments.payment import Payment

router = APIRouter(prefix="/v1", tags=["payments"])


class PaymentBody(PaidWith):
    """An order as it would be placed, and what it is paid with; whether to save that."""

    order: OrderBody


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
        *PAYING,
        QUOTE_EXPIRED,
        QUOTE_MISMATCH,
        BAD_WINDOW,
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
    command_id = id_of_command(caller, "POST /v1/payments", key)
    payment_id = PaymentId(derived_id("payment", command_id))
    known = await parts.payments.find(payment_id)
    if known is None:
        order = await paid_order(parts, caller, body.order)
        if body.network is Network.CASH:
            await _must_take_cash(parts, order)
    else:
        (order,) = ordered_again(parts, known, [body.order])
    made = await charged(
        request,
        caller,
        body,
        payment_id=payment_id,
        what=order,
        is_for_it=lambda payment: _asks(payment.order) == _asks(order),
    )
    return Json(shown(made), 201)


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
    try:
        notice = known and await known.read_notice(request.headers, await request.body())
    except GatewayUncertain as error:
        # Whether it is genuine could not be asked: the gateway sends it again.
        raise Refused(UNAVAILABLE()) from error
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
