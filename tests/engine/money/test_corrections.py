"""What may be taken back by hand."""

import pytest

from engine.kernel.refusals import Refusal
from engine.kernel.timing import DAY_MS
from engine.money.accounts import AccountKind, account
from engine.money.corrections import BY_HAND, correction
from engine.money.ledger import Head, seal
from engine.money.transfers import Transfer, TransferId, TransferReason, move
from tests.builders import NOON, new_id

LEGS = move({account(AccountKind.GOODWILL): -5, account(AccountKind.GIFT_CREDIT, "a"): 5})


def told(reason: TransferReason, effective_at: int | None = None) -> Transfer | Refusal:
    transfer = Transfer(
        id=TransferId(new_id()), reason=reason, legs=LEGS, effective_at=NOON, about="customer:a"
    )
    entry = seal(Head(), transfer, NOON)
    return correction(entry, effective_at=effective_at, now=NOON + DAY_MS)


@pytest.mark.parametrize("reason", TransferReason)
def test_only_what_nothing_else_follows_is_taken_back(reason: TransferReason) -> None:
    made = told(reason)
    if reason in BY_HAND:
        assert isinstance(made, Transfer)
        assert {leg.account: leg.amount for leg in made.legs} == {
            leg.account: -leg.amount for leg in LEGS
        }
        assert (made.reason, made.effective_at) == (TransferReason.CORRECTION, NOON + DAY_MS)
    else:
        assert isinstance(made, Refusal)
        assert made.code == "not_by_hand"


def test_it_counts_for_a_day_until_today() -> None:
    early = told(TransferReason.TIP, NOON - DAY_MS)
    assert isinstance(early, Transfer)
    assert early.effective_at == NOON - DAY_MS
    late = told(TransferReason.TIP, NOON + 2 * DAY_MS)
    assert isinstance(late, Refusal)
    assert late.code == "day_to_come"
    none = correction(None, effective_at=None, now=NOON)
    assert isinstance(none, Refusal)
    assert none.code == "unknown_transfer"
