"""Wallet and card pay together: whatever happens, neither gives back more than it took."""

import asyncio
from collections.abc import AsyncIterator

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace

from engine.kernel.ids import PaymentId, UserId
from engine.kernel.refusals import Refusal
from engine.money.accounts import AccountKind
from engine.orders.messages import CancelOrder, CancelReason, PlaceOrder
from engine.payments.gateways import Network, Source, SourceKind
from engine.payments.payment import Payment, PaymentStatus, Refund, RefundReason, RefundStatus
from engine.payments.splitting import REST_MIN
from tests.actors.test_gift_credit import CREDIT, WALLET, left
from tests.actors.test_gift_credit import fill as give
from tests.actors.tills import BROKE, DEAF, MADA, MUTE, SECURE, VISA, Tills, some_tills

S = PaymentStatus


@pytest.fixture
async def tills() -> AsyncIterator[Tills]:
    async with some_tills() as running:
        yield running


async def fill(tills: Tills, credit: int, wallet: int) -> None:
    await give(tills, CREDIT, credit)
    await give(tills, WALLET, wallet)


async def paid(tills: Tills, number: str, wallet_halalas: int) -> Payment:
    wish = await tills.checkout(number, wallet_halalas=wallet_halalas)
    made = await tills.host.pay(wish)
    assert isinstance(made, Payment), made
    return made


async def cancel(tills: Tills, payment: Payment) -> Payment:
    wish = CancelOrder(order_id=payment.order_id, reason=CancelReason.OTHER)
    await tills.send(wish, tills.customer)
    await tills.drain()
    return await tills.newest(payment)


async def must_add_up(tills: Tills) -> None:
    await tills.must_add_up()
    assert await tills.balance(AccountKind.GATEWAY, "wallet") == 0


async def test_credit_and_wallet_pay_first_and_the_card_the_rest(tills: Tills) -> None:
    await fill(tills, 300, 500)
    payment = await paid(tills, VISA, 700)
    assert payment.is_placed
    assert await left(tills) == (0, 100)
    (charge,) = tills.protocol.till.charges.values()
    assert charge.amount == payment.amount_halalas - 700
    cancelled = await cancel(tills, payment)
    assert cancelled.status is S.VOIDED
    assert await left(tills) == (300, 500)
    await must_add_up(tills)


async def test_a_hundred_requests_are_one_payment_of_both(tills: Tills) -> None:
    await fill(tills, 300, 500)
    wish = await tills.checkout(MADA, wallet_halalas=700)
    hosts = [tills.another_host() for _ in range(4)]
    told = await asyncio.gather(*(hosts[one % 4].pay(wish) for one in range(100)))
    assert all(isinstance(one, Payment) for one in told)
    await tills.drain()
    payment = await tills.store.find(wish.payment_id)
    assert payment is not None
    assert (payment.status, payment.is_placed) == (S.CAPTURED, True)
    assert payment.captured_halalas == payment.amount_halalas
    assert await left(tills) == (0, 100)
    assert len(tills.protocol.till.charges) == 1
    await must_add_up(tills)


async def test_what_was_taken_goes_back_to_the_card_first(tills: Tills) -> None:
    await fill(tills, 300, 500)
    payment = await paid(tills, MADA, 700)
    by_card = payment.amount_halalas - 700
    for amount, credit, wallet in (
        (by_card - 100, 0, 100),
        (200, 0, 200),
        (200, 0, 400),
        (250, 150, 500),
    ):
        wish = Refund(
            id=tills.new_id(),
            amount_halalas=amount,
            reason=RefundReason.GOODWILL,
            status=RefundStatus.DUE,
            asked_at=tills.clock.now(),
            asked_by=UserId(tills.new_id()),
        )
        for _ in range(3):
            assert not isinstance(await tills.host.refund(payment, wish), Refusal)
        assert await left(tills) == (credit, wallet)
    await tills.drain()
    (charge,) = tills.protocol.till.charges.values()
    assert charge.refunded == by_card
    too_much = Refund(
        id=tills.new_id(),
        amount_halalas=151,
        reason=RefundReason.GOODWILL,
        status=RefundStatus.DUE,
        asked_at=tills.clock.now(),
        asked_by=UserId(tills.new_id()),
    )
    assert isinstance(await tills.host.refund(payment, too_much), Refusal)
    await must_add_up(tills)


@pytest.mark.parametrize("number", [BROKE, DEAF])
async def test_what_was_set_aside_is_free_again_when_the_card_is_not_charged(
    tills: Tills, number: str
) -> None:
    await fill(tills, 300, 500)
    payment = await paid(tills, number, 700)
    for _ in range(6):
        await tills.wait(40)
    await tills.drain()
    assert (await tills.newest(payment)).status is S.DECLINED
    assert await left(tills) == (300, 500)
    await must_add_up(tills)


async def test_a_card_that_was_charged_in_silence_takes_the_wallet_with_it(tills: Tills) -> None:
    await fill(tills, 300, 500)
    payment = await paid(tills, MUTE, 700)
    assert payment.status is S.UNKNOWN
    await tills.wait(40)
    assert (await tills.newest(payment)).is_placed
    assert await left(tills) == (0, 100)
    assert (await cancel(tills, payment)).status is S.VOIDED
    assert await left(tills) == (300, 500)
    await must_add_up(tills)


