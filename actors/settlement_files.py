"""Settlement files as gateways write them: which gateway's it is shows in its first row.

Sources: docs.moyasar.com, settlements, file format; docs.stripe.com, itemised payout reconciliation
and reporting categories; developer.paypal.com, Settlement Report specification (STL); all read in
November 2026.
"""

import csv
import hashlib
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from itertools import zip_longest
from pathlib import Path
from typing import Final

from msgspec import Struct

from engine.kernel.ids import OrderId
from engine.money.reconciliation import StatementLine
from engine.money.transfers import about_order
from engine.payments.conversion import Rate, mark_in
from engine.payments.gateways import CURRENCY, GatewayName

Row = dict[str, str]
Read = Callable[[Row, int], StatementLine | None]

_MOYASAR: Final = ("payment_id", "type", "currency", "amount", "fee", "vat")
# What was moved; a void has moved nothing, and everything else is a break of its own.
_SIGNS: Final = {"pay": 1, "refund": -1}
STRIPE_COLUMNS: Final = (
    "balance_transaction_id",
    "currency",
    "gross",
    "fee",
    "reporting_category",
    "payment_metadata[order_id]",
)
_STRIPE_MOVES: Final = frozenset({"charge", "refund", "refund_failure", "partial_capture_reversal"})
# What only says that the money of other lines went to our bank.
_STRIPE_BANK: Final = frozenset({"payout", "payout_reversal"})
_PAYPAL: Final = (
    "Transaction ID",
    "Invoice ID",
    "Transaction Event Code",
    "Transaction Debit or Credit",
    "Gross Transaction Amount",
    "Gross Transaction Currency",
    "Fee Debit or Credit",
    "Fee Amount",
    "Custom Field",
)
_PAYPAL_BANK: Final = ("T02", "T04")
_PAYPAL_MOVES: Final = ("T00", "T1107")
_PEG: Final = Rate(37_500)
_DIGEST_LETTERS: Final = 16
# Far above what any gateway moves, and a file's sum of it still has room in the ledger.
_HALALAS_MAX: Final = 10**13
_NAME_MAX: Final = 200


class BadFile(Exception):
    """The file cannot be read as what it should be; the text says where and why."""


class SettlementFile(Struct, frozen=True, kw_only=True):
    """A gateway's file as it was read; the same `digest` is the same file."""

    gateway: GatewayName
    name: str
    digest: str
    lines: tuple[StatementLine, ...]


