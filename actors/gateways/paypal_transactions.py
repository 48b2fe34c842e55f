"""PayPal's transactions over its Transaction Search API v1: a day of UTC is one settlement.

Its Settlement Report comes by SFTP alone; what is searched has the same transactions, under the
same names and event codes. A transaction shows after three hours at most, and an answer says until
when the search is complete. It gives 10,000 at most, so a day with more is asked for in halves.
Sources: developer.paypal.com, Transaction Search v1, event codes, read in November 2026.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from typing import Final
from urllib.parse import urlencode

import httpx2
import msgspec
from msgspec import Struct

from actors.clock import Clock
from actors.gateways.http_gateway import HttpGateway
from actors.gateways.payments import GatewayRejected, GatewayUncertain
from actors.gateways.paypal_orders import DOLLARS, Money
from actors.gateways.paypal_token import AccessToken
from actors.gateways.settings import PayPalSettings
from actors.gateways.settlements import (
    LINES_MAX,
    NotYet,
    OfferedSettlement,
    days_between,
    read_as,
)
from actors.settlement_files import BadFile, SettlementFile, digest_of, paypal_line
from engine.kernel.timing import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Instant
from engine.money.reconciliation import StatementLine
from engine.payments.gateways import GatewayName

_DELAY_MS: Final = 3 * HOUR_MS
_PAGE: Final = 500
_FOUND_MAX: Final = 10_000
_TOO_MANY: Final = "RESULTSET_TOO_LARGE"
# Denied, and not done yet: neither has moved anything.
_NOT_DONE: Final = frozenset({"D", "P"})


class _Transaction(Struct, frozen=True):
    transaction_id: str
    transaction_event_code: str
    transaction_amount: Money
    transaction_status: str = "S"
    fee_amount: Money | None = None
    invoice_id: str = ""
    custom_field: str = ""


class _Detail(Struct, frozen=True):
    transaction_info: _Transaction


class _Found(Struct, frozen=True):
    transaction_details: tuple[_Detail, ...] = ()
    total_items: int = 0
    total_pages: int = 0
    last_refreshed_datetime: str = ""


class PayPalTransactions(HttpGateway):
    """Satisfies `SettlementSource`."""

    gateway = GatewayName.PAYPAL

    def __init__(
        self,
        settings: PayPalSettings,
        *,
        timeout_s: float,
        wall: Clock,
        wire: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        secret = settings.secret_key.get_secret_value()
        super().__init__(
            settings.url,
            timeout_s=timeout_s,
            auth=AccessToken(settings.url, settings.client_id, secret, wall),
            wire=wire,
        )
        self._wall = wall

    async def settlements(self, since: Instant, now: Instant) -> AsyncIterator[OfferedSettlement]:
        """See `SettlementSource.settlements`."""
        for day in days_between(since, now - _DELAY_MS):
            name = f"transactions of {_text(day)[:10]}"
            read = partial(self._read, name, day)
            yield OfferedSettlement(name=name, until=day + DAY_MS, read=read)

    async def _read(self, name: str, day: Instant) -> SettlementFile:
        found = await self._between(day, day + DAY_MS)
        lines = []
        for row, one in enumerate(found, 1):
            try:
                line = _line(row, one)
            except ValueError as fault:
                raise BadFile(f"{name}, {one.transaction_id}: {fault}") from None
            if line is not None:
                lines.append(line)
        digest = digest_of(msgspec.json.encode(found))
        return SettlementFile(gateway=self.gateway, name=name, digest=digest, lines=tuple(lines))

    async def _between(self, since: Instant, until: Instant) -> list[_Transaction]:
        """What was done from `since` until before `until`, by pages, or in halves if it is much."""
        try:
            first = await self._page(since, until, 1)
        except GatewayRejected as error:
            if error.code != _TOO_MANY:
                raise
            return await self._halves(since, until)
        if _instant(first.last_refreshed_datetime) < until:
            raise NotYet(f"complete until {first.last_refreshed_datetime}")
        if first.total_items > _FOUND_MAX:
            return await self._halves(since, until)
        more = range(2, first.total_pages + 1)
        pages = [first, *[await self._page(since, until, number) for number in more]]
        # One that is listed on two pages, for another came between, is one.
        found = {
            (info.transaction_id, info.transaction_event_code): info
            for page in pages
            for info in (one.transaction_info for one in page.transaction_details)
        }
        if len(found) < first.total_items:
            raise GatewayUncertain(f"{len(found)} of {first.total_items} transactions")
        return list(found.values())

    async def _halves(self, since: Instant, until: Instant) -> list[_Transaction]:
        if until - since < 2 * MINUTE_MS:
            raise BadFile(f"more than {_FOUND_MAX} transactions in the minute of {_text(since)}")
        middle = (since + until) // 2
        middle -= middle % SECOND_MS
        found = await self._between(since, middle) + await self._between(middle, until)
        if len(found) > LINES_MAX:
            raise BadFile(f"more than {LINES_MAX} transactions since {_text(since)}")
        return found

    async def _page(self, since: Instant, until: Instant, number: int) -> _Found:
        query = {
            "start_date": _text(since),
            # Both ends are in it, and seconds are its smallest part.
            "end_date": _text(until - SECOND_MS),
            "fields": "transaction_info",
            "page_size": _PAGE,
            "page": number,
        }
        path = f"/v1/reporting/transactions?{urlencode(query)}"
        return await read_as(_Found, lambda: self.ask("GET", path), self._wall)


def _line(row: int, one: _Transaction) -> StatementLine | None:
    if one.transaction_status in _NOT_DONE:
        return None
    fee = one.fee_amount
    if fee is not None and fee.currency_code != DOLLARS:
        raise ValueError("the fee's currency is not USD")
    return paypal_line(
        row,
        code=one.transaction_event_code,
        name=one.transaction_id,
        texts=(one.invoice_id, one.custom_field),
        currency=one.transaction_amount.currency_code,
        cents=one.transaction_amount.cents,
        fee_cents=0 if fee is None else fee.cents,
    )


def _text(at: Instant) -> str:
    return datetime.fromtimestamp(at // SECOND_MS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _instant(text: str) -> Instant:
    try:
        return int(datetime.fromisoformat(text).timestamp()) * SECOND_MS
    except ValueError as error:
        raise GatewayUncertain("an answer without a time") from error
