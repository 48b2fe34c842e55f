"""Moyasar's payouts as the local payment server speaks them, with a bank that has its moods."""

import re
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final

from engine.kernel.ids import derived_id
from simulations.gateways.server import SILENT, PaymentServer, Reply, Request

SECRET_KEY: Final = "sk_test_payouts"  # noqa: S105 - of a server that knows no money
SOURCE_ID: Final = "local-payout-account"
_ONE: Final = re.compile(r"/v1/payouts/([0-9a-f-]{36})")
_PAGE: Final = 50


class Fate(StrEnum):
    """What becomes of a payout at the bank."""

    PAID = "paid"
    FAILED = "failed"
    RETURNED = "returned"
    REJECTED = "rejected"
    LOST_BEFORE = "lost_before"
    LOST_AFTER = "lost_after"


_ENDS: Final = {Fate.FAILED: "failed", Fate.RETURNED: "returned"}


def _pays(number: str) -> Fate:
    """A bank without moods."""
    del number
    return Fate.PAID


class PayoutProtocol:
    """Answers as Moyasar's payouts do; `fate` tells by our sixteen digits what becomes of one.

    A payout is under way until `settle` is called, as banks do with theirs some time later, or
    until somebody looks at it if it `settles_when_asked`.
    """

    def __init__(
        self,
        server: PaymentServer,
        *,
        fate: Callable[[str], Fate] = _pays,
        settles_when_asked: bool = False,
    ) -> None:
        self.kept: dict[str, dict[str, Any]] = {}
        self._fate, self._settles_when_asked = fate, settles_when_asked
        server.serve(self.answer)

    def answer(self, request: Request) -> Reply | None:
        """The answer to what is about payouts; None for what is not."""
        if not request.path.startswith("/v1/payouts"):
            return None
        if request.user() != SECRET_KEY:
            return Reply(status=401, body={"type": "authentication_error"})
        if self._settles_when_asked and request.method == "GET":
            self.settle()
        one = _ONE.fullmatch(request.path)
        if one:
            found = [kept for kept in self.kept.values() if kept["id"] == one[1]]
            return Reply(body=found[0]) if found else Reply(status=404, body={"type": "not_found"})
        if request.method == "POST":
            return self._create(request.json())
        return self._list(int(request.query.get("page", "1")))

    def settle(self) -> None:
        """The bank has done what it does with everything that is under way."""
        for number, one in self.kept.items():
            if one["status"] == "initiated":
                one["status"] = _ENDS.get(self._fate(number), "paid")

    def paid_halalas(self) -> int:
        """All that has left our account at the bank and did not come back."""
        return sum(one["amount"] for one in self.kept.values() if one["status"] == "paid")

    def _create(self, body: dict[str, Any]) -> Reply:
        number = str(body["sequence_number"])
        fate = self._fate(number)
        if fate is Fate.REJECTED or body["source_id"] != SOURCE_ID:
            return Reply(status=400, body={"type": "invalid_request_error"})
        if fate is Fate.LOST_BEFORE:
            return SILENT
        told = {"id": derived_id("bank", number), "status": "initiated", "currency": "SAR"}
        self.kept.setdefault(number, {**body, **told, "failure_reason": None})
        if fate is Fate.LOST_AFTER:
            return SILENT
        return Reply(status=201, body=self.kept[number])

    def _list(self, page: int) -> Reply:
        kept = list(self.kept.values())
        following = page + 1 if page * _PAGE < len(kept) else None
        shown = kept[(page - 1) * _PAGE : page * _PAGE]
        return Reply(body={"payouts": shown, "meta": {"next_page": following}})
