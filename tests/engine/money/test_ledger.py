"""What must hold of the ledger, whatever is entered in whatever order."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule
from msgspec.structs import replace

from engine.kernel.refusals import Refusal
from engine.money.accounts import (
    CASH_MAX_HALALAS,
    AccountId,
    AccountKind,
    Asset,
    Balance,
    account,
    asset_of,
    floor_of,
)
from engine.money.audit import Audit, StoredEntry
from engine.money.ledger import (
    MORE_THAN_RESERVED,
    NOT_ENOUGH,
    NOT_PENDING,
    NOT_REVERSIBLE,
    TRANSFER_CHANGED,
    Entry,
    Head,
    Ledger,
)
from engine.money.transfers import (
    LEGS_MAX,
    Leg,
    Transfer,
    TransferId,
    TransferReason,
    move,
    reversal_of,
    void_of,
)
from simulations.ledger_walk import LedgerWalk
from tests.builders import NOON, new_id

WALLET = account(AccountKind.CUSTOMER_WALLET, "noura")
OTHER = account(AccountKind.CUSTOMER_WALLET, "sara")
GATEWAY = account(AccountKind.GATEWAY, "moyasar")
REVENUE = account(AccountKind.REVENUE)


def a_transfer(amounts: dict[AccountId, int], **fields: Any) -> Transfer:
    known = {"id": TransferId(new_id()), "reason": TransferReason.TOP_UP, "effective_at": NOON}
    return Transfer(legs=move(amounts), **{**known, **fields})


def a_ledger(*transfers: Transfer) -> Ledger:
    ledger = Ledger(Head(), balances={}, entries={})
    for one in transfers:
        entered(ledger, one)
    return ledger


def entered(ledger: Ledger, transfer: Transfer) -> Entry:
    answer = ledger.enter(transfer, NOON)
    assert isinstance(answer, Entry), answer
    return answer


def refused(ledger: Ledger, transfer: Transfer) -> str:
    answer = ledger.enter(transfer, NOON)
    assert isinstance(answer, Refusal), answer
    return answer.code


def stored(entry: Entry) -> StoredEntry:
    return StoredEntry(
        number=entry.number,
        at=entry.at,
        hash=entry.hash,
        state=msgspec.json.encode(entry.transfer),
        legs=entry.transfer.legs,
    )


def audit_of(ledger: Ledger) -> Audit:
    audit = Audit()
    for entry in ledger.added:
        audit.take(stored(entry))
    audit.finish(ledger.head, ledger.changed)
    return audit


TOP_UP = a_transfer({WALLET: 1000, GATEWAY: -1000})


@pytest.mark.parametrize(
    "fields",
    [
        {"legs": (Leg(WALLET, 5), Leg(GATEWAY, -4))},
        {"legs": (Leg(account(AccountKind.POINTS, "a"), 5), Leg(GATEWAY, -5))},
        {"legs": (Leg(WALLET, 5), Leg(WALLET, -5))},
        {"legs": (Leg(WALLET, 0), Leg(GATEWAY, 0))},
        {"legs": (Leg(WALLET, 10**13), Leg(GATEWAY, -(10**13)))},
        {"legs": (Leg(AccountId("pocket"), 5), Leg(GATEWAY, -5))},
        {"legs": ()},
        {"id": TransferId("no id")},
        {"pending": True, "settles": TOP_UP.id},
        {"reverses": TOP_UP.id, "settles": TOP_UP.id},
    ],
)
def test_what_is_not_balanced_or_has_no_form_is_no_transfer(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        replace(TOP_UP, **fields)


def test_a_transfer_has_a_bounded_number_of_legs() -> None:
    names = [account(AccountKind.SHOP, f"{n}") for n in range(LEGS_MAX)]
    with pytest.raises(ValueError, match="more than"):
        a_transfer({**dict.fromkeys(names, 1), GATEWAY: -LEGS_MAX})


def test_repeating_a_transfer_finds_its_entry_and_changes_nothing() -> None:
    ledger = a_ledger(TOP_UP)
    assert ledger.enter(TOP_UP, NOON + 1) == ledger.added[0]
    assert ledger.balance(WALLET) == Balance(1000)
    changed = replace(TOP_UP, about="another order")
    assert refused(ledger, changed) == TRANSFER_CHANGED.code


def test_a_wallet_is_never_overdrawn_not_even_by_what_is_only_reserved() -> None:
    ledger = a_ledger(TOP_UP, a_transfer({WALLET: -600, REVENUE: 600}, pending=True))
    assert ledger.balance(WALLET) == Balance(1000, -600)
    assert ledger.balance(REVENUE) == Balance()
    assert refused(ledger, a_transfer({WALLET: -401, REVENUE: 401})) == NOT_ENOUGH.code
    entered(ledger, a_transfer({WALLET: -400, REVENUE: 400}))
    assert ledger.balance(WALLET).available == 0


def test_a_courier_carries_cash_up_to_a_limit() -> None:
    cash = account(AccountKind.COURIER_CASH, "salem")
    ledger = a_ledger(a_transfer({cash: -CASH_MAX_HALALAS, REVENUE: CASH_MAX_HALALAS}))
    assert refused(ledger, a_transfer({cash: -1, REVENUE: 1})) == NOT_ENOUGH.code
    entered(ledger, a_transfer({cash: 1, account(AccountKind.BANK): -1}))


def test_what_was_reserved_is_posted_in_part_and_the_rest_is_free() -> None:
    hold = a_transfer({WALLET: -600, REVENUE: 600}, pending=True)
    ledger = a_ledger(TOP_UP, hold)
    more = a_transfer({WALLET: -601, REVENUE: 601}, settles=hold.id)
    assert refused(ledger, more) == MORE_THAN_RESERVED.code
    other = a_transfer({OTHER: -1, REVENUE: 1}, settles=hold.id)
    assert refused(ledger, other) == MORE_THAN_RESERVED.code
    turned = a_transfer({WALLET: 5, REVENUE: -5}, settles=hold.id)
    assert refused(ledger, turned) == MORE_THAN_RESERVED.code
    part = a_transfer({WALLET: -250, REVENUE: 250}, settles=hold.id)
    entered(ledger, part)
    assert ledger.balance(WALLET) == Balance(750)
    again = a_transfer({WALLET: -1, REVENUE: 1}, settles=hold.id)
    assert refused(ledger, again) == NOT_PENDING.code


def test_what_is_voided_moves_nothing_and_cannot_be_posted() -> None:
    hold = a_transfer({WALLET: -600, REVENUE: 600}, pending=True)
    ledger = a_ledger(TOP_UP, hold, void_of(hold, id=TransferId(new_id())))
    assert ledger.balance(WALLET) == Balance(1000)
    posted = a_transfer({WALLET: -600, REVENUE: 600}, settles=hold.id)
    assert refused(ledger, posted) == NOT_PENDING.code
    unknown = a_transfer({WALLET: -1, REVENUE: 1}, settles=TransferId(new_id()))
    assert refused(ledger, unknown) == NOT_PENDING.code
    assert refused(ledger, replace(unknown, settles=TOP_UP.id)) == NOT_PENDING.code


def test_a_correction_is_a_reversal_with_its_own_day_and_happens_once() -> None:
    ledger = a_ledger(TOP_UP)
    undo = reversal_of(TOP_UP, id=TransferId(new_id()), effective_at=NOON - 5)
    assert refused(ledger, replace(undo, legs=undo.legs[::-1])) == NOT_REVERSIBLE.code
    assert entered(ledger, undo).transfer.effective_at == NOON - 5
    assert ledger.balance(WALLET) == Balance()
    again = reversal_of(TOP_UP, id=TransferId(new_id()), effective_at=NOON)
    assert refused(ledger, again) == NOT_REVERSIBLE.code


def test_what_was_spent_already_cannot_be_reversed_out_of_a_wallet() -> None:
    ledger = a_ledger(TOP_UP, a_transfer({WALLET: -1, REVENUE: 1}))
    undo = reversal_of(TOP_UP, id=TransferId(new_id()), effective_at=NOON)
    assert refused(ledger, undo) == NOT_ENOUGH.code


def test_points_and_money_move_in_one_transfer_and_balance_each_by_itself() -> None:
    points = account(AccountKind.POINTS, "noura")
    issued = account(AccountKind.POINTS_ISSUED)
    ledger = a_ledger(a_transfer({WALLET: 9, GATEWAY: -9, points: 3, issued: -3}))
    assert audit_of(ledger).totals() == {Asset.HALALAS: 0, Asset.POINTS: 0}


@pytest.mark.parametrize(
    "change",
    [
        lambda one: replace(one, at=one.at + 1),
        lambda one: replace(one, number=one.number + 1),
        lambda one: replace(one, hash="0" * 64),
        lambda one: replace(one, transfer=replace(one.transfer, about="x")),
        lambda one: replace(one, transfer=a_transfer({WALLET: 1001, GATEWAY: -1001})),
    ],
)
def test_the_audit_sees_whatever_was_changed(change: Any) -> None:
    ledger = a_ledger(TOP_UP, a_transfer({WALLET: -5, REVENUE: 5}))
    assert audit_of(ledger).faults == []
    ledger.added[0] = change(ledger.added[0])
    assert audit_of(ledger).faults


def test_the_audit_sees_what_is_missing_at_the_end_and_balances_that_are_wrong() -> None:
    ledger = a_ledger(TOP_UP, a_transfer({WALLET: -5, REVENUE: 5}))
    last = ledger.added.pop()
    assert audit_of(ledger).faults
    ledger.added.append(last)
    ledger.changed[WALLET] = Balance(996)
    (fault,) = audit_of(ledger).faults
    assert WALLET in fault


@given(st.integers(min_value=0))
@settings(max_examples=20)
def test_random_operations_sum_to_zero(seed: int) -> None:
    walk, ledger = LedgerWalk(seed), a_ledger()
    for transfer in walk.transfers(150):
        walk.tell(transfer, ledger.enter(transfer, NOON))
    audit = audit_of(ledger)
    assert audit.faults == []
    assert not any(audit.totals().values())


class AgainstAModel(RuleBasedStateMachine):
    """The ledger beside sums that know nothing of entries or hashes."""

    holds: Bundle[Transfer] = Bundle("holds")

    def __init__(self) -> None:
        super().__init__()
        self.ledger = a_ledger()
        self.has = {WALLET: 0, OTHER: 0}
        self.held: dict[TransferId, tuple[AccountId, int]] = {}

    def free(self, name: AccountId) -> int:
        return self.has[name] - sum(n for who, n in self.held.values() if who == name)

    @rule(name=st.sampled_from([WALLET, OTHER]), amount=st.integers(1, 100))
    def top_up(self, name: AccountId, amount: int) -> None:
        entered(self.ledger, a_transfer({name: amount, GATEWAY: -amount}))
        self.has[name] += amount

    @rule(name=st.sampled_from([WALLET, OTHER]), amount=st.integers(1, 100))
    def spend(self, name: AccountId, amount: int) -> None:
        transfer = a_transfer({name: -amount, REVENUE: amount})
        if amount > self.free(name):
            assert refused(self.ledger, transfer) == NOT_ENOUGH.code
        else:
            entered(self.ledger, transfer)
            self.has[name] -= amount

    @rule(target=holds, name=st.sampled_from([WALLET, OTHER]), amount=st.integers(1, 100))
    def hold(self, name: AccountId, amount: int) -> Any:
        transfer = a_transfer({name: -amount, REVENUE: amount}, pending=True)
        if amount > self.free(name):
            assert refused(self.ledger, transfer) == NOT_ENOUGH.code
            return multiple()
        entered(self.ledger, transfer)
        self.held[transfer.id] = (name, amount)
        return transfer

    @rule(hold=holds, part=st.integers(0, 120))
    def settle(self, hold: Transfer, part: int) -> None:
        name = next(leg.account for leg in hold.legs if leg.amount < 0)
        transfer = a_transfer({name: -part, REVENUE: part}, settles=hold.id)
        known = self.held.get(hold.id)
        if known is None:
            assert refused(self.ledger, transfer) == NOT_PENDING.code
        elif part > known[1]:
            assert refused(self.ledger, transfer) == MORE_THAN_RESERVED.code
        else:
            entered(self.ledger, transfer)
            del self.held[hold.id]
            self.has[name] -= part

    @invariant()
    def both_say_the_same(self) -> None:
        for name, amount in self.has.items():
            assert self.ledger.balance(name).posted == amount
            assert self.ledger.balance(name).available == self.free(name) >= 0

    def teardown(self) -> None:
        assert audit_of(self.ledger).faults == []


TestAgainstAModel = AgainstAModel.TestCase
TestAgainstAModel.settings = settings(max_examples=40, stateful_step_count=30)


@pytest.mark.parametrize("kind", AccountKind)
def test_every_account_counts_in_one_asset_and_its_floor_is_never_above_zero(
    kind: AccountKind,
) -> None:
    name = account(kind, "somebody")
    assert asset_of(name) in Asset
    assert (floor_of(name) or 0) <= 0
