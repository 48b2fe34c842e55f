"""Whatever a gateway says of a payment, however late, it is heard: nothing is invented or lost."""

from itertools import product

import pytest
from msgspec.structs import replace

from engine.money.transfers import EnterTransfer
from engine.payments import decide
from engine.payments.decide import Terms
from engine.payments.gateways import CURRENCY, Network, Standing, Statement
from engine.payments.hearing import heard
from engine.payments.payment import Payment, PaymentStatus, RefundStatus
from storage.payments import change_of
from tests.builders import NOON
from tests.engine.payments.purse import Purse

S = PaymentStatus
TERMS = Terms(settle_s=120)
# What was taken and given back of a payment, in hundredths of it.
MOVED = ((0, 0), (60, 0), (60, 60), (100, 0), (100, 40), (100, 100))


def stood(status: PaymentStatus) -> Payment:
    """A payment that stands so, whose order is placed."""
    purse = Purse(Network.VISA, 1, is_group=False)
    purse.settle()
    purse.take(decide.placed(purse.payment, now=NOON))
    whole = purse.payment.amount_halalas
    taken = whole if status in {S.CAPTURED, S.REFUNDED} else 0
    back = whole if status is S.REFUNDED else 0
    target = 0 if status in {S.VOIDED, S.DECLINED, S.REFUNDED} else None
    return replace(
        purse.payment,
        status=status,
        captured_halalas=taken,
        refunded_halalas=back,
        target_halalas=target,
    )


def said(payment: Payment, standing: Standing, taken: int, back: int) -> Statement:
    return Statement(
        reference="r",
        standing=standing,
        amount_halalas=payment.amount_halalas,
        currency=CURRENCY,
        captured_halalas=payment.amount_halalas * taken // 100,
        refunded_halalas=payment.amount_halalas * back // 100,
    )


@pytest.mark.parametrize("status", [one for one in S if one not in {S.NEW, S.MISMATCHED}])
def test_every_statement_is_heard_whatever_is_known(status: PaymentStatus) -> None:
    for standing, (taken, back) in product(Standing, MOVED):
        before = stood(status)
        statement = said(before, standing, taken, back)
        decision = heard(before, statement, terms=TERMS, now=NOON)
        after = change_of(decision).thing
        assert after.captured_halalas == max(before.captured_halalas, statement.captured_halalas)
        assert after.refunded_halalas == max(before.refunded_halalas, statement.refunded_halalas)
        moved = [one.transfer.legs for one in decision.effects if isinstance(one, EnterTransfer)]
        assert all(sum(leg.amount for leg in legs) == 0 for legs in moved)
        if before.target_halalas == 0 and after.status is S.CAPTURED:
            due = sum(one.amount_halalas for one in after.refunds if one.status is RefundStatus.DUE)
            assert due == after.captured_halalas - after.refunded_halalas
        again = change_of(heard(after, statement, terms=TERMS, now=NOON)).thing
        assert (again.status, again.refunds) == (after.status, after.refunds)


@pytest.mark.parametrize(
    ("status", "standing"),
    [
        (S.VOIDED, Standing.AUTHORISED),
        (S.VOIDED, Standing.PENDING),
        (S.DECLINED, Standing.PENDING),
        (S.DECLINED, Standing.VOIDED),
        (S.VOIDED, Standing.CHALLENGED),
        (S.AUTHORISED, Standing.CHALLENGED),
        (S.CAPTURED, Standing.CHALLENGED),
        (S.REFUNDED, Standing.PENDING),
    ],
)
def test_an_old_copy_of_it_says_nothing_new(status: PaymentStatus, standing: Standing) -> None:
    before = stood(status)
    taken = 100 if status is S.REFUNDED else 0
    for now in (NOON, before.expires_at):
        heard_of = heard(before, said(before, standing, taken, taken), terms=TERMS, now=now)
        assert change_of(heard_of).thing.status is status
        assert heard_of.effects == ()
