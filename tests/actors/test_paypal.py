"""PayPal: a customer's word and ours, cents for halalas, and webhooks that it vouches for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from actors.gateways.payments import GatewayUncertain, Notice
from actors.gateways.paypal import PayPal
from actors.payments import Payments
from engine.kernel.ids import PaymentId
from engine.kernel.messages import Decision
from engine.kernel.timing import SECOND_MS
from engine.money.accounts import AccountKind
from engine.orders.messages import CancelOrder, CancelReason
from engine.payments import decide
from engine.payments.conversion import Rate
from engine.payments.gateways import HOLD_LASTS_MS, Flow, GatewayName, Network, Standing
from engine.payments.payment import (
    Payment,
    PaymentStatus,
    Refund,
    RefundReason,
    RefundStatus,
    evolve,
)
from simulations.gateways.cards import Silence
from simulations.gateways.paypal import PayPalProtocol
from simulations.gateways.server import PaymentServer, Reply, Request
from storage.payments import change_of
from tests.actors.paypal import BUYER, DEAF, DECLINED, MUTE, PAYPAL, at_paypal
from tests.actors.tills import Tills, some_tills

S = PaymentStatus


class Shop:
    """Payments that go to PayPal alone."""

    def __init__(self, tills: Tills, gateway: PayPal, protocol: PayPalProtocol) -> None:
        self.tills, self.gateway, self.protocol = tills, gateway, protocol
        self.host = tills.host = self.served_by(gateway)

    def served_by(self, gateway: PayPal) -> Payments:
        return self.tills.another_host(
            gateways={GatewayName.PAYPAL: gateway},
            routes={Network.PAYPAL: GatewayName.PAYPAL},
        )

    async def begun(self) -> Payment:
        wish = replace(await self.tills.checkout(), network=Network.PAYPAL, source=PAYPAL)
        paid = await self.host.pay(wish)
        assert isinstance(paid, Payment), paid
        return paid

    async def approved(self, account: str = BUYER) -> Payment:
        payment = await self.begun()
        assert payment.status is S.CHALLENGED
        await self.tills.confirm(payment, account)
        return await self.host.returned(payment)

    async def captured(self, amount: int | None = None) -> Payment:
        """One of which so much was kept at the pick-up."""
        held = await self.approved()
        target = held.amount_halalas if amount is None else amount

        def keep(one: Payment) -> Decision:
            now = self.tills.clock.now()
            return decide.decided(evolve(one, target_halalas=target), (), now=now)

        taken = await self.host.settle(held, keep)
        assert isinstance(taken, Payment)
        return taken

    async def give_back(
        self, payment: Payment, amount: int, host: Payments | None = None
    ) -> Payment:
        wish = Refund(
            id=self.tills.new_id(),
            amount_halalas=amount,
            reason=RefundReason.GOODWILL,
            status=RefundStatus.DUE,
            asked_at=self.tills.clock.now(),
            asked_by=payment.customer_id,
        )
        given = await (host or self.host).refund(payment, wish)
        assert isinstance(given, Payment), given
        return given

    async def must_add_up(self) -> None:
        """The ledger knows what the cents at PayPal are worth, and what is the conversion's."""
        await self.tills.drain()
        assert (await self.tills.keeper.audit()).faults == []
        charges = self.protocol.till.charges.values()
        worth = sum(Rate(37_500).worth(one.captured - one.refunded) for one in charges)
        assert await self.tills.balance(AccountKind.GATEWAY, "paypal") == -worth

    def asked(self, path: str) -> int:
        return sum(path in one.path for one in self.tills.server.requests)


@asynccontextmanager
async def some_shop(**settings: Any) -> AsyncIterator[Shop]:
    async with some_tills() as tills, at_paypal(tills, **settings) as (gateway, protocol):
        yield Shop(tills, gateway, protocol)


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    async with some_shop() as running:
        yield running


