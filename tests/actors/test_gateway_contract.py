"""What must hold of every payment gateway, whatever it speaks."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from msgspec.structs import replace

from actors.gateways.payments import GatewayRejected, PaymentGateway
from actors.gateways.wallet import Wallet
from engine.kernel.ids import PaymentId
from engine.money.accounts import AccountKind, account
from engine.money.transfers import Transfer, TransferId, TransferReason, move
from engine.payments import decide
from engine.payments.gateways import (
    MATRIX,
    GatewayName,
    Network,
    Source,
    SourceKind,
    Standing,
    Statement,
)
from engine.payments.payment import (
    Operation,
    OperationKind,
    Payment,
    Refund,
    RefundReason,
    RefundStatus,
)
from storage.payments import change_of
from tests.actors.paypal import PAYPAL, at_paypal
from tests.actors.stripe import at_stripe
from tests.actors.tills import DEAF, MADA, MUTE, SECURE, VISA, Tills, some_tills

K = OperationKind


@dataclass(kw_only=True)
class Scene:
    """A gateway, a source that pays, and one that does not."""

    tills: Tills
    gateway: PaymentGateway
    networks: dict[bool, Network]
    sources: dict[bool, Source]
    approves: bool = False

    async def take(self, payment: Payment) -> Statement:
        """What is said in the end, once the customer has approved it where he must."""
        said = await self.gateway.take(payment, self.sources[True])
        if self.approves and said.standing is Standing.CHALLENGED:
            await self.tills.confirm(replace(payment, challenge_url=said.challenge_url))
            found = await self.gateway.find(replace(payment, reference=said.reference))
            assert found is not None
            return found
        return said

    async def asked(self, *, is_held: bool) -> Payment:
        """A payment whose taking is stored and not sent."""
        order = await self.tills.placing()
        begun = decide.begin(
            PaymentId(self.tills.new_id()),
            order,
            customer_id=self.tills.customer.user_id,
            gateway=self.gateway.name,
            network=self.networks[is_held],
            now=self.tills.clock.now(),
            expires_at=order.quote.valid_until,
        )
        payment = change_of(begun).thing
        now = self.tills.clock.now()
        return change_of(decide.ask(payment, decide.taking(payment), now=now)).thing

    async def do(self, payment: Payment, kind: OperationKind, amount: int) -> Any:
        operation = Operation(id=self.tills.new_id(), kind=kind, amount_halalas=amount)
        return await self.gateway.carry_out(payment, operation)


async def filled(tills: Tills) -> Wallet:
    """The wallet of a customer who has a thousand riyals in it."""
    mine = account(AccountKind.CUSTOMER_WALLET, tills.customer.user_id)
    legs = move({mine: 100_000, account(AccountKind.BANK): -100_000})
    transfer = Transfer(
        id=TransferId(tills.new_id()),
        reason=TransferReason.TOP_UP,
        legs=legs,
        effective_at=tills.clock.now(),
    )
    await tills.keeper.enter(transfer)
    return Wallet(tills.keeper, tills.books)


@pytest.fixture(params=["moyasar", "stripe", "paypal", "wallet"])
async def scene(request: pytest.FixtureRequest) -> AsyncIterator[Scene]:
    async with some_tills() as tills:
        if request.param == "moyasar":
            tokens = {True: await tills.token(VISA), False: await tills.token(MADA)}
            yield Scene(
                tills=tills,
                gateway=tills.gateway,
                networks={True: Network.VISA, False: Network.MADA},
                sources={
                    held: Source(kind=SourceKind.TOKEN, value=token)
                    for held, token in tokens.items()
                },
            )
        elif request.param == "stripe":
            gateway, protocol = at_stripe(tills)
            method = protocol.till.tokenise(VISA)[0]
            yield Scene(
                tills=tills,
                gateway=gateway,
                networks=dict.fromkeys((True, False), Network.VISA),
                sources=dict.fromkeys((True, False), Source(kind=SourceKind.TOKEN, value=method)),
            )
        elif request.param == "paypal":
            async with at_paypal(tills) as (paypal, _):
                yield Scene(
                    tills=tills,
                    gateway=paypal,
                    networks=dict.fromkeys((True, False), Network.PAYPAL),
                    sources=dict.fromkeys((True, False), PAYPAL),
                    approves=True,
                )
        else:
            yield Scene(
                tills=tills,
                gateway=await filled(tills),
                networks=dict.fromkeys((True, False), Network.WALLET),
                sources=dict.fromkeys((True, False), Source(kind=SourceKind.WALLET)),
            )


def test_every_gateway_is_in_the_matrix() -> None:
    assert set(MATRIX) == set(GatewayName)


async def test_what_was_never_asked_for_is_not_found(scene: Scene) -> None:
    assert await scene.gateway.find(await scene.asked(is_held=True)) is None


async def test_a_hold_is_captured_in_part_once(scene: Scene) -> None:
    payment = await scene.asked(is_held=True)
    said = await scene.take(payment)
    assert (said.standing, said.captured_halalas) == (Standing.AUTHORISED, 0)
    assert (said.amount_halalas, said.currency) == (payment.amount_halalas, "SAR")
    assert await scene.gateway.find(payment) == said
    taken = await scene.do(payment, K.CAPTURE, 700)
    assert (taken.standing, taken.captured_halalas) == (Standing.CAPTURED, 700)
    again = await scene.gateway.find(payment)
    assert again is not None
    assert again.captured_halalas == 700
    with pytest.raises(GatewayRejected):
        await scene.do(payment, K.VOID, 700)


async def test_a_hold_is_let_go(scene: Scene) -> None:
    payment = await scene.asked(is_held=True)
    await scene.take(payment)
    freed = await scene.do(payment, K.VOID, payment.amount_halalas)
    assert freed.standing is Standing.VOIDED
    with pytest.raises(GatewayRejected):
        await scene.do(payment, K.CAPTURE, 700)


async def test_the_same_reference_is_the_same_charge(scene: Scene) -> None:
    payment = await scene.asked(is_held=True)
    first = await scene.take(payment)
    assert await scene.take(payment) == first


async def test_refunds_add_up_and_end_at_what_was_taken(scene: Scene) -> None:
    payment = await scene.asked(is_held=True)
    await scene.take(payment)
    await scene.do(payment, K.CAPTURE, 1000)
    payment = replace(payment, captured_halalas=1000)
    for amount in (300, 700):
        refund = Operation(id=scene.tills.new_id(), kind=K.REFUND, amount_halalas=amount)
        wish = Refund(
            id=refund.id,
            amount_halalas=amount,
            reason=RefundReason.LATE,
            status=RefundStatus.DUE,
            asked_at=payment.made_at,
            asked_by=payment.customer_id,
        )
        payment = replace(payment, refunds=(*payment.refunds, wish))
        await scene.gateway.carry_out(payment, refund)
    said = await scene.gateway.find(payment)
    assert said is not None
    assert (said.captured_halalas, said.refunded_halalas) == (1000, 1000)


async def test_a_wallet_that_has_too_little_declines_and_is_never_overdrawn() -> None:
    async with some_tills() as tills:
        gateway = Wallet(tills.keeper, tills.books)
        host = tills.another_host(
            gateways={GatewayName.WALLET: gateway},
            routes={Network.WALLET: GatewayName.WALLET},
        )
        wish = replace(
            await tills.checkout(), network=Network.WALLET, source=Source(kind=SourceKind.WALLET)
        )
        declined = await host.pay(wish)
        assert isinstance(declined, Payment)
        assert (declined.status.value, declined.reason) == ("declined", "BALANCE_TOO_LOW")
        await filled(tills)
        paid = await host.pay(replace(wish, payment_id=PaymentId(tills.new_id())))
        assert isinstance(paid, Payment)
        assert (paid.status.value, paid.is_placed) == ("authorised", True)
        wallet = await tills.books.find_balance(
            account(AccountKind.CUSTOMER_WALLET, tills.customer.user_id)
        )
        assert (wallet.posted, wallet.reserved) == (100_000, -paid.amount_halalas)


async def test_stripe_pays_declines_falls_silent_and_sends_signed_words() -> None:
    async with some_tills() as tills:
        gateway, protocol = at_stripe(tills)
        host = tills.another_host(
            gateways={GatewayName.STRIPE: gateway},
            routes=dict.fromkeys(Network, GatewayName.STRIPE),
        )

        async def pay(number: str) -> Payment:
            source = Source(kind=SourceKind.TOKEN, value=protocol.till.tokenise(number)[0])
            paid = await host.pay(replace(await tills.checkout(), source=source))
            assert isinstance(paid, Payment)
            return paid

        held = await pay(VISA)
        assert (held.status.value, held.is_placed) == ("authorised", True)
        assert held.card is not None
        assert (held.card.last_four, held.card.expires_year) == ("1111", 2030)
        declined = await pay("4000000000000002")
        assert (declined.status.value, declined.reason) == ("declined", "DECLINED")
        mute, deaf, challenged = [await pay(one) for one in (MUTE, DEAF, SECURE)]
        assert {mute.status.value, deaf.status.value} == {"unknown"}
        assert challenged.status.value == "challenged"
        await tills.confirm(challenged)
        words = [(one.headers, one.body) for one in tills.server.webhooks]
        word = await gateway.read_notice(*words[-1])
        assert word is not None
        assert word.payment_id == challenged.id
        assert await gateway.read_notice({}, words[-1][1]) is None
        assert await gateway.read_notice(words[0][0], words[-1][1]) is None
        heard = await host.hear(GatewayName.STRIPE, word)
        assert heard is not None
        assert (await host.advance(heard)).is_placed
        for _ in range(8):
            await tills.wait(60, host)
        assert (await tills.newest(mute)).is_placed
        assert (await tills.newest(deaf)).reason == "not_taken"
        captures = [one for one in protocol.till.moves if one[0] == "capture"]
        assert captures == []
