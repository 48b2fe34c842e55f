"""What must hold of cash that couriers hold of ours."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.couriers.courier import Courier
from engine.kernel.messages import Decision
from engine.kernel.refusals import Refusal
from engine.money.accounts import AccountKind, account
from engine.money.cash import (
    DepositCash,
    KeepBackCash,
    Receipt,
    deposit,
    keep_back,
    kept_back,
)
from engine.money.transfers import EnterTransfer
from tests.builders import NOON, a_courier, must, new_id, operator


def entered(decision: Decision) -> dict[str, int]:
    (effect,) = decision.effects
    assert isinstance(effect, EnterTransfer)
    return {leg.account: leg.amount for leg in effect.transfer.legs}


def paid_in(courier: Courier, halalas: int) -> Decision | Refusal:
    command = DepositCash(courier_id=courier.id, halalas=halalas, receipt=Receipt(new_id()))
    return deposit(courier, command, operator(), now=NOON)


@given(held=st.integers(0, 10**6), halalas=st.integers(1, 10**6))
def test_nobody_pays_in_more_than_he_holds(held: int, halalas: int) -> None:
    courier = a_courier(cash_halalas=held)
    decided = paid_in(courier, halalas)
    if halalas > held:
        assert isinstance(decided, Refusal)
        assert (decided.code, decided.detail) == ("cash_exceeds", {"held_halalas": held})
        return
    (change,) = must(decided).changes
    assert change.thing.cash_halalas == held - halalas
    mine = account(AccountKind.COURIER_CASH, courier.id)
    assert entered(must(decided)) == {mine: halalas, account(AccountKind.BANK): -halalas}


def test_only_who_may_act_in_his_zone_records_it() -> None:
    courier = a_courier(cash_halalas=100)
    elsewhere = replace(operator(), zones=())
    command = DepositCash(courier_id=courier.id, halalas=1, receipt=Receipt("A-1"))
    decided = deposit(courier, command, elsewhere, now=NOON)
    assert isinstance(decided, Refusal)
    assert decided.code == "not_allowed"


@given(held=st.integers(0, 10**6), most=st.integers(0, 10**6))
def test_what_is_kept_back_becomes_a_debt_and_never_more_than_he_holds(
    held: int, most: int
) -> None:
    courier = a_courier(cash_halalas=held)
    command = KeepBackCash(courier_id=courier.id, cause="payout:1", halalas_max=most, at=NOON)
    decision = keep_back(courier, command, now=NOON + 5)
    halalas = min(held, most)
    assert decision.reply["halalas"] == halalas
    if not halalas:
        assert not decision.changes
        assert not decision.effects
        return
    (change,) = decision.changes
    assert change.thing.cash_halalas == held - halalas
    assert entered(decision) == {
        account(AccountKind.COURIER_CASH, courier.id): halalas,
        account(AccountKind.COURIER_DEBT, courier.id): -halalas,
    }
    (effect,) = decision.effects
    assert isinstance(effect, EnterTransfer)
    assert effect.transfer == kept_back(command, halalas)
