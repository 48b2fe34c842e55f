"""All that happened to an order and its money: order, gateway, ledger and documents as one."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from msgspec import to_builtins
from pydantic import BaseModel

from api.deps import PartsDep, PathId, granted
from api.description import WITH_STORE, WITH_TOKEN, answers
from api.json_answer import Json
from api.order_views import find_visible
from api.parts import Parts
from api.refusals import INVALID_REQUEST
from engine.identity.access import Permission
from engine.invoices.invoice import Invoice
from engine.kernel.ids import OrderId, PaymentId
from engine.kernel.messages import Caller
from engine.money.accounts import AccountKind, account
from engine.money.transfers import about_order
from engine.orders.messages import UNKNOWN_ORDER
from engine.orders.order import Order
from engine.payments.owed import SettlementKind
from engine.payments.payment import Payment
from engine.payments.shares import returned_for, taken_for

router = APIRouter(prefix="/v1", tags=["money"])
LINES_MAX = 1_000
_SOURCES = ("order", "payment", "ledger", "document")


class MoneyLineShown(BaseModel):
    """Something that happened: who tells it, what, to which thing, and what else is known of it."""

    at: int
    source: Literal["order", "payment", "ledger", "document"]
    type: str
    about: str
    data: dict[str, Any]


class OrderMoneyShown(BaseModel):
    """Oldest first.

    `on_account_halalas` is what of its money is nobody's yet, `owed_halalas` what it was
    charged and is not paid. Of what a group was paid with, `taken_halalas` is what this order
    keeps; the lines tell of all of it.
    """

    order_id: str
    taken_halalas: int
    given_back_halalas: int
    documented_halalas: int
    on_account_halalas: int
    owed_halalas: int
    lines: list[MoneyLineShown]


@router.get(
    "/orders/{order_id}/money",
    responses=answers(
        200, OrderMoneyShown, *WITH_TOKEN, *WITH_STORE, UNKNOWN_ORDER, INVALID_REQUEST
    ),
)
async def get_order_money(
    order_id: PathId, caller: Annotated[Caller, granted(Permission.REFUND)], parts: PartsDep
) -> Json:
    """What happened to an order, its payments, its entries in the ledger and its documents."""
    order = await find_visible(parts, caller, order_id)
    payments = await _payments_of(parts, order)
    documents = await parts.invoices.list_of(order.id)
    balance = await parts.ledger.find_balance(account(AccountKind.ORDER, order.id))
    owed = await parts.ledger.find_balance(account(AccountKind.RECEIVABLE, order.id))
    lines = [
        *await _of_order(parts, order),
        *await _of_payments(parts, [one.id for one in payments]),
        *await _of_ledger(parts, {order.id, *(one.order_id for one in payments if one.shares)}),
        *(
            _line(one.draft.issued_at, "document", one.draft.kind, one.number, _sums(one))
            for one in documents
        ),
    ]
    lines.sort(key=lambda one: (one["at"], _SOURCES.index(one["source"])))
    signed = [(-1 if one.draft.kind == "credit_note" else 1, one) for one in documents]
    return Json(
        {
            "order_id": order.id,
            "taken_halalas": sum(taken_for(one, order.id) for one in payments),
            "given_back_halalas": sum(returned_for(one, order.id) for one in payments),
            "documented_halalas": sum(sign * one.payable_halalas for sign, one in signed),
            "on_account_halalas": balance.posted,
            "owed_halalas": -owed.posted,
            "lines": lines[:LINES_MAX],
        }
    )


async def _payments_of(parts: Parts, order: Order) -> tuple[Payment, ...]:
    """All that were made for it or for its group, for more of it, or for what it owed."""
    made = {one.id: one for one in await parts.payments.list_of_order(order.id)}
    first = None
    if order.payment_id is not None:
        first = made.get(order.payment_id) or await parts.payments.find(order.payment_id)
    settled = () if first is None else first.settlements
    further = [
        *(one.payment_id for one in order.supplements),
        *(PaymentId(one.id) for one in settled if one.kind is SettlementKind.PAID),
    ]
    found = [first, *[await parts.payments.find(one) for one in further]]
    made |= {one.id: one for one in found if one is not None}
    return tuple(made.values())


async def _of_order(parts: Parts, order: Order) -> list[dict[str, Any]]:
    events = await parts.store.list_events(order.id)
    return [_line(one.at, "order", one.type, order.id, one.data) for one in events]


async def _of_payments(parts: Parts, payment_ids: list[PaymentId]) -> list[dict[str, Any]]:
    return [
        _line(event.at, "payment", event.type, payment_id, event.data)
        for payment_id in payment_ids
        for event in await parts.payments.list_events(payment_id)
    ]


async def _of_ledger(parts: Parts, names: set[OrderId]) -> list[dict[str, Any]]:
    """In the order's own name, and in that of its group."""
    return [
        _line(
            one.at,
            "ledger",
            one.transfer.reason,
            str(one.number),
            {"pending": one.transfer.pending, "legs": to_builtins(one.transfer.legs)},
        )
        for name in names
        for one in await parts.ledger.list_entries_about(about_order(name), limit=LINES_MAX)
    ]


def _sums(invoice: Invoice) -> dict[str, Any]:
    names = ("id", "net_halalas", "vat_halalas", "payable_halalas")
    return {one: getattr(invoice, one) for one in names}


def _line(at: int, source: str, kind: str, about: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"at": at, "source": source, "type": kind, "about": about, "data": data}
