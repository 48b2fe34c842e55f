"""What wallet and gateway each do of a payment that is split."""

import hypothesis.strategies as st
import pytest
from hypothesis import given
from msgspec.structs import replace

from engine.kernel.ids import PaymentId, UserId
from engine.payments import decide
from engine.payments.gateways import GatewayName, Network, WalletPart
from engine.payments.payment import Operation, OperationKind, Payment
from engine.payments.splitting import (
    REST_MIN,
    asked_of_gateway,
    can_split,
    gateway_part,
    wallet_part,
    wallet_share,
)
from storage.payments import change_of
from tests.builders import NOON, a_placing, a_quote, a_zone, new_id


def a_split(part: int, *, captured: int = 0, refunded: int = 0) -> Payment:
    """A payment of 1,000, of which so much was captured and refunded: card first, wallet last."""
    zone = a_zone()
    begun = decide.begin(
        PaymentId(new_id()),
        a_placing(zone, quoted=a_quote(zone)),
        customer_id=UserId(new_id()),
        gateway=GatewayName.MOYASAR,
        network=Network.VISA,
        wallet_halalas=part,
        now=NOON,
        expires_at=NOON + 1,
    )
    by_wallet = min(part, captured)
    return replace(
        change_of(begun).thing,
        amount_halalas=1_000,
        captured_halalas=captured,
        refunded_halalas=refunded,
        wallet=WalletPart(
            halalas=part,
            captured_halalas=by_wallet,
            refunded_halalas=max(0, refunded - (captured - by_wallet)),
        ),
    )


def an_operation(kind: OperationKind, amount: int, before: int = 0) -> Operation:
    return Operation(id=new_id(), kind=kind, amount_halalas=amount, before_halalas=before)


@pytest.mark.parametrize(
    ("kept", "kind", "amount"),
    [
        (1_000, OperationKind.CAPTURE, 700),
        (301, OperationKind.CAPTURE, 1),
        (300, OperationKind.VOID, 700),
        (10, OperationKind.VOID, 700),
    ],
)
def test_the_card_is_taken_only_for_what_the_wallet_does_not_cover(
    kept: int, kind: OperationKind, amount: int
) -> None:
    asked = asked_of_gateway(a_split(300), an_operation(OperationKind.CAPTURE, kept))
    assert asked is not None
    assert (asked.kind, asked.amount_halalas) == (kind, amount)


@given(
    part=st.integers(1, 800),
    captured=st.integers(0, 1_000),
    refunds=st.lists(st.integers(1, 400), max_size=6),
)
def test_refunds_fill_the_card_first_and_neither_beyond_what_it_gave(
    part: int, captured: int, refunds: list[int]
) -> None:
    total = card = 0
    by_card = captured - min(part, captured)
    for amount in refunds:
        if total + amount > captured:
            continue
        payment = a_split(part, captured=captured, refunded=total)
        asked = asked_of_gateway(payment, an_operation(OperationKind.REFUND, amount, total))
        if asked is not None:
            assert asked.before_halalas == card
            card += asked.amount_halalas
        total += amount
        assert card == min(total, by_card)


@given(part=st.integers(1, 800), captured=st.integers(0, 1_000), data=st.data())
def test_the_two_parts_are_the_whole(part: int, captured: int, data: st.DataObject) -> None:
    payment = a_split(part, captured=captured, refunded=data.draw(st.integers(0, captured)))
    card, wallet = gateway_part(payment), wallet_part(payment)
    for name in ("amount_halalas", "captured_halalas", "refunded_halalas"):
        assert getattr(card, name) + getattr(wallet, name) == getattr(payment, name)
        assert min(getattr(card, name), getattr(wallet, name)) >= 0


@given(total=st.integers(1, 10_000), available=st.integers(-100, 20_000))
def test_what_is_proposed_can_be_paid(total: int, available: int) -> None:
    share = wallet_share(total, available)
    assert 0 <= share <= max(0, available)
    assert share in {0, total} or can_split(GatewayName.MOYASAR, total - share)


def test_cash_and_the_wallet_are_no_parts() -> None:
    for gateway in (GatewayName.CASH, GatewayName.WALLET):
        assert not can_split(gateway, 10 * REST_MIN)