def read_settlement(file: Path, *, halalas: bool = False) -> SettlementFile:
    """A file from a folder; see `parse_settlement`."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as fault:
        raise BadFile(f"{file}: this is no UTF-8: {fault}") from None
    return parse_settlement(str(file), text, halalas=halalas)


def digest_of(content: bytes) -> str:
    """By what the same file is known again."""
    return hashlib.sha256(content).hexdigest()[:_DIGEST_LETTERS]


def parse_settlement(name: str, text: str, *, halalas: bool = False) -> SettlementFile:
    """The lines of a settlement file: CSV of Moyasar, Stripe or PayPal.

    Moyasar's amounts are riyals, or `halalas`.

    Raises:
        BadFile: a column is missing, or a row says what cannot be understood.
    """
    if "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise BadFile(f"{name}: there is a character in it that cannot be stored")
    try:
        return _parsed(name, text, halalas=halalas)
    except csv.Error as fault:
        raise BadFile(f"{name}: {fault}") from None


def _parsed(name: str, text: str, *, halalas: bool) -> SettlementFile:
    digest = digest_of(text.encode())
    rows = csv.reader(text.splitlines())
    first = next(rows, [])
    if first[:1] == ["RH"]:
        gateway, lines = GatewayName.PAYPAL, _lines(name, _paypal_rows(name, rows), _paypal)
    elif STRIPE_COLUMNS[0] in first:
        _must_have(name, first, STRIPE_COLUMNS)
        gateway, lines = GatewayName.STRIPE, _lines(name, _named(first, rows), _stripe)
    else:
        _must_have(name, first, _MOYASAR)
        read = _moyasar(digest, halalas=halalas)
        gateway, lines = GatewayName.MOYASAR, _lines(name, _named(first, rows), read)
    return SettlementFile(gateway=gateway, name=name, digest=digest, lines=lines)


def _lines(name: str, rows: Iterator[tuple[int, Row]], read: Read) -> tuple[StatementLine, ...]:
    lines = []
    for number, row in rows:
        try:
            line = read(row, number)
            if line is not None:
                _must_have_room(line)
        except ArithmeticError:
            raise BadFile(f"{name}, row {number}: an amount is no number") from None
        except ValueError as fault:
            raise BadFile(f"{name}, row {number}: {fault}") from None
        if line is not None:
            lines.append(line)
    return tuple(lines)


def _named(head: list[str], rows: Iterator[list[str]]) -> Iterator[tuple[int, Row]]:
    for number, values in enumerate(rows, start=2):
        if values:
            yield number, _row(head, values)


def _row(head: list[str], values: list[str]) -> Row:
    """What a short row lacks is empty."""
    return dict(zip_longest(head, values[: len(head)], fillvalue=""))


def _paypal_rows(name: str, rows: Iterator[list[str]]) -> Iterator[tuple[int, Row]]:
    """The bodies of all sections; each section has a head of its own."""
    head: list[str] = []
    for number, values in enumerate(rows, start=2):
        if values[:1] == ["CH"]:
            head = [one.replace("  ", " ") for one in values]
            _must_have(name, head, _PAYPAL)
        elif values[:1] == ["SB"]:
            yield number, _row(head, values)


def _must_have(name: str, head: list[str], columns: tuple[str, ...]) -> None:
    missing = [one for one in columns if one not in head]
    if missing:
        raise BadFile(f"{name}: these columns are missing: {', '.join(missing)}")


def _moyasar(digest: str, *, halalas: bool) -> Read:
    def read(row: Row, number: int) -> StatementLine | None:
        kind = row["type"].strip().lower()
        if kind == "void":
            return None
        amount, fee, vat = (_halalas(row[one], halalas=halalas) for one in _MOYASAR[3:])
        _must_be_riyals(row["currency"])
        return StatementLine(
            row=number,
            about=about_line(
                row.get("order_id", ""), kind, row["payment_id"], is_move=kind in _SIGNS
            ),
            halalas=_SIGNS.get(kind, -1) * abs(amount),
            fee_halalas=fee,
            fee_vat_halalas=vat,
            # A payment may be refunded twice with the same amount, so its name is not enough.
            reference=f"{digest}:{number}",
        )

    return read


def _stripe(row: Row, number: int) -> StatementLine | None:
    """One balance transaction; the fee has its VAT in it, which the file does not tell apart."""
    kind, name = row["reporting_category"].strip().lower(), row["balance_transaction_id"]
    if kind in _STRIPE_BANK:
        return None
    _must_be_riyals(row["currency"])
    order_id = row["payment_metadata[order_id]"]
    return StatementLine(
        row=number,
        about=about_line(order_id, kind, name, is_move=kind in _STRIPE_MOVES),
        halalas=_halalas(row["gross"]),
        fee_halalas=_halalas(row["fee"]),
        reference=name,
    )


def _paypal(row: Row, number: int) -> StatementLine | None:
    return paypal_line(
        number,
        code=row["Transaction Event Code"],
        name=row["Transaction ID"],
        texts=(row["Invoice ID"], row["Custom Field"]),
        currency=row["Gross Transaction Currency"],
        cents=_cents(row, "Gross Transaction Amount", "Transaction Debit or Credit"),
        fee_cents=_cents(row, "Fee Amount", "Fee Debit or Credit"),
    )


def paypal_line(
    number: int,
    *,
    code: str,
    name: str,
    texts: tuple[str, str],
    currency: str,
    cents: int,
    fee_cents: int,
) -> StatementLine | None:
    """One transaction in US cents, told in halalas at the rate of its payment.

    Cents and fee are above zero for what came; our mark is in one of the texts. None for what only
    says that the money of others went to our bank.
    """
    if code.startswith(_PAYPAL_BANK):
        return None
    if currency != "USD":
        raise ValueError("the currency is not USD")
    mark = mark_in(texts[0]) or mark_in(texts[1])
    is_ours = mark is not None and code.startswith(_PAYPAL_MOVES)
    rate = _PEG if mark is None else mark.rate
    return StatementLine(
        row=number,
        about=f"{code}:{name}",
        halalas=_worth(rate, cents),
        fee_halalas=-_worth(rate, fee_cents),
        reference=name,
        payment_id=mark.payment_id if mark is not None and is_ours else "",
        is_converted=True,
    )


def _worth(rate: Rate, cents: int) -> int:
    return rate.worth(abs(cents)) * (1 if cents > 0 else -1)


def _cents(row: Row, amount: str, direction: str) -> int:
    """Whole cents without a sign; the column beside them says whether they came or went."""
    cents = row[amount] or "0"
    if not (cents.isascii() and cents.isdecimal()):
        raise InvalidOperation
    return int(cents) * (1 if row[direction] == "CR" else -1)


def about_line(order_id: str, kind: str, name: str, *, is_move: bool) -> str:
    """The order; what is neither taken nor given back is told by itself, whatever it names."""
    known = order_id.strip()
    return about_order(OrderId(known)) if known and is_move else f"{kind}:{name}"


def _must_have_room(line: StatementLine) -> None:
    amounts = (line.halalas, line.fee_halalas, line.fee_vat_halalas)
    if max(abs(one) for one in amounts) > _HALALAS_MAX:
        raise ValueError("an amount is larger than any payment")
    if max(len(line.about), len(line.reference)) > _NAME_MAX:
        raise ValueError(f"a name is longer than {_NAME_MAX} characters")


def _must_be_riyals(currency: str) -> None:
    if currency.strip().upper() != CURRENCY:
        raise ValueError(f"the currency is not {CURRENCY}")


def _halalas(text: str, *, halalas: bool = False) -> int:
    amount = Decimal((text or "0").replace(",", ""))
    exact = amount if halalas else amount * 100
    # Before it is written out in digits, which may be a million.
    if not abs(exact) <= _HALALAS_MAX:
        raise ValueError("an amount is larger than any payment")
    if exact != int(exact):
        raise InvalidOperation
    return int(exact)
