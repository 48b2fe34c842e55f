"""What clients were told is held against the service: what is not true is found."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import pytest

from engine.orders.order import OrderStatus
from simulations.chaos.audit import Audit
from simulations.diary import Diary, OrderPage
from simulations.rest import Account, Edge
from simulations.views import Told
from simulations.witness import Chronicle
from tests.api.town import OPERATOR, QUOTE, a_town, order_body
from tests.simulations.test_checks import an_order


@dataclass
class Case:
    """A customer who has placed and cancelled an order, and all that he was told."""

    chronicle: Chronicle
    audit: Audit
    operator: Account
    customer: Account
    diary: Diary
    page: OrderPage

    async def violations(self) -> list[str]:
        return await self.audit.violations(self.operator, [self.customer], self.diary)


@pytest.fixture
async def case(tmp_path: Path) -> AsyncIterator[Case]:
    chronicle, diary = Chronicle(tmp_path / "told.jsonl"), Diary()
    async with a_town(tmp_path) as town:
        edge = Edge(
            town.url,
            town.parts.settings.sms_log,
            clock=town.parts.clock,
            chance=random.Random(1),
            witness=chronicle,
        )
        operator = Account(edge, phone=OPERATOR, role="operator")
        customer = Account(edge, phone=town.phone(), role="customer")
        await operator.log_in()
        await customer.log_in()
        quote = await customer.request("POST", "/v1/quotes", QUOTE, key=town.key())
        body = order_body(quote.body["quote_id"])
        placed = await customer.request("POST", "/v1/orders", body, key=town.key())
        path = f"/v1/orders/{placed.body['order_id']}/cancel"
        await customer.request("POST", path, {"reason": "other"}, key=town.key())
        page = an_order(diary, "o1")
        page.order_id = placed.body["order_id"]
        yield Case(chronicle, Audit(chronicle), operator, customer, diary, page)
        await edge.close()
    chronicle.close()


async def test_what_was_true_is_found_true(case: Case) -> None:
    case.page.hear(2, OrderStatus.CANCELLED.value, 0)
    assert await case.violations() == []
    # The quote's answer is kept with the quote, not with a change.
    assert (case.audit.asked_again, case.audit.histories_read) == (2, 1)
    lines = [msgspec.json.decode(one) for one in case.chronicle.path.read_bytes().splitlines()]
    assert all(one["to"] == case.customer.phone for one in lines)


async def test_an_answer_that_was_not_kept_is_found(case: Case) -> None:
    first, *_ = (one for one in case.chronicle.answers if one.asked[1] == "/v1/orders")
    forgotten = replace(first, told=Told(body={"order_id": "another"}))
    case.chronicle.answers[case.chronicle.answers.index(first)] = forgotten
    (found,) = await case.violations()
    assert "another" in found


async def test_a_status_that_never_was_is_found(case: Case) -> None:
    case.page.hear(2, OrderStatus.DELIVERED.value, 0)
    (found,) = await case.violations()
    assert found == "order o1 was shown delivered in version 2, which was cancelled"


class Unanswered(Account):
    """A phone that the service does not answer any more."""

    async def request(self, *_: object, **__: object) -> Told:
        await asyncio.Event().wait()
        raise AssertionError


async def test_what_cannot_be_looked_at_is_told_and_the_rest_is_looked_at(case: Case) -> None:
    calmed: list[str] = []
    audit = Audit(case.chronicle, calm=lambda: calmed.append("calm"), part_s=1.0)
    unanswered = Unanswered(case.operator.edge, phone=OPERATOR, role="operator")
    found = await audit.violations(unanswered, [case.customer], case.diary)
    assert calmed == ["calm"]
    assert found == ["the histories could not be looked at within 1 s"]
    assert audit.asked_again == 2
