"""Moyasar's settlements over its REST API v1: each is a transfer to our bank, line by line.

Amounts are halalas. A line's `amount` is what is left of it for us, its `fee` has VAT in it. What
the transfer itself costs stands with the settlement alone. The whole list is read, in whatever
order, so that one which shows late is not missed. Sources: docs.moyasar.com, list settlements, list
settlement lines, file format, read in November 2026.
"""

from collections.abc import AsyncIterator
from datetime import datetime
from functools import partial
from typing import Any, Final, TypeVar

import httpx2
import msgspec
from msgspec import Struct

from actors.clock import Clock
from actors.gateways.http_gateway import HttpGateway
from actors.gateways.payments import GatewayUncertain
from actors.gateways.settings import MoyasarSettings
from actors.gateways.settlements import LINES_MAX, OfferedSettlement, read_as
from actors.settlement_files import BadFile, SettlementFile, about_line, digest_of
from engine.kernel.timing import DAY_MS, SECOND_MS, Instant
from engine.money.reconciliation import StatementLine
from engine.payments.gateways import CURRENCY, GatewayName

_PAGES_MAX: Final = 5_000
_LATE_MS: Final = 7 * DAY_MS
_MOVES: Final = frozenset({"payment", "refund"})


class _Meta(Struct, frozen=True):
    next_page: int | None = None
    total_count: int | None = None


class _Settlement(Struct, frozen=True):
    id: str
    currency: str
    created_at: str
    fee: int = 0
    tax: int = 0

    @property
    def at(self) -> Instant:
        try:
            return int(datetime.fromisoformat(self.created_at).timestamp() * SECOND_MS)
        except ValueError as error:
            raise GatewayUncertain("a settlement without a time") from error


class _Settlements(Struct, frozen=True):
    settlements: tuple[_Settlement, ...]
    meta: _Meta = _Meta()


class _Line(Struct, frozen=True):
    type: str
    currency: str
    amount: int
    payment_id: str | None = None
    fee: int | None = None
    tax: int | None = None
    metadata: dict[str, Any] | None = None


class _Lines(Struct, frozen=True):
    lines: tuple[_Line, ...]
    meta: _Meta = _Meta()


_Page = TypeVar("_Page", _Settlements, _Lines)


class MoyasarSettlements(HttpGateway):
    """Satisfies `SettlementSource`."""

    gateway = GatewayName.MOYASAR

    def __init__(
        self,
        settings: MoyasarSettings,
        *,
        timeout_s: float,
        wall: Clock,
        wire: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        super().__init__(
            settings.url,
            timeout_s=timeout_s,
            auth=(settings.secret_key.get_secret_value(), ""),
            wire=wire,
        )
        self._wall = wall

    async def settlements(self, since: Instant, now: Instant) -> AsyncIterator[OfferedSettlement]:
        """See `SettlementSource.settlements`."""
        found = {one.id: one for one in await self._all()}
        until = since
        for one in sorted(found.values(), key=lambda one: (one.at, one.id)):
            if since - _LATE_MS <= one.at <= now:
                until = max(until, one.at)
                read = partial(self._read, one)
                yield OfferedSettlement(name=f"settlement {one.id}", until=until, read=read)

    async def _all(self) -> list[_Settlement]:
        found, page = list[_Settlement](), 1
        while True:
            answer = await self._page(_Settlements, "/v1/settlements", page)
            found += answer.settlements
            if answer.meta.next_page is None:
                return found
            page = _following(page, answer.meta.next_page)

    async def _read(self, settlement: _Settlement) -> SettlementFile:
        """All lines of one, and what its transfer to the bank has cost."""
        name = f"settlement {settlement.id}"
        told, page = list[_Line](), 1
        while True:
            answer = await self._page(_Lines, f"/v1/settlements/{settlement.id}/lines", page)
            told += answer.lines
            if len(told) > LINES_MAX:
                raise BadFile(f"{name}: more than {LINES_MAX} lines; put its file into the folder")
            if answer.meta.next_page is None:
                break
            page = _following(page, answer.meta.next_page)
        if answer.meta.total_count not in {None, len(told)}:
            raise GatewayUncertain(f"{len(told)} of {answer.meta.total_count} lines")
        lines = [_line(settlement, row, one) for row, one in enumerate(told, 1)]
        lines.append(_charge(settlement, len(told) + 1))
        kept = tuple(one for one in lines if one is not None)
        digest = digest_of(msgspec.json.encode(told))
        return SettlementFile(gateway=self.gateway, name=name, digest=digest, lines=kept)

    async def _page(self, kind: type[_Page], path: str, page: int) -> _Page:
        return await read_as(kind, lambda: self.ask("GET", f"{path}?page={page}"), self._wall)


def _following(page: int, following: int) -> int:
    if following <= page or following > _PAGES_MAX:
        raise GatewayUncertain(f"page {following} after page {page}")
    return following


def _line(settlement: _Settlement, row: int, line: _Line) -> StatementLine | None:
    if line.type == "void":
        return None
    _must_be_riyals(settlement, line.currency)
    fee, tax, name = line.fee or 0, line.tax or 0, line.payment_id or settlement.id
    order_id = str((line.metadata or {}).get("order_id") or "")
    is_move = line.type in _MOVES
    return StatementLine(
        row=row,
        about=about_line(order_id, line.type, name, is_move=is_move),
        halalas=line.amount + fee,
        fee_halalas=fee - tax,
        fee_vat_halalas=tax,
        # A payment may be refunded twice with the same amount, so its name is not enough.
        reference=f"{settlement.id}:{row}",
        # Its name is ours, too, so that what has lost its metadata is found all the same.
        payment_id=name if is_move and not order_id else "",
    )


def _charge(settlement: _Settlement, row: int) -> StatementLine | None:
    if not settlement.fee:
        return None
    _must_be_riyals(settlement, settlement.currency)
    return StatementLine(
        row=row,
        about=f"transfer:{settlement.id}",
        halalas=0,
        fee_halalas=settlement.fee - settlement.tax,
        fee_vat_halalas=settlement.tax,
        reference=f"{settlement.id}:transfer",
        is_charge=True,
    )


def _must_be_riyals(settlement: _Settlement, currency: str) -> None:
    if currency != CURRENCY:
        raise BadFile(f"settlement {settlement.id}: the currency is not {CURRENCY}")
