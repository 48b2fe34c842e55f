"""PayPal's Transaction Search as the local payment server speaks it."""

from datetime import UTC, datetime
from typing import Any, Final

from engine.kernel.timing import SECOND_MS, Instant
from simulations.gateways.paypal import Order, PayPalProtocol
from simulations.gateways.server import PaymentServer, Reply, Request
from simulations.gateways.settlement import fee_of

_PATH: Final = "/v1/reporting/transactions"
_CODES: Final = {"capture": "T0006", "refund": "T1107"}
_LONGEST_MS: Final = 31 * 24 * 3600 * SECOND_MS


class PayPalTransactions:
    """What is older than `late_ms` is found; at most `most`, or the time must be made shorter.

    With `repeats` each page begins with the last transaction of the one before.
    """

    def __init__(self, server: PaymentServer, protocol: PayPalProtocol) -> None:
        self.late_ms, self.most, self.repeats = 0, 10_000, False
        self._protocol, self._till = protocol, protocol.till
        server.serve(self.answer)

    def answer(self, request: Request) -> Reply | None:
        """The answer to a search; None for what is none."""
        if request.path != _PATH:
            return None
        if request.bearer() not in self._protocol.tokens:
            return Reply(status=401, body={"name": "AUTHENTICATION_FAILURE"})
        since, until = (_instant(request.query[one]) for one in ("start_date", "end_date"))
        if not since <= until < since + _LONGEST_MS:
            return _fault("INVALID_REQUEST", "DATE_RANGE_EXCEEDED")
        found = self._found(since, until)
        if len(found) > self.most:
            return _fault("RESULTSET_TOO_LARGE", "RESULTSET_TOO_LARGE")
        size, page = int(request.query["page_size"]), int(request.query["page"])
        first = (page - 1) * size
        before = first - 1 if self.repeats and first else first
        told = {
            "transaction_details": [
                {"transaction_info": one} for one in found[before : first + size]
            ],
            "start_date": _text(since),
            "end_date": _text(until),
            "last_refreshed_datetime": _text(self._refreshed()),
            "page": page,
            "total_items": len(found),
            "total_pages": max(1, -(-len(found) // size)),
        }
        return Reply(body=told)

    def _refreshed(self) -> Instant:
        return self._till.clock.now() - self.late_ms

    def _found(self, since: Instant, until: Instant) -> list[dict[str, Any]]:
        till, refunds, found = self._till, dict[str, int](), list[dict[str, Any]]()
        for (verb, name, amount), at in zip(till.moves, till.moved_at, strict=True):
            number = refunds[name] = refunds.get(name, -1) + (verb == "refund")
            second = at - at % SECOND_MS
            if verb in _CODES and since <= second <= until and at <= self._refreshed():
                told = _told(self._protocol.orders[name], verb, amount, number)
                times = ("transaction_initiation_date", "transaction_updated_date")
                fee = fee_of(till.charges[name].card.network, amount) if verb == "capture" else 0
                shown = {"fee_amount": _money(-fee)} if fee else {}
                found.append({**told, **shown, **dict.fromkeys(times, _text(at))})
        return found


def _told(order: Order, verb: str, amount: int, number: int) -> dict[str, Any]:
    is_refund = verb == "refund"
    body = order.refunds[number] if is_refund else order.capture
    return {
        "transaction_id": f"{order.id}R{number}" if is_refund else f"{order.id}C",
        "transaction_event_code": _CODES[verb],
        "transaction_amount": _money(-amount if is_refund else amount),
        "transaction_status": "S",
        "invoice_id": body.get("invoice_id", ""),
        "custom_field": order.unit.get("custom_id", ""),
    }


def _money(cents: int) -> dict[str, str]:
    sign = "-" if cents < 0 else ""
    value = f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"
    return {"currency_code": "USD", "value": value}


def _instant(text: str) -> Instant:
    return int(datetime.fromisoformat(text).timestamp()) * SECOND_MS


def _text(at: Instant) -> str:
    return datetime.fromtimestamp(at // SECOND_MS, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


def _fault(name: str, issue: str) -> Reply:
    return Reply(status=400, body={"name": name, "details": [{"issue": issue}]})
