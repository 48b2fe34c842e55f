"""Gift credit is spent before the wallet, once, and comes back after it."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from actors.gateways.wallet import Wallet
from actors.payments import Payments
from engine.kernel.ids import PaymentId
from engine.money.accounts import AccountKind, account
from engine.money.transfers import Transfer, TransferId, TransferReason, move
from engine.orders.messages import CancelOrder, CancelReason
from engine.payments.gateways import GatewayName, Network, Source, SourceKind
from engine.payments.payment import Operation, OperationKind, Payment
from tests.actors.tills import Tills, some_tills

CREDIT, WALLET = AccountKind.GIFT_CREDIT, AccountKind.CUSTOMER_WALLET


@pytest.fixture
async def tills() -> AsyncIterator[Tills]:
    async with some_tills() as running:
        yield running


async def fill(tills: Tills, kind: AccountKind, amount: int) -> None:
    mine = account(kind, tills.customer.user_id)
    transfer = Transfer(
        id=TransferId(tills.new_id()),
        reason=TransferReason.GOODWILL,
        legs=move({mine: amount, account(AccountKind.GOODWILL): -amount}),
        effective_at=tills.clock.now(),
    )
    await tills.keeper.enter(transfer)


def a_host(tills: Tills) -> Payments:
    return tills.another_host(
        gateways={GatewayName.WALLET: Wallet(tills.keeper, tills.books)},
        routes={Network.WALLET: GatewayName.WALLET},
    )


async def left(tills: Tills) -> tuple[int, int]:
    """What he may still spend: credit and wallet."""
    found = [
        await tills.books.find_balance(account(one, tills.customer.user_id))
        for one in (CREDIT, WALLET)
    ]
    return found[0].available, found[1].available


async def test_a_hundred_at_once_spend_the_credit_first_and_once(tills: Tills) -> None:
    await fill(tills, CREDIT, 300)
    await fill(tills, WALLET, 100_000)
    wish = replace(
        await tills.checkout(), network=Network.WALLET, source=Source(kind=SourceKind.WALLET)
    )
    hosts = [a_host(tills) for _ in range(4)]
    told = await asyncio.gather(*(hosts[one % 4].pay(wish) for one in range(100)))
    assert all(isinstance(one, Payment) for one in told)
    payment = await tills.store.find(wish.payment_id)
    assert payment is not None
    assert payment.is_placed
    assert await left(tills) == (0, 100_300 - payment.amount_halalas)
    # What he gets back of it is as it was.
    cancel = CancelOrder(order_id=payment.order_id, reason=CancelReason.OTHER)
    await tills.send(cancel, tills.customer)
    tills.host = hosts[0]
    await tills.drain()
    assert await left(tills) == (300, 100_000)
    assert (await tills.keeper.audit()).faults == []


async def test_two_that_spend_the_same_credit_at_once_never_overdraw_it(tills: Tills) -> None:
    first = replace(
        await tills.checkout(), network=Network.WALLET, source=Source(kind=SourceKind.WALLET)
    )
    second = replace(first, payment_id=PaymentId(tills.new_id()), order=await tills.placing())
    await fill(tills, CREDIT, 300)
    await fill(tills, WALLET, 100_000)
    told = await asyncio.gather(*(a_host(tills).pay(one) for one in (first, second)))
    paid = [one for one in told if isinstance(one, Payment) and one.is_placed]
    assert len(paid) == 2
    assert await left(tills) == (0, 100_300 - sum(one.amount_halalas for one in paid))


async def test_of_what_was_taken_the_wallet_gets_its_part_back_before_the_credit(
    tills: Tills,
) -> None:
    await fill(tills, CREDIT, 300)
    await fill(tills, WALLET, 100_000)
    host, gateway = a_host(tills), Wallet(tills.keeper, tills.books)
    wish = replace(
        await tills.checkout(), network=Network.WALLET, source=Source(kind=SourceKind.WALLET)
    )
    payment = await host.pay(wish)
    assert isinstance(payment, Payment)
    total, paid_by_wallet = 1_000, 700

    def asked(kind: OperationKind, amount: int, before: int = 0) -> Operation:
        return Operation(id=tills.new_id(), kind=kind, amount_halalas=amount, before_halalas=before)

    await gateway.carry_out(payment, asked(OperationKind.CAPTURE, total))
    assert await left(tills) == (0, 100_000 - paid_by_wallet)
    for amount, before, credit, wallet in (
        (600, 0, 0, 99_900),
        (200, 600, 100, 100_000),
        (200, 800, 300, 100_000),
    ):
        refund = asked(OperationKind.REFUND, amount, before)
        for _ in range(3):
            await gateway.carry_out(payment, refund)
        assert await left(tills) == (credit, wallet)