@pytest.mark.parametrize(("answer", "ends"), [("yes", S.AUTHORISED), ("no", S.DECLINED)])
async def test_his_bank_asks_him_while_the_wallet_waits(
    tills: Tills, answer: str, ends: PaymentStatus
) -> None:
    await fill(tills, 300, 500)
    payment = await paid(tills, SECURE, 700)
    assert payment.status is S.CHALLENGED
    assert await left(tills) == (0, 100)
    await tills.confirm(payment, answer)
    stands = await tills.host.returned(payment)
    await tills.drain()
    assert stands.status is ends
    assert await left(tills) == ((0, 100) if ends is S.AUTHORISED else (300, 500))


async def test_who_confirms_too_late_gets_everything_back(tills: Tills) -> None:
    await fill(tills, 300, 500)
    payment = await paid(tills, SECURE, 700)
    await tills.clock.move(3600)
    await tills.host.look()
    await tills.drain()
    assert (await tills.newest(payment)).status is S.DECLINED
    assert await left(tills) == (300, 500)
    await tills.confirm(payment)
    for notice in await tills.notices():
        await tills.host.hear(tills.gateway.name, notice)
    await tills.wait(40)
    await tills.drain()
    assert (await tills.newest(payment)).status is S.VOIDED
    assert await left(tills) == (300, 500)
    await must_add_up(tills)


async def test_a_wallet_with_too_little_leaves_the_card_alone(tills: Tills) -> None:
    await fill(tills, 300, 100)
    payment = await paid(tills, VISA, 700)
    assert (payment.status, payment.reason) == (S.DECLINED, "BALANCE_TOO_LOW")
    assert not tills.protocol.till.charges
    assert await left(tills) == (300, 100)


@pytest.mark.parametrize("network", [Network.CASH, Network.WALLET])
async def test_a_whole_is_not_split(tills: Tills, network: Network) -> None:
    kind = SourceKind.CASH if network is Network.CASH else SourceKind.WALLET
    wish = await tills.checkout(VISA, wallet_halalas=300, network=network, source=Source(kind=kind))
    told = await tills.host.pay(wish)
    assert isinstance(told, Refusal)
    assert told.code == "split_refused"


async def test_a_card_is_left_with_what_it_may_be_charged(tills: Tills) -> None:
    await fill(tills, 1, 1_000_000)
    total = (await tills.placing()).quote.total_halalas
    for part, is_refused in ((total - REST_MIN + 1, True), (total - REST_MIN, False)):
        asked = await tills.checkout(
            VISA, payment_id=PaymentId(tills.new_id()), wallet_halalas=part
        )
        assert isinstance(await tills.host.pay(asked), Refusal) is is_refused


steps = st.lists(
    st.tuples(st.sampled_from(["refund", "wallet", "cancel"]), st.integers(1, 3_000)), max_size=6
)


@given(number=st.sampled_from([VISA, MADA]), part=st.integers(1, 2_000), story=steps)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_halala_is_invented_or_lost_between_them(
    number: str, part: int, story: list[tuple[str, int]]
) -> None:
    asyncio.run(lived(number, part, story))


async def lived(number: str, part: int, story: list[tuple[str, int]]) -> None:
    async with some_tills() as tills:
        await fill(tills, 700, 1_300)
        paying = await tills.checkout(number, wallet_halalas=part)
        assert isinstance(paying.order, PlaceOrder)
        if paying.order.quote.total_halalas - part < REST_MIN:
            part = paying.order.quote.total_halalas - REST_MIN
            paying = replace(paying, wallet_halalas=part)
        payment = await tills.host.pay(paying)
        assert isinstance(payment, Payment)
        for verb, amount in story:
            if verb == "cancel":
                if not payment.is_over:
                    payment = await cancel(tills, payment)
                continue
            wish = Refund(
                id=tills.new_id(),
                amount_halalas=amount,
                reason=RefundReason.GOODWILL,
                status=RefundStatus.DUE,
                asked_at=tills.clock.now(),
                asked_by=UserId(tills.new_id()),
            )
            await tills.host.refund(payment, wish)
            await tills.drain()
            payment = await tills.newest(payment)
        payment = await cancel(tills, payment) if not payment.is_over else payment
        for _ in range(3):
            await tills.wait(40)
            await tills.drain()
        payment = await tills.newest(payment)
        (charge,) = tills.protocol.till.charges.values()
        mine = payment.wallet
        assert mine is not None
        assert mine.refunded_halalas <= mine.captured_halalas <= part
        assert charge.refunded <= charge.captured <= charge.amount
        assert payment.captured_halalas == charge.captured + mine.captured_halalas
        assert payment.refunded_halalas == charge.refunded + mine.refunded_halalas
        kept = mine.captured_halalas - mine.refunded_halalas
        assert sum(await left(tills)) == 2_000 - kept + payment.credited_halalas
        await must_add_up(tills)