async def test_the_customers_word_and_then_ours_hold_the_money(shop: Shop) -> None:
    payment = await shop.begun()
    assert (payment.status, payment.is_placed) == (S.CHALLENGED, False)
    # He says that he has approved it, and has not.
    payment = await shop.host.returned(payment)
    assert payment.status is S.CHALLENGED
    assert shop.protocol.till.charges == {}
    await shop.tills.confirm(payment, BUYER)
    held = await shop.host.returned(payment)
    assert (held.status, held.is_placed) == (S.AUTHORISED, True)
    (charge,) = shop.protocol.till.charges.values()
    assert (charge.amount, charge.currency) == (-(-held.amount_halalas * 100 // 375), "USD")
    assert shop.asked("/v1/oauth2/token") == 1


async def test_what_waits_too_long_for_a_hold_is_charged_at_once(shop: Shop) -> None:
    order, now = await shop.tills.placing(), shop.tills.clock.now()
    begun = decide.begin(
        PaymentId(shop.tills.new_id()),
        order,
        customer_id=shop.tills.customer.user_id,
        gateway=GatewayName.PAYPAL,
        network=Network.PAYPAL,
        now=now,
        expires_at=order.quote.valid_until,
    )
    payment = replace(change_of(begun).thing, flow=Flow.CHARGE)
    asked = change_of(decide.ask(payment, decide.taking(payment), now=now)).thing
    said = await shop.gateway.take(asked, PAYPAL)
    await shop.tills.confirm(replace(asked, challenge_url=said.challenge_url), BUYER)
    taken = await shop.gateway.find(asked)
    assert taken is not None
    assert (taken.standing, taken.captured_halalas) == (Standing.CAPTURED, asked.amount_halalas)
    assert await shop.gateway.find(asked) == taken
    assert [one[0] for one in shop.protocol.till.moves] == ["capture"]


async def test_what_paypal_honours_for_three_days_is_taken_before_they_are_over(shop: Shop) -> None:
    held = await shop.approved()
    lasts_s = HOLD_LASTS_MS[GatewayName.PAYPAL] // SECOND_MS
    assert lasts_s < 3 * 86_400
    await shop.tills.wait(lasts_s - 60, shop.host)
    assert (await shop.tills.newest(held)).status is S.AUTHORISED
    await shop.tills.wait(120, shop.host)
    taken = await shop.tills.newest(held)
    assert (taken.status, taken.captured_halalas) == (S.CAPTURED, held.amount_halalas)
    assert taken.target_halalas is None
    # It is the order's as before: what it does not keep goes back.
    cancel = CancelOrder(order_id=held.order_id, reason=CancelReason.CHANGED_MIND)
    await shop.tills.send(cancel, shop.tills.customer)
    await shop.tills.drain()
    assert (await shop.tills.newest(held)).status is S.REFUNDED
    assert [one[0] for one in shop.protocol.till.moves] == ["capture", "refund"]


async def test_an_order_that_is_cancelled_frees_what_was_held(shop: Shop) -> None:
    held = await shop.approved()
    cancel = CancelOrder(order_id=held.order_id, reason=CancelReason.CHANGED_MIND)
    await shop.tills.send(cancel, shop.tills.customer)
    await shop.tills.drain()
    assert (await shop.tills.newest(held)).status is S.VOIDED
    assert [one[0] for one in shop.protocol.till.moves] == ["void"]


async def test_his_bank_declines_and_he_may_try_again(shop: Shop) -> None:
    declined = await shop.approved(DECLINED)
    assert (declined.status, declined.reason) == (S.DECLINED, "INSTRUMENT_DECLINED")
    assert await shop.tills.order_of(declined) is None
    # PayPal would let him choose another card; we have given it up, and it stays so.
    assert (await shop.host.returned(declined)).status is S.DECLINED
    assert shop.protocol.till.moves == []


@pytest.mark.parametrize("account", [MUTE, DEAF])
async def test_silence_is_looked_into_and_the_money_is_held_once(shop: Shop, account: str) -> None:
    doubtful = await shop.approved(account)
    assert not doubtful.is_placed
    for _ in range(6):
        await shop.tills.wait(30, shop.host)
    assert (await shop.tills.newest(doubtful)).is_placed
    assert len(shop.protocol.till.charges) == 1


async def test_what_is_approved_too_late_comes_to_nothing(shop: Shop) -> None:
    payment = await shop.begun()
    await shop.tills.clock.move((payment.expires_at - shop.tills.clock.now()) / 1000 + 1)
    expired = await shop.host.returned(payment)
    assert (expired.status, expired.reason) == (S.DECLINED, "challenge_expired")
    await shop.tills.confirm(payment, BUYER)
    for notice in await shop_notices(shop):
        heard = await shop.host.hear(GatewayName.PAYPAL, notice)
        assert heard is not None
        await shop.host.advance(heard)
    assert (await shop.tills.newest(payment)).status is S.DECLINED
    assert shop.protocol.till.charges == {}


@pytest.mark.parametrize("silence", list(Silence))
@pytest.mark.parametrize("path", ["/capture", "/refund"])
async def test_a_capture_and_a_refund_without_an_answer_happen_once(
    shop: Shop, path: str, silence: Silence
) -> None:
    shop.tills.server.fall_silent(path, silence)
    taken = await shop.captured(1_001)
    given = await shop.give_back(taken, 500) if path == "/refund" else taken
    for _ in range(8):
        await shop.tills.wait(60, shop.host)
    newest = await shop.tills.newest(given)
    assert newest.captured_halalas == 1_001
    assert newest.refunded_halalas == (500 if path == "/refund" else 0)
    kinds = [one[0] for one in shop.protocol.till.moves]
    assert kinds == ["capture", "refund"][: len(kinds)]
    await shop.must_add_up()


@pytest.mark.parametrize("amount", [1, 700, 1_000, 1_001, 1_002, 1_003, 1_125])
async def test_what_is_kept_is_told_to_the_halala(shop: Shop, amount: int) -> None:
    taken = await shop.captured(amount)
    assert (taken.status, taken.captured_halalas) == (S.CAPTURED, amount)
    await shop.must_add_up()
    surplus = await shop.tills.balance(AccountKind.CONVERSION)
    assert 0 <= surplus <= 3
    assert surplus == taken.conversion_halalas
    given = await shop.give_back(taken, amount)
    assert given.status is S.REFUNDED
    (charge,) = shop.protocol.till.charges.values()
    assert charge.refunded == charge.captured
    await shop.must_add_up()
    assert await shop.tills.balance(AccountKind.CONVERSION) == 0


async def test_refunds_of_less_than_a_cent_add_up_and_the_last_takes_the_rest(shop: Shop) -> None:
    payment = await shop.captured(1_000)
    for amount in (1, 1, 1, 1, 296, 2, 1, 697):
        payment = await shop.give_back(payment, amount)
        (charge,) = shop.protocol.till.charges.values()
        # Never less than was asked back, and less than a cent more.
        assert charge.refunded == -(-payment.refunded_halalas * 100 // 375)
        await shop.must_add_up()
    assert (payment.status, payment.refunded_halalas) == (S.REFUNDED, 1_000)
    assert [(one.refunded, one.captured) for one in shop.protocol.till.charges.values()] == [
        (267, 267)
    ]
    assert await shop.tills.balance(AccountKind.CONVERSION) == 0


async def test_a_payment_keeps_the_rate_at_which_it_was_made(shop: Shop) -> None:
    payment = await shop.captured(1_000)
    settings = {"hundred_dollars_halalas": 36_000}
    async with at_paypal(shop.tills, **settings) as (later, other):
        # The same server answers; the protocol that was added is asked last.
        assert other.orders == {}
        given = await shop.give_back(payment, 400, shop.served_by(later))
    assert (given.refunded_halalas, given.captured_halalas) == (400, 1_000)
    await shop.must_add_up()


async def test_what_people_give_back_at_paypal_is_seen(shop: Shop) -> None:
    payment = await shop.captured(1_000)
    (order,) = shop.protocol.orders.values()
    shop.protocol.till.refund(shop.protocol.till.charges[order.id], 100)
    order.refunds.append({"amount": {"currency_code": "USD", "value": "1.00"}})
    notice = Notice(id="by hand", reference=payment.reference, payment_id=payment.id)
    heard = await shop.host.hear(GatewayName.PAYPAL, notice)
    assert heard is not None
    seen = await shop.host.advance(heard)
    assert seen.refunded_halalas == 375
    given = await shop.give_back(seen, 625)
    assert given.status is S.REFUNDED
    await shop.must_add_up()


@pytest.mark.parametrize(
    ("name", "value"), [("value", "0.01"), ("currency_code", "SAR"), ("currency_code", "EUR")]
)
async def test_another_amount_or_currency_is_not_believed(
    shop: Shop, name: str, value: str
) -> None:
    payment = await shop.begun()
    (order,) = shop.protocol.orders.values()
    order.unit["amount"][name] = value
    seen = await shop.host.returned(payment)
    assert (seen.status, seen.is_placed) == (S.MISMATCHED, False)


async def shop_notices(shop: Shop) -> list[Any]:
    read = shop.gateway.read_notice
    found = [await read(one.headers, one.body) for one in shop.tills.server.webhooks]
    assert None not in found
    return found


async def test_webhooks_twice_and_in_another_order_are_all_the_same(shop: Shop) -> None:
    payment = await shop.begun()
    await shop.tills.confirm(payment, BUYER)
    await shop.captured(900)
    for notice in [*reversed(await shop_notices(shop)), *await shop_notices(shop)]:
        heard = await shop.host.hear(GatewayName.PAYPAL, notice)
        assert heard is not None
        await shop.host.advance(heard)
    # He never came back to us, and his order is placed.
    assert (await shop.tills.newest(payment)).is_placed
    assert len(shop.protocol.till.charges) == 2
    assert [one[0] for one in shop.protocol.till.moves] == ["capture"]
    await shop.must_add_up()


async def test_a_webhook_is_genuine_only_if_paypal_says_so(shop: Shop) -> None:
    payment = await shop.begun()
    await shop.tills.confirm(payment, BUYER)
    (word,) = shop.tills.server.webhooks
    forged = msgspec.json.decode(word.body)
    forged["resource"]["id"] = "another"
    read = shop.gateway.read_notice
    assert await read(word.headers, word.body) is not None
    assert await read(word.headers, msgspec.json.encode(forged)) is None
    assert await read(word.headers, b"{") is None
    assert await read({}, word.body) is None
    async with at_paypal(shop.tills, webhook_id="") as (unset, _):
        assert await unset.read_notice(word.headers, word.body) is None
    shop.tills.server.fall_silent("verify-webhook-signature", Silence.AFTER)
    with pytest.raises(GatewayUncertain):
        await read(word.headers, word.body)


async def test_a_token_that_is_no_longer_taken_is_renewed(shop: Shop) -> None:
    payment = await shop.begun()
    shop.protocol.tokens.clear()
    assert (await shop.host.returned(payment)).status is S.CHALLENGED
    assert shop.asked("/v1/oauth2/token") == 2


async def test_without_a_token_nothing_is_known(shop: Shop) -> None:
    payment = await shop.begun()
    shop.protocol.tokens.clear()
    shop.tills.server.fall_silent("/v1/oauth2/token", Silence.BEFORE)
    with pytest.raises(GatewayUncertain):
        await shop.gateway.find(payment)


async def test_what_paypal_will_not_make_is_given_up(shop: Shop) -> None:
    def refuse(request: Request) -> Reply:
        if "oauth2" in request.path:
            return Reply(body={"access_token": "A21AA", "expires_in": 3600})
        details = [{"issue": "PAYEE_ACCOUNT_RESTRICTED"}]
        return Reply(status=422, body={"name": "UNPROCESSABLE_ENTITY", "details": details})

    server = PaymentServer()
    server.serve(refuse)
    async with server.running(), at_paypal(shop.tills, url=server.url) as (gateway, _):
        shop.host = shop.served_by(gateway)
        payment = await shop.begun()
    assert (payment.status, payment.reason) == (S.DECLINED, "not_accepted")
