"""Payments between a customer who comes and goes, a gateway that falls silent, and time."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import msgspec
import pytest

from engine.kernel.ids import UserId
from engine.kernel.refusals import Refusal
from engine.money.accounts import AccountKind
from engine.orders.messages import CancelOrder, CancelReason
from engine.orders.order import OrderStatus
from engine.payments.gateways import Flow, Network
from engine.payments.payment import (
    Payment,
    PaymentStatus,
    Refund,
    RefundReason,
    RefundStatus,
    RefundTo,
)
from engine.payments.refunding import decide_refund
from simulations.gateways.cards import Silence
from tests.actors.tills import (
    BROKE,
    DEAF,
    MADA,
    MUTE,
    SECURE,
    SECURE_MADA,
    VISA,
    Tills,
    some_tills,
)
from tests.builders import NOON

S = PaymentStatus


@pytest.fixture
async def tills() -> AsyncIterator[Tills]:
    async with some_tills() as running:
        yield running


async def test_a_held_payment_places_its_order(tills: Tills) -> None:
    payment = await tills.paid(VISA)
    assert (payment.status, payment.flow, payment.is_placed) == (S.AUTHORISED, Flow.HOLD, True)
    order = await tills.order_of(payment)
    assert order is not None
    assert (order.payment_id, order.total_halalas) == (payment.id, payment.amount_halalas)
    await tills.drain()
    assert await tills.balance(AccountKind.ORDER, order.id) == 0
    await tills.must_add_up()


async def test_mada_is_charged_at_once_whatever_the_app_takes_it_for(tills: Tills) -> None:
    payment = await tills.paid(MADA)
    assert (payment.network, payment.flow, payment.status) == (
        Network.MADA,
        Flow.CHARGE,
        S.CAPTURED,
    )
    assert payment.card is not None
    assert payment.card.last_four == MADA[-4:]
    await tills.drain()
    assert await tills.balance(AccountKind.ORDER, payment.order_id) == payment.amount_halalas
    await tills.must_add_up()


async def test_a_declined_payment_places_nothing_and_another_may_be_tried(tills: Tills) -> None:
    wish = await tills.checkout(BROKE)
    declined = await tills.host.pay(wish)
    assert not isinstance(declined, Refusal)
    assert (declined.status, declined.reason) == (S.DECLINED, "INSUFFICIENT_FUNDS")
    assert await tills.order_of(declined) is None
    again = await tills.host.pay(await tills.checkout(VISA, order=wish.order))
    assert not isinstance(again, Refusal)
    assert again.is_placed


async def test_a_quote_is_not_paid_for_twice(tills: Tills) -> None:
    wish = await tills.checkout(MADA)
    await tills.host.pay(wish)
    second = await tills.host.pay(await tills.checkout(MADA, order=wish.order))
    assert isinstance(second, Refusal)
    assert second.code == "order_paid"
    assert len(tills.protocol.till.charges) == 1


@pytest.mark.parametrize("number", [SECURE, SECURE_MADA])
async def test_the_order_waits_for_the_banks_word(tills: Tills, number: str) -> None:
    payment = await tills.paid(number)
    assert payment.status is S.CHALLENGED
    assert await tills.order_of(payment) is None
    # He says that he has confirmed, and has not.
    payment = await tills.host.returned(payment)
    assert payment.status is S.CHALLENGED
    await tills.confirm(payment)
    payment = await tills.host.returned(payment)
    assert payment.is_placed
    assert payment.challenge_url == ""
    await tills.drain()
    await tills.must_add_up()


async def test_a_challenge_is_refused_or_forgotten(tills: Tills) -> None:
    refused = await tills.paid(SECURE)
    await tills.confirm(refused, "no")
    assert (await tills.host.returned(refused)).status is S.DECLINED
    asked = await tills.paid(SECURE_MADA)
    await tills.wait(3600)
    forgotten = await tills.newest(asked)
    assert (forgotten.status, forgotten.reason) == (S.DECLINED, "challenge_expired")
    # He confirms after all, when nobody expects it any more: it is given back.
    await tills.confirm(asked)
    for notice in await tills.notices():
        heard = await tills.host.hear(forgotten.gateway, notice)
        if heard is not None:
            await tills.host.advance(heard)
    forgotten = await tills.newest(forgotten)
    assert (forgotten.status, forgotten.is_placed) == (S.REFUNDED, False)
    await tills.drain()
    await tills.must_add_up()
    assert tills.protocol.till.kept() == 0


async def test_silence_after_the_charge_is_no_second_charge(tills: Tills) -> None:
    payment = await tills.paid(MUTE)
    assert payment.status is S.UNKNOWN
    assert await tills.order_of(payment) is None
    await tills.wait(10)
    payment = await tills.newest(payment)
    assert (payment.status, payment.is_placed) == (S.AUTHORISED, True)
    assert len(tills.protocol.till.charges) == 1


async def test_what_never_arrived_is_declined_once_that_is_certain(tills: Tills) -> None:
    payment = await tills.paid(DEAF)
    for seconds in (10, 20, 30):
        await tills.wait(seconds)
        assert (await tills.newest(payment)).status is S.UNKNOWN
    await tills.wait(120)
    payment = await tills.newest(payment)
    assert (payment.status, payment.reason) == (S.DECLINED, "not_taken")
    assert not tills.protocol.till.charges


async def test_an_order_that_is_refused_gives_its_money_back(tills: Tills) -> None:
    held, charged = await tills.checkout(SECURE), await tills.checkout(SECURE_MADA)
    payments = [await tills.host.pay(one) for one in (held, charged)]
    for one in payments:
        assert not isinstance(one, Refusal)
        await tills.confirm(one)
    await tills.clock.move(16 * 60)
    for one in payments:
        assert not isinstance(one, Refusal)
        later = await tills.host.returned(one)
        assert (later.status, later.reason) in {
            (S.VOIDED, "quote_expired"),
            (S.REFUNDED, "quote_expired"),
        }
        assert await tills.order_of(later) is None
    await tills.drain()
    await tills.must_add_up()
    assert tills.protocol.till.kept() == 0


async def test_a_hundred_retries_at_once_are_one_payment(tills: Tills) -> None:
    wish = await tills.checkout(MADA)
    hosts = [tills.another_host() for _ in range(4)]
    found = await asyncio.gather(*(hosts[n % 4].pay(wish) for n in range(100)))
    assert not any(isinstance(one, Refusal) for one in found)
    payment = await tills.host.returned(await tills.store.find(wish.payment_id) or found[0])  # type: ignore[arg-type]
    assert payment.is_placed
    await tills.drain()
    assert tills.protocol.till.moves == [("capture", payment.id, payment.amount_halalas)]
    await tills.must_add_up()


async def test_webhooks_come_twice_late_and_in_any_order(tills: Tills) -> None:
    payment = await tills.paid(SECURE)
    await tills.confirm(payment)
    notices = await tills.notices()
    assert len(notices) == 2
    for notice in (*reversed(notices), *notices):
        heard = await tills.host.hear(payment.gateway, notice)
        assert heard is not None
        await tills.host.advance(heard)
    payment = await tills.newest(payment)
    assert (payment.status, payment.is_placed) == (S.AUTHORISED, True)
    told = [
        one.data["notice_id"]
        for one in await tills.store.list_events(payment.id)
        if one.type == "GatewayNoticed"
    ]
    assert sorted(told) == sorted(one.id for one in notices)


async def test_a_notice_outlives_the_process_that_took_it(tills: Tills) -> None:
    payment = await tills.paid(SECURE)
    await tills.confirm(payment)
    await tills.host.hear(payment.gateway, (await tills.notices())[-1])
    await tills.another_host().look()
    assert (await tills.newest(payment)).is_placed


async def test_a_notice_without_the_secret_is_not_read(tills: Tills) -> None:
    payment = await tills.paid(SECURE)
    (genuine,) = tills.server.webhooks
    forged = msgspec.json.decode(genuine.body)
    forged["secret_token"] = "guessed"
    assert await tills.gateway.read_notice({}, msgspec.json.encode(forged)) is None
    assert await tills.gateway.read_notice({}, b"{") is None
    assert await tills.gateway.read_notice({}, genuine.body) is not None
    assert payment.status is S.CHALLENGED


async def test_another_amount_or_currency_is_never_believed(tills: Tills) -> None:
    for field, value in (("amount", 1), ("currency", "USD")):
        payment = await tills.paid(SECURE)
        await tills.confirm(payment)
        setattr(tills.protocol.till.charges[payment.id], field, value)
        payment = await tills.host.returned(payment)
        assert (payment.status, payment.is_placed) == (S.MISMATCHED, False)
        assert await tills.order_of(payment) is None


async def test_a_gateway_that_is_away_is_asked_again(tills: Tills) -> None:
    payment = await tills.paid(MUTE)
    for _ in range(3):
        tills.server.fall_silent("GET", Silence.BEFORE)
        await tills.wait(60)
        assert (await tills.newest(payment)).status is S.UNKNOWN
    await tills.wait(120)
    order = await tills.order_of(payment)
    assert order is not None
    assert order.status is OrderStatus.WAITING


async def test_a_token_that_is_none_is_refused_before_anything_is_stored(tills: Tills) -> None:
    wish = await tills.checkout()
    for value in ("token_unknown", "../payments"):
        source = msgspec.structs.replace(wish.source, value=value)
        refused = await tills.host.pay(msgspec.structs.replace(wish, source=source))
        assert isinstance(refused, Refusal)
        assert refused.code == "source_refused"
    assert await tills.store.find(wish.payment_id) is None


def a_refund(tills: Tills, amount: int, **fields: Any) -> Refund:
    known = {
        "id": tills.new_id(),
        "amount_halalas": amount,
        "reason": RefundReason.LATE,
        "status": RefundStatus.DUE,
        "asked_at": tills.clock.now(),
        "asked_by": UserId(tills.new_id()),
    }
    return Refund(**{**known, **fields})


@pytest.mark.parametrize(("number", "status"), [(VISA, S.VOIDED), (MADA, S.REFUNDED)])
async def test_a_cancelled_order_gives_its_money_back(
    tills: Tills, number: str, status: PaymentStatus
) -> None:
    payment = await tills.paid(number)
    cancel = CancelOrder(order_id=payment.order_id, reason=CancelReason.CHANGED_MIND)
    await tills.send(cancel, tills.customer)
    await tills.drain()
    assert (await tills.newest(payment)).status is status
    assert tills.protocol.till.kept() == 0
    await tills.must_add_up()


async def test_a_refund_that_nobody_answers_is_looked_for_and_not_repeated(tills: Tills) -> None:
    for silence, moves in ((Silence.AFTER, 1), (Silence.BEFORE, 1)):
        payment = await tills.paid(MADA)
        tills.server.fall_silent("/refund", silence)
        asked = await tills.host.refund(payment, a_refund(tills, 100))
        assert isinstance(asked, Payment)
        assert asked.status is S.UNKNOWN
        for _ in range(4):
            await tills.wait(60)
        later = await tills.newest(payment)
        assert (later.refunded_halalas, later.refunds[0].status) == (100, RefundStatus.DONE)
        done = [one for one in tills.protocol.till.moves if one[:2] == ("refund", payment.id)]
        assert len(done) == moves
    await tills.drain()
    await tills.must_add_up()


async def test_a_hundred_equal_refunds_are_one_and_different_ones_never_too_much(
    tills: Tills,
) -> None:
    payment = await tills.paid(MADA)
    hosts = [tills.another_host() for _ in range(4)]
    same = a_refund(tills, 300)
    await asyncio.gather(*(hosts[n % 4].refund(payment, same) for n in range(100)))
    others = [a_refund(tills, payment.amount_halalas // 10) for _ in range(30)]
    found = await asyncio.gather(
        *(hosts[n % 4].refund(payment, one) for n, one in enumerate(others))
    )
    refused = [one.code for one in found if isinstance(one, Refusal)]
    assert set(refused) == {"refund_exceeds"}
    for _ in range(5):
        await tills.wait(300)
    later = await tills.newest(payment)
    assert all(one.status is RefundStatus.DONE for one in later.refunds)
    assert len(later.refunds) == 31 - len(refused)
    given = sum(one.amount_halalas for one in later.refunds)
    assert later.amount_halalas - later.amount_halalas // 10 < given <= later.amount_halalas
    await tills.drain()
    await tills.must_add_up()


async def test_a_refund_into_the_wallet_asks_no_gateway(tills: Tills) -> None:
    payment = await tills.paid(MADA)
    await tills.host.refund(payment, a_refund(tills, 250, to=RefundTo.WALLET))
    later = await tills.newest(payment)
    assert (later.credited_halalas, later.refunded_halalas) == (250, 0)
    await tills.drain()
    assert await tills.balance(AccountKind.CUSTOMER_WALLET, tills.customer.user_id) == 250
    await tills.must_add_up()


async def test_much_is_given_back_only_when_somebody_else_approves(tills: Tills) -> None:
    payment = await tills.paid(MADA)
    host = tills.another_host(refund_limit_halalas=400)
    agent, other = UserId(tills.new_id()), UserId(tills.new_id())
    small, second = (a_refund(tills, 300, asked_by=agent) for _ in range(2))
    await host.refund(payment, small)
    # Two halves are as much as the whole.
    waiting = await host.refund(payment, second)
    assert isinstance(waiting, Payment)
    assert waiting.refunds[1].status is RefundStatus.WAITS_FOR_APPROVAL

    async def say(by: UserId, *, yes: bool) -> Payment | Refusal:
        rule = partial(decide_refund, refund_id=second.id, is_approved=yes, by=by, now=NOON)
        return await host.settle(payment, rule)

    himself = await say(agent, yes=True)
    assert isinstance(himself, Refusal)
    assert himself.code == "not_your_approval"
    approved = await say(other, yes=True)
    assert isinstance(approved, Payment)
    assert approved.refunded_halalas == 600
    assert isinstance(await say(other, yes=True), Payment)
    changed = await say(other, yes=False)
    assert isinstance(changed, Refusal)
    assert changed.code == "refund_decided"
