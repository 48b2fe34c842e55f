"""Reconciling a settlement file of Moyasar with the ledger, and entering what matches."""

import csv
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final

from actors.clock import Clock
from actors.ledger import LedgerKeeper, posted_to
from engine.kernel.ids import OrderId
from engine.kernel.refusals import Refusal
from engine.money.accounts import AccountId, AccountKind, account
from engine.money.ledger import Entry
from engine.money.reconciliation import (
    Reconciliation,
    StatementLine,
    items_on,
    reconcile,
    settlements,
)
from engine.money.transfers import about_order
from storage.ledger import LedgerStore

GATEWAY: Final = account(AccountKind.GATEWAY, "moyasar")
# What the gateway moved; a void has moved nothing, and everything else is a break of its own.
_SIGNS: Final = {"pay": 1, "refund": -1}
_NEEDED: Final = ("payment_id", "type", "currency", "amount", "fee", "vat")


class BadFile(Exception):
    """The file cannot be read as what it should be; the text says where and why."""


def read_settlement(file: Path, *, halalas: bool = False) -> tuple[StatementLine, ...]:
    """The lines of a settlement file: CSV in UTF-8, with our `order_id` from the metadata.

    Amounts are riyals, or `halalas`. Columns: docs.moyasar.com, settlements, file format, read in
    November 2026.

    Raises:
        BadFile: a column is missing, or a row says what cannot be understood.
    """
    with file.open(encoding="utf-8-sig", newline="") as opened:
        reader = csv.DictReader(opened)
        missing = [one for one in _NEEDED if one not in (reader.fieldnames or ())]
        if missing:
            raise BadFile(f"{file}: these columns are missing: {', '.join(missing)}")
        found = (_line(file, number, row, halalas) for number, row in enumerate(reader, start=2))
        return tuple(one for one in found if one is not None)


class Reconciling:
    """Holds a file against the ledger; nothing is entered unless that is asked for."""

    def __init__(self, ledger: LedgerKeeper, books: LedgerStore, *, wall: Clock) -> None:
        self._ledger, self._books, self._wall = ledger, books, wall

    async def compare(
        self, lines: tuple[StatementLine, ...], on_entry: Callable[[int], None]
    ) -> Reconciliation:
        """What matches and what breaks; `on_entry` hears how many more entries were read."""
        entries = list[Entry]()
        async for one in posted_to(self._books, GATEWAY):
            entries.append(one)
            on_entry(1)
        return reconcile(lines, items_on(GATEWAY, entries), now=self._wall.now())

    async def post(self, found: Reconciliation, on_match: Callable[[], None]) -> int:
        """Enter what matched as settled, each item once; how many halalas came to our bank."""
        bank: AccountId = account(AccountKind.BANK)
        settled, now = 0, self._wall.now()
        for match in found.matches:
            for transfer in settlements(GATEWAY, match, at=now):
                entered = await self._ledger.enter(transfer)
                assert not isinstance(entered, Refusal), f"settlement {transfer.id}: {entered}"
                settled -= sum(leg.amount for leg in transfer.legs if leg.account == bank)
            on_match()
        return settled


def _line(
    file: Path,
    number: int,
    row: dict[str, str],
    halalas: bool,  # noqa: FBT001 - of the file
) -> StatementLine | None:
    kind = row["type"].strip().lower()
    if kind == "void":
        return None
    try:
        amount, fee, vat = (_halalas(row[one], halalas) for one in ("amount", "fee", "vat"))
    except InvalidOperation:
        raise BadFile(f"{file}, row {number}: an amount is no number") from None
    if row["currency"] != "SAR":
        raise BadFile(f"{file}, row {number}: the currency is not SAR")
    order_id = (row.get("order_id") or "").strip()
    name = about_order(OrderId(order_id)) if order_id else f"{kind}:{row['payment_id']}"
    # What is neither taken nor given back is told as a break, whatever order it names.
    about = name if kind in _SIGNS else f"{kind}:{row['payment_id']}"
    return StatementLine(
        row=number,
        about=about,
        halalas=_SIGNS.get(kind, -1) * abs(amount),
        fee_halalas=fee,
        fee_vat_halalas=vat,
    )


def _halalas(text: str, is_halalas: bool) -> int:  # noqa: FBT001 - of the file
    amount = Decimal((text or "0").replace(",", ""))
    exact = amount if is_halalas else amount * 100
    if exact != int(exact):
        raise InvalidOperation
    return int(exact)
