"""What a payout leaves in the ledger; the same one always leaves the same transfers.

A payout is reserved, posted when the provider has it, and gone from our bank when it is paid. Its
transfers count for the day on which it was asked for.
"""

from engine.kernel.ids import CourierId, derived_id
from engine.money.accounts import AccountId, AccountKind, account
from engine.money.transfers import Leg, Transfer, TransferId, TransferReason, move, reversal_of
from engine.payouts.payout import Payout
from engine.pricing.lines import net_in

BANK = account(AccountKind.BANK)


def wallet_of(courier_id: CourierId) -> AccountId:
    """What a courier has earned and may be paid."""
    return account(AccountKind.COURIER_WALLET, courier_id)


def debt_of(courier_id: CourierId) -> AccountId:
    """What a courier owes us."""
    return account(AccountKind.COURIER_DEBT, courier_id)


def recovery(payout: Payout, halalas: int) -> Transfer:
    """What a courier owes us is kept back before he is paid."""
    legs = move({wallet_of(payout.courier_id): -halalas, debt_of(payout.courier_id): halalas})
    return _transfer(payout, "recovery", legs, reason=TransferReason.RECOVERY)


def reservation(payout: Payout) -> Transfer:
    """Set aside, with the fee; pending until the provider has it."""
    return _transfer(payout, "reservation", _legs(payout), is_pending=True)


def posting(payout: Payout) -> Transfer:
    """The provider has it: it is on its way."""
    return _transfer(payout, "posting", _legs(payout), settles=reservation(payout).id)


def void(payout: Payout) -> Transfer:
    """The provider never had it: the money is free again."""
    return _transfer(payout, "void", (), settles=reservation(payout).id)


def arrival(payout: Payout) -> Transfer:
    """It has left our bank."""
    legs = move({_on_its_way(payout): -payout.amount_halalas, BANK: payout.amount_halalas})
    return _transfer(payout, "arrival", legs)


def reversals(payout: Payout, *, has_arrived: bool) -> tuple[Transfer, ...]:
    """It came to nothing after all: everything goes back, the fee as well."""
    undone = (arrival(payout), posting(payout)) if has_arrived else (posting(payout),)
    return tuple(
        reversal_of(
            one,
            id=TransferId(derived_id("payout reversal", one.id)),
            effective_at=one.effective_at,
        )
        for one in undone
    )


def _legs(payout: Payout) -> tuple[Leg, ...]:
    net = net_in(payout.fee_halalas)
    return move(
        {
            wallet_of(payout.courier_id): -payout.amount_halalas - payout.fee_halalas,
            _on_its_way(payout): payout.amount_halalas,
            account(AccountKind.REVENUE): net,
            account(AccountKind.VAT): payout.fee_halalas - net,
        }
    )


def _on_its_way(payout: Payout) -> AccountId:
    return account(AccountKind.PAYOUT, payout.courier_id)


def _transfer(
    payout: Payout,
    what: str,
    legs: tuple[Leg, ...],
    *,
    reason: TransferReason = TransferReason.PAYOUT,
    is_pending: bool = False,
    settles: TransferId | None = None,
) -> Transfer:
    return Transfer(
        id=TransferId(derived_id("payout", payout.id, what)),
        reason=reason,
        legs=legs,
        effective_at=payout.made_at,
        about=f"payout:{payout.id}",
        pending=is_pending,
        settles=settles,
    )
