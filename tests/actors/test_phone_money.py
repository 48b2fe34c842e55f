"""Paying by phone: STC Pay asks its owner for a code, Apple Pay is a card that is already asked."""

from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from engine.payments.gateways import Flow, Network, Source, SourceKind
from engine.payments.payment import Payment, PaymentStatus, Refund, RefundReason, RefundStatus
from simulations.gateways.cards import MagicCard
from simulations.gateways.stc_pay import CODES, MOBILES, RIGHT
from tests.actors.tills import MADA, VISA, Tills, some_tills

S = PaymentStatus
MOBILE = "0500000001"


@pytest.fixture
async def tills() -> AsyncIterator[Tills]:
    async with some_tills() as running:
        yield running


async def paid(tills: Tills, network: Network, source: Source) -> Payment:
    wish = replace(await tills.checkout(), network=network, source=source)
    made = await tills.host.pay(wish)
    assert isinstance(made, Payment), made
    return made


async def by_mobile(tills: Tills, mobile: str = MOBILE) -> Payment:
    source = Source(kind=SourceKind.STC_PAY, value=mobile)
    return await paid(tills, Network.STC_PAY, source)


async def tell(tills: Tills, payment: Payment, code: str) -> Payment:
    told = await tills.http.post(payment.challenge_url, json={"otp_value": code})
    assert told.status_code == 200, told.text
    return await tills.host.returned(payment)


@pytest.mark.parametrize("mobile", [MOBILE, "+966500000001", "966 50 000 0001", "500000001"])
async def test_the_right_code_takes_the_money_and_places_the_order(
    tills: Tills, mobile: str
) -> None:
    asked = await by_mobile(tills, mobile)
    assert (asked.status, asked.flow, asked.is_placed) == (S.CHALLENGED, Flow.CHARGE, False)
    assert await tills.order_of(asked) is None
    payment = await tell(tills, asked, RIGHT)
    assert (payment.status, payment.is_placed, payment.challenge_url) == (S.CAPTURED, True, "")
    assert payment.card is not None
    assert (payment.card.network, payment.card.last_four) == (Network.STC_PAY, "0001")
    back = Refund(
        id=tills.new_id(),
        amount_halalas=300,
        reason=RefundReason.LATE,
        status=RefundStatus.DUE,
        asked_at=tills.clock.now(),
        asked_by=payment.customer_id,
    )
    given = await tills.host.refund(payment, back)
    assert isinstance(given, Payment)
    assert given.refunded_halalas == 300
    await tills.drain()
    await tills.must_add_up()


@pytest.mark.parametrize("code", [one.code for one in CODES if one.declined])
async def test_a_code_that_is_wrong_or_comes_to_nothing_says_why(tills: Tills, code: str) -> None:
    asked = await by_mobile(tills)
    declined = await tell(tills, asked, code)
    wanted = next(one.declined for one in CODES if one.code == code)
    assert (declined.status, declined.reason) == (S.DECLINED, wanted)
    assert await tills.order_of(declined) is None
    # The right one comes too late then.
    assert (await tell(tills, asked, RIGHT)).status is S.DECLINED
    assert tills.protocol.till.kept() == 0


@pytest.mark.parametrize("one", MOBILES)
async def test_an_account_that_is_none_is_declined_at_once(tills: Tills, one: MagicCard) -> None:
    declined = await by_mobile(tills, one.number)
    assert (declined.status, declined.reason) == (S.DECLINED, one.declined)


async def test_what_is_no_mobile_comes_to_nothing(tills: Tills) -> None:
    declined = await by_mobile(tills, "112")
    assert (declined.status, declined.reason) == (S.DECLINED, "not_accepted")


async def test_a_code_that_never_comes_lapses_and_a_late_one_is_given_back(tills: Tills) -> None:
    asked = await by_mobile(tills)
    await tills.wait(3600)
    assert (await tills.newest(asked)).reason == "challenge_expired"
    late = await tell(tills, asked, RIGHT)
    for notice in await tills.notices():
        heard = await tills.host.hear(late.gateway, notice)
        if heard is not None:
            await tills.host.advance(heard)
    assert (await tills.newest(asked)).status is S.REFUNDED
    assert tills.protocol.till.kept() == 0


@pytest.mark.parametrize(
    ("number", "network", "flow", "status"),
    [
        (VISA, Network.VISA, Flow.HOLD, S.AUTHORISED),
        (MADA, Network.MADA, Flow.CHARGE, S.CAPTURED),
    ],
)
async def test_apple_pay_goes_as_the_card_in_it_does(
    tills: Tills, number: str, network: Network, flow: Flow, status: PaymentStatus
) -> None:
    source = Source(kind=SourceKind.APPLE_PAY, value=number)
    payment = await paid(tills, network, source)
    assert (payment.flow, payment.status, payment.is_placed) == (flow, status, True)
    assert payment.card is not None
    assert (payment.card.network, payment.card.last_four) == (network, number[-4:])
