"""Payments as rows of a sheet: one for each payment, and one for each refund of it."""

from collections.abc import Iterator, Sequence
from typing import Final

from engine.kernel.riyals import riyals
from engine.orders.sheet import text_cell, time_cell
from engine.payments.payment import Payment, Refund, RefundStatus

HEADINGS: Final = (
    "at",
    "kind",
    "payment_id",
    "refund_id",
    "order_id",
    "network",
    "last_four",
    "status",
    "asked_sar",
    "taken_sar",
    "given_back_sar",
    "wallet_sar",
    "to",
    "reason",
)
# What staff see besides.
STAFF_HEADINGS: Final = (*HEADINGS, "gateway", "reference", "customer_id")


def rows_of(payment: Payment, headings: Sequence[str] = HEADINGS) -> Iterator[tuple[str, ...]]:
    """A payment, then what goes back of it; times in UTC (ISO 8601), amounts in riyals."""
    yield _row(_of_payment(payment), headings)
    for refund in payment.refunds:
        yield _row(_of_refund(payment, refund), headings)


def _row(cells: dict[str, str], headings: Sequence[str]) -> tuple[str, ...]:
    return tuple([cells.get(one, "") for one in headings])


def _of_payment(payment: Payment) -> dict[str, str]:
    return {
        **_of_both(payment),
        "at": time_cell(payment.made_at),
        "kind": "payment",
        "order_id": payment.for_order_id,
        "status": payment.status.value,
        "asked_sar": riyals(payment.amount_halalas),
        "taken_sar": riyals(payment.captured_halalas),
        "wallet_sar": riyals(payment.wallet.halalas if payment.wallet else 0),
        "reason": text_cell(payment.reason),
    }


def _of_refund(payment: Payment, refund: Refund) -> dict[str, str]:
    is_done = refund.status is RefundStatus.DONE
    return {
        **_of_both(payment),
        "at": time_cell(refund.done_at or refund.asked_at),
        "kind": "refund",
        "refund_id": refund.id,
        "order_id": refund.order_id or payment.for_order_id,
        "status": refund.status.value,
        "asked_sar": riyals(refund.amount_halalas),
        "given_back_sar": riyals(refund.amount_halalas if is_done else 0),
        "to": refund.to.value,
        "reason": refund.reason.value,
    }


def _of_both(payment: Payment) -> dict[str, str]:
    return {
        "payment_id": payment.id,
        "network": payment.network.value,
        "last_four": payment.card.last_four if payment.card else "",
        "gateway": payment.gateway.value,
        "reference": text_cell(payment.reference),
        "customer_id": payment.customer_id,
    }
