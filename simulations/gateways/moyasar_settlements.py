"""Moyasar's settlements as the local payment server speaks them: what moved, by transfers."""

import re
import uuid
from datetime import UTC, datetime
from typing import Any, Final

from engine.kernel.timing import MINUTE_MS, SECOND_MS, Instant
from engine.pricing.lines import vat_on
from simulations.gateways.moyasar import SECRET_KEY, MoyasarProtocol
from simulations.gateways.server import PaymentServer, Reply, Request
from simulations.gateways.settlement import fee_of

# Made up: what each transfer to the bank costs, with VAT, and how much of that is VAT.
TRANSFER_FEE: Final = 46
TRANSFER_VAT: Final = 6
_LIST: Final = "/v1/settlements"
_ONE: Final = re.compile(r"/v1/settlements/([0-9a-f-]{36})(/lines)?")
_NAMESPACE: Final = uuid.UUID("7f2f3d5e-2c39-5d0e-9d75-0f6a3c1d8b44")


class MoyasarSettlements:
    """Transfers what has moved when it is told to, or, by itself, each minute that it is asked.

    `page` rows are on a page, and with `repeats` each page begins with the last row of the one
    before, as when something new came in between. What is `hidden` shows late.
    """

    def __init__(
        self,
        server: PaymentServer,
        protocol: MoyasarProtocol,
        *,
        page: int = 40,
        closes_by_itself: bool = False,
    ) -> None:
        self.page, self.repeats = page, False
        self.hidden: set[str] = set()
        self.settled: dict[str, dict[str, Any]] = {}
        self._till, self._closes = protocol.till, closes_by_itself
        self._lines: dict[str, list[dict[str, Any]]] = {}
        self._moves, self._closed_at = 0, 0
        server.serve(self.answer)

    def close(self) -> str:
        """Transfer all that has moved since the last time; the settlement's id."""
        at, till = self._till.clock.now(), self._till
        moves = till.moves[self._moves :]
        self._moves, self._closed_at = len(till.moves), at
        name = str(uuid.uuid5(_NAMESPACE, str(len(self.settled))))
        lines = [self._line(*one) for one in moves]
        self._lines[name] = lines
        self.settled[name] = {
            "id": name,
            "recipient_type": "Entity",
            "currency": "SAR",
            "amount": sum(one["amount"] for one in lines),
            "fee": TRANSFER_FEE,
            "tax": TRANSFER_VAT,
            "reference": None,
            "settlement_count": len(lines),
            "created_at": _time(at),
        }
        return name

    def answer(self, request: Request) -> Reply | None:
        """The answer to what is about settlements; None for what is not."""
        one = _ONE.fullmatch(request.path)
        if request.path != _LIST and one is None:
            return None
        if request.user() != SECRET_KEY:
            return Reply(status=401, body={"type": "authentication_error", "message": "no"})
        page = int(request.query.get("page", "1"))
        if one is None:
            self._close_if_due()
            shown = [row for name, row in self.settled.items() if name not in self.hidden]
            return Reply(body=self._paged("settlements", shown[::-1], page))
        if one[1] not in self.settled:
            return Reply(status=404, body={"type": "record_not_found", "message": "no"})
        if one[2] is None:
            return Reply(body=self.settled[one[1]])
        return Reply(body=self._paged("lines", self._lines[one[1]], page))

    def _close_if_due(self) -> None:
        is_due = self._till.clock.now() - self._closed_at >= MINUTE_MS
        if self._closes and is_due and len(self._till.moves) > self._moves:
            self.close()

    def _paged(self, name: str, rows: list[dict[str, Any]], page: int) -> dict[str, Any]:
        first = (page - 1) * self.page
        before = first - 1 if self.repeats and first and name == "settlements" else first
        is_last = first + self.page >= len(rows)
        meta = {
            "current_page": page,
            "next_page": None if is_last else page + 1,
            "prev_page": page - 1 or None,
            "total_pages": max(1, -(-len(rows) // self.page)),
            "total_count": len(rows),
        }
        return {name: rows[before : first + self.page], "meta": meta}

    def _line(self, verb: str, charge_id: str, amount: int) -> dict[str, Any]:
        charge = self._till.charges[charge_id]
        kind = {"capture": "payment", "refund": "refund", "void": "void"}[verb]
        fee = fee_of(charge.card.network, amount) if kind == "payment" else 0
        tax = vat_on(fee)
        moved = {"payment": amount, "refund": -amount, "void": 0}[kind]
        return {
            "payment_id": charge_id,
            "type": kind,
            "currency": charge.currency,
            "payment_amount": charge.amount,
            "amount": moved - fee - tax,
            "fee": fee + tax,
            "tax": tax,
            "metadata": charge.more.get("metadata"),
        }


def _time(at: Instant) -> str:
    return datetime.fromtimestamp(at / SECOND_MS, UTC).isoformat(timespec="milliseconds")
