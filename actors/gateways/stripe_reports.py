"""Stripe's payout reconciliation over its Reports API: a day's payouts (UTC) are one settlement.

A report is asked for, made, and read as a file, which the SDK cannot do: what it gets it takes for
JSON. Asking twice makes two reports of the same rows. Sources: docs.stripe.com, how the Reports API
works, payout reconciliation report type, report runs, file contents, read in November 2026.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import httpx2
import stripe

from actors.clock import Clock
from actors.gateways.http_client import HttpClient
from actors.gateways.payments import GatewayRejected, GatewayUncertain
from actors.gateways.settings import StripeSettings
from actors.gateways.settlements import LINES_MAX, OfferedSettlement, days_between, patiently
from actors.settlement_files import STRIPE_COLUMNS, BadFile, SettlementFile, parse_settlement
from engine.kernel.timing import DAY_MS, SECOND_MS, Instant
from engine.payments.gateways import GatewayName

REPORT: Final = "payout_reconciliation.itemized.5"
# More than as many lines take.
BYTES_MAX: Final = 256 * LINES_MAX
_LOOK_MS: Final = 2 * SECOND_MS
_LOOK_MS_MAX: Final = 30 * SECOND_MS
_LOOKS_MAX: Final = 12
_BUSY: Final = 429
_REFUSED: Final = range(400, 500)


class StripeReports(HttpClient):
    """Satisfies `SettlementSource`; `wall` is waited by while a report is made."""

    gateway = GatewayName.STRIPE

    def __init__(
        self,
        settings: StripeSettings,
        *,
        timeout_s: float,
        wall: Clock,
        wire: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        key = settings.secret_key.get_secret_value()
        super().__init__(
            settings.files_url,
            timeout_s=timeout_s,
            headers={"authorization": f"Bearer {key}"},
            wire=wire,
        )
        self._wall = wall
        self._reporting = stripe.StripeClient(
            key,
            base_addresses={"api": settings.url},
            http_client=stripe.RequestsClient(timeout=timeout_s),
            max_network_retries=0,
        ).v1.reporting

    async def settlements(self, since: Instant, now: Instant) -> AsyncIterator[OfferedSettlement]:
        """See `SettlementSource.settlements`."""
        kind = await self._asked(lambda: self._reporting.report_types.retrieve(REPORT))
        complete = int(kind["data_available_end"]) * SECOND_MS
        for day in days_between(since, min(now, complete)):
            name = f"payouts of {datetime.fromtimestamp(day // SECOND_MS, UTC):%Y-%m-%d}"
            read = partial(self._read, name, day)
            yield OfferedSettlement(name=name, until=day + DAY_MS, read=read)

    async def _read(self, name: str, day: Instant) -> SettlementFile:
        params: Any = {
            "report_type": REPORT,
            "parameters": {
                "interval_start": day // SECOND_MS,
                "interval_end": (day + DAY_MS) // SECOND_MS,
                "columns": list(STRIPE_COLUMNS),
            },
        }
        run = await self._asked(lambda: self._reporting.report_runs.create(params))
        result = await self._made(str(run["id"]))
        if int(result.get("size") or 0) > BYTES_MAX:
            raise _too_large(name)
        text = await patiently(lambda: self._content(name, str(result["id"])), self._wall)
        return parse_settlement(name, text)

    async def _made(self, run_id: str) -> dict[str, Any]:
        """The file of a report, once it is made."""
        wait_ms = _LOOK_MS
        for _ in range(_LOOKS_MAX):
            run = await self._asked(lambda: self._reporting.report_runs.retrieve(run_id))
            if run["status"] == "succeeded":
                return dict(run["result"])
            if run["status"] == "failed":
                raise GatewayUncertain(f"report {run_id} failed: {run.get('error')}")
            await self._wall.sleep(wait_ms)
            wait_ms = min(2 * wait_ms, _LOOK_MS_MAX)
        raise GatewayUncertain(f"report {run_id} is not made yet")

    async def _content(self, name: str, file_id: str) -> str:
        """By its id and not by the address in the answer: our key goes to Stripe alone."""
        content = bytearray()
        try:
            async with self._client.stream("GET", f"/v1/files/{file_id}/contents") as answer:
                _must_be_good(answer.status_code)
                async for part in answer.aiter_bytes():
                    content += part
                    if len(content) > BYTES_MAX:
                        raise _too_large(name)
        except httpx2.TransportError as error:
            raise GatewayUncertain(f"no answer: {type(error).__name__}") from error
        try:
            return content.decode()
        except UnicodeDecodeError:
            raise BadFile(f"{name}: the file is no UTF-8") from None

    async def _asked(self, ask: Callable[[], Any]) -> dict[str, Any]:
        return await patiently(partial(_answer, ask), self._wall)


async def _answer(ask: Callable[[], Any]) -> dict[str, Any]:
    try:
        found = await asyncio.to_thread(ask)
    except stripe.StripeError as error:
        _must_be_good(error.http_status or _BUSY, error.code or "")
        raise GatewayUncertain(type(error).__name__) from error
    return dict(found.to_dict())


def _must_be_good(status: int, code: str = "") -> None:
    if status in _REFUSED and status != _BUSY:
        raise GatewayRejected(f"status {status}: {code}", code=code)
    if status >= _REFUSED.start:
        raise GatewayUncertain(f"status {status}")


def _too_large(name: str) -> BadFile:
    return BadFile(f"{name}: more than {BYTES_MAX:,} bytes; put its file into the folder")
