"""What PayPal says of an order, read in halalas: how it stands, what was taken, what went back."""

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec
from msgspec import Struct

from actors.gateways.payments import GatewayUncertain
from engine.payments.conversion import Mark, Rate, mark_in
from engine.payments.gateways import CURRENCY, Standing, Statement
from engine.payments.payment import Payment

DOLLARS: Final = "USD"
UNTRIED: Final = frozenset({"CREATED", "SAVED"})
APPROVED: Final = "APPROVED"
_CENTS: Final = 100
_ORDER: Final = {
    APPROVED: Standing.CHALLENGED,
    "PAYER_ACTION_REQUIRED": Standing.CHALLENGED,
    "VOIDED": Standing.VOIDED,
}
_HELD: Final = {
    "CREATED": Standing.AUTHORISED,
    "PENDING": Standing.PENDING,
    "DENIED": Standing.DECLINED,
    "VOIDED": Standing.VOIDED,
    "EXPIRED": Standing.VOIDED,
}
_TAKEN: Final = frozenset({"COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED"})
_GONE: Final = frozenset({"COMPLETED"})
_GOING: Final = frozenset({"COMPLETED", "PENDING"})


class Money(Struct, frozen=True):
    """Decimal digits of a currency."""

    currency_code: str
    value: str

    @property
    def cents(self) -> int:
        """In hundredths; raises `GatewayUncertain` for what is no such number."""
        try:
            cents = Decimal(self.value) * _CENTS
            whole = int(cents)
        except (ArithmeticError, InvalidOperation, ValueError) as error:
            raise GatewayUncertain("an amount that is none") from error
        if whole != cents:
            raise GatewayUncertain("an amount with parts of a cent")
        return whole


class Move(Struct, frozen=True):
    """An authorization, a capture or a refund; our mark is in `invoice_id`, of refunds too."""

    id: str
    status: str
    amount: Money
    invoice_id: str = ""


class Moves(Struct, frozen=True):
    """All that was done with the money of an order."""

    authorizations: tuple[Move, ...] = ()
    captures: tuple[Move, ...] = ()
    refunds: tuple[Move, ...] = ()


class Unit(Struct, frozen=True):
    """What is paid for; our mark is in `custom_id`."""

    amount: Money
    custom_id: str = ""
    payments: Moves = Moves()


class Link(Struct, frozen=True):
    """Where something can be done."""

    rel: str
    href: str


class PayPalOrder(Struct, frozen=True):
    """An order of PayPal's, always with one unit."""

    id: str
    status: str
    purchase_units: tuple[Unit, ...]
    links: tuple[Link, ...] = ()

    @property
    def unit(self) -> Unit:
        """What is paid for."""
        return self.purchase_units[0]

    @property
    def mark(self) -> Mark | None:
        """What we wrote on it when it was made."""
        return mark_in(self.unit.custom_id)

    @property
    def moves(self) -> Moves:
        """What was done with its money."""
        return self.unit.payments

    @property
    def currencies(self) -> set[str]:
        """All that it counts in."""
        moves = (*self.moves.authorizations, *self.moves.captures, *self.moves.refunds)
        return {self.unit.amount.currency_code, *(one.amount.currency_code for one in moves)}

    @property
    def taken(self) -> tuple[Move, ...]:
        """The captures that have happened."""
        return tuple(one for one in self.moves.captures if one.status in _TAKEN)

    @property
    def taken_cents(self) -> int:
        """All that was taken."""
        return _sum(self.taken)

    @property
    def going_back(self) -> tuple[Move, ...]:
        """The refunds that have happened or are on their way."""
        return tuple(one for one in self.moves.refunds if one.status in _GOING)

    @property
    def left_cents(self) -> int:
        """What is left to be given back."""
        return self.taken_cents - _sum(self.going_back)


def read_order(said: dict[str, Any] | None) -> PayPalOrder:
    """The order in an answer; what cannot be read is no answer."""
    try:
        order = msgspec.convert(said, PayPalOrder)
    except msgspec.ValidationError as error:
        raise GatewayUncertain("an answer that is no order") from error
    if len(order.purchase_units) != 1:
        raise GatewayUncertain("an order that is none of ours")
    return order


def stands(payment: Payment, order: PayPalOrder, *, declined: str = "") -> Statement:
    """The statement in an order: every amount is compared in cents with what we wrote on it.

    With `declined` PayPal has just said no, for that reason.
    """
    mark = order.mark
    standing = Standing.DECLINED if declined else _standing(order)
    link = next((one.href for one in order.links if one.rel == "payer-action"), "")
    if mark is None or mark.payment_id != payment.id or order.currencies != {DOLLARS}:
        # Not what we asked for, so nothing of it is believed.
        told = "/".join(sorted(order.currencies))
        return Statement(reference=order.id, standing=standing, amount_halalas=0, currency=told)
    rate, total = mark.rate, order.unit.amount
    captured = _captured(payment, order, rate)
    refunded = _refunded(order, rate, captured)
    gone_cents = _sum(_with(order.moves.refunds, _GONE))
    held = rate.worth(order.taken_cents - gone_cents)
    return Statement(
        reference=order.id,
        standing=standing,
        amount_halalas=rate.believed(total.cents, payment.amount_halalas),
        currency=CURRENCY,
        captured_halalas=captured,
        refunded_halalas=refunded,
        conversion_halalas=held - (captured - refunded),
        challenge_url=link or payment.challenge_url,
        reason=declined,
    )


def _standing(order: PayPalOrder) -> Standing:
    if order.status in _ORDER:
        return _ORDER[order.status]
    if order.taken:
        return Standing.CAPTURED
    if any(one.status == "PENDING" for one in order.moves.captures):
        return Standing.PENDING
    if order.moves.authorizations:
        # A status that is new to us says nothing.
        return _HELD.get(order.moves.authorizations[0].status, Standing.PENDING)
    return Standing.DECLINED if order.moves.captures else Standing.PENDING


def _captured(payment: Payment, order: PayPalOrder, rate: Rate) -> int:
    """What was taken, never more than was asked for: the hold or what the capture says it is."""
    meant = (payment.amount_halalas, *_meant(order.taken))
    believed = rate.believed(order.taken_cents, *meant) if order.taken else 0
    return min(believed, payment.amount_halalas)


def _refunded(order: PayPalOrder, rate: Rate, captured: int) -> int:
    """What went back: all of it, what the refunds say they come to, or what the cents are worth."""
    gone = _with(order.moves.refunds, _GONE)
    cents = _sum(gone)
    if cents and cents == order.taken_cents:
        return captured
    newest_first = sorted(_meant(gone), reverse=True)
    return min(rate.believed(cents, *newest_first), captured)


def _meant(moves: Iterable[Move]) -> list[int]:
    marks = (mark_in(one.invoice_id) for one in moves)
    return [one.halalas for one in marks if one is not None]


def _with(moves: Iterable[Move], statuses: frozenset[str]) -> tuple[Move, ...]:
    return tuple(one for one in moves if one.status in statuses)


def _sum(moves: Iterable[Move]) -> int:
    return sum(one.amount.cents for one in moves)
