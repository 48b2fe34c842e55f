"""Stripe's reports as the local payment server speaks them: each day's payouts."""

import csv
import io
import re
from typing import Any, Final

from actors.gateways.stripe_reports import REPORT
from engine.kernel.timing import DAY_MS, SECOND_MS
from engine.pricing.lines import vat_on
from simulations.gateways.server import PaymentServer, Reply, Request
from simulations.gateways.settlement import fee_of
from simulations.gateways.stripe import SECRET_KEY, StripeProtocol

_TYPE: Final = re.compile(r"/v1/reporting/report_types/([\w.]+)")
_RUN: Final = re.compile(r"/v1/reporting/report_runs/(frr_\d+)")
_RUNS: Final = "/v1/reporting/report_runs"
_FILE: Final = re.compile(r"/v1/files/(file_\d+)/contents")
_CATEGORIES: Final = {"capture": "charge", "refund": "refund"}


class StripeReports:
    """What moved on a day is paid out on that day, and is there a day later.

    A report takes `looks` until it is made; those in `failing` fail instead.
    """

    def __init__(self, server: PaymentServer, protocol: StripeProtocol) -> None:
        self.looks, self.failing = 1, 0
        self.late_ms = 0
        self.made: dict[str, dict[str, Any]] = {}
        self._server, self._protocol, self._till = server, protocol, protocol.till
        self._looked: dict[str, int] = {}
        server.serve(self.answer)

    def answer(self, request: Request) -> Reply | None:
        """The answer to what is about reports; None for what is not."""
        kind, run = _TYPE.fullmatch(request.path), _RUN.fullmatch(request.path)
        file = _FILE.fullmatch(request.path)
        if not (kind or run or file or request.path == _RUNS):
            return None
        if request.headers.get("authorization") != f"Bearer {SECRET_KEY}":
            return _fault(401, "api_key_invalid")
        if kind:
            return self._kind(kind[1])
        if file:
            return self._file(file[1])
        if run:
            return self._shown(run[1]) if run[1] in self.made else _fault(404, "resource_missing")
        return self._create(request.form())

    def _available_end(self) -> int:
        now = self._till.clock.now() - self.late_ms
        return (now - now % DAY_MS) // SECOND_MS

    def _kind(self, name: str) -> Reply:
        if name != REPORT:
            return _fault(404, "resource_missing")
        told = {
            "id": name,
            "object": "reporting.report_type",
            "data_available_start": 0,
            "data_available_end": self._available_end(),
        }
        return Reply(body=told)

    def _create(self, form: dict[str, str]) -> Reply:
        until = int(form["parameters[interval_end]"])
        if form["report_type"] != REPORT or until > self._available_end():
            return _fault(400, "parameter_invalid")
        name = f"frr_{len(self.made) + 1}"
        columns = [text for key, text in form.items() if key.startswith("parameters[columns]")]
        self.made[name] = {
            "since": int(form["parameters[interval_start]"]) * SECOND_MS,
            "until": until * SECOND_MS,
            "columns": columns,
        }
        return self._shown(name)

    def _shown(self, name: str) -> Reply:
        looked = self._looked[name] = self._looked.get(name, -1) + 1
        told: dict[str, Any] = {"id": name, "object": "reporting.report_run", "status": "pending"}
        if looked >= self.looks and self.failing:
            self.failing -= 1
            told |= {"status": "failed", "error": "try again"}
        elif looked >= self.looks:
            file = name.replace("frr_", "file_")
            size = len(self._text(name).encode())
            url = f"{self._server.url}/v1/files/{file}/contents"
            result = {"id": file, "object": "file", "size": size, "type": "csv", "url": url}
            told |= {"status": "succeeded", "result": result}
        return Reply(body=told)

    def _file(self, file: str) -> Reply:
        name = file.replace("file_", "frr_")
        return Reply(sheet=self._text(name)) if name in self.made else _fault(404, "no_file")

    def _text(self, name: str) -> str:
        wish, till, text = self.made[name], self._till, io.StringIO()
        writer = csv.DictWriter(text, wish["columns"], extrasaction="ignore")
        writer.writeheader()
        dated = zip(till.moves, till.moved_at, strict=True)
        paid = 0
        for number, ((verb, charge_id, amount), at) in enumerate(dated, 1):
            if verb in _CATEGORIES and wish["since"] <= at < wish["until"]:
                row, net = self._row(number, verb, charge_id, amount)
                paid += net
                writer.writerow(row)
        if paid:
            ending = {"reporting_category": "payout", "currency": "sar", "gross": _riyals(-paid)}
            writer.writerow({"balance_transaction_id": f"txn_p{name}", "fee": "0.00", **ending})
        return text.getvalue()

    def _row(
        self, number: int, verb: str, charge_id: str, amount: int
    ) -> tuple[dict[str, str], int]:
        charge = self._till.charges[charge_id]
        fee = fee_of(charge.card.network, amount) if verb == "capture" else 0
        # Stripe tells them as one.
        fee += vat_on(fee)
        gross = amount if verb == "capture" else -amount
        row = {
            "balance_transaction_id": f"txn_{number}",
            "currency": charge.currency.lower(),
            "gross": _riyals(gross),
            "fee": _riyals(fee),
            "reporting_category": _CATEGORIES[verb],
            "payment_metadata[order_id]": self._protocol.order_id(charge_id),
        }
        return row, gross - fee


def _riyals(halalas: int) -> str:
    return f"{'-' if halalas < 0 else ''}{abs(halalas) // 100}.{abs(halalas) % 100:02d}"


def _fault(status: int, code: str) -> Reply:
    error = {"type": "invalid_request_error", "code": code, "message": code}
    return Reply(status=status, body={"error": error})
