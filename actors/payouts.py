"""The host of payouts: reserve, ask once, look until it is known; nothing is asked blindly."""

from typing import Final, Protocol

import structlog

from actors.cash import CashHolders
from actors.clock import Clock
from actors.gateways.payouts import PayoutGateway, PayoutRejected, PayoutUncertain
from actors.ledger import LedgerKeeper
from engine.kernel.ids import CourierId, UserId, derived_id
from engine.kernel.refusals import Refusal
from engine.kernel.timing import HOUR_MS
from engine.money.accounts import AccountKind, account, owner_of
from engine.money.ledger import NOT_ENOUGH, NOT_PENDING, TRANSFER_CHANGED
from engine.money.transfers import Transfer
from engine.payouts import decide, postings
from engine.payouts.decide import PayoutTerms
from engine.payouts.payout import (
    PAYOUT_UNDER_WAY,
    BankAccount,
    Payout,
    PayoutId,
    PayoutKind,
    PayoutStatus,
)
from engine.payouts.weekly import WeeklyTime, last_weekly
from storage.ledger import LedgerStore
from storage.payouts import PayoutStore
from storage.store import StoreUnavailable

S = PayoutStatus
_AT_ONCE: Final = 20
_ACCOUNTS_AT_ONCE: Final = 500
_STEPS_MAX: Final = 8
# A week's run that was missed for longer than this waits for the next week.
_LATE_MS: Final = 24 * HOUR_MS


class FeeInvoicing(Protocol):
    """Who issues invoices for fees; each method may be called again."""

    async def on_paid_out(self, payout: Payout) -> None:
        """It has arrived."""
        ...

    async def on_returned(self, payout: Payout) -> None:
        """It came to nothing after all."""
        ...


class PayoutsWait(Exception):
    """Not everybody can be paid out yet; the text says how many."""


class Payouts:
    """One for a process; of any number of processes one does each step of a payout.

    `books` is what is read of the ledger; it is written through `ledger` alone.
    """

    def __init__(
        self,
        store: PayoutStore,
        ledger: LedgerKeeper,
        books: LedgerStore,
        gateway: PayoutGateway,
        cash: CashHolders,
        *,
        invoicing: FeeInvoicing,
        wall: Clock,
        terms: PayoutTerms,
    ) -> None:
        self._store, self._ledger, self._books, self._cash = store, ledger, books, cash
        self._gateway, self._invoicing = gateway, invoicing
        self._wall, self._terms = wall, terms

    async def request(
        self, courier_id: CourierId, kind: PayoutKind, asked_halalas: int | None, *, cause: str
    ) -> Payout | Refusal:
        """A payout to the courier's newest bank account; the same `cause` is the same payout."""
        payout_id = PayoutId(derived_id("payout", cause))
        known = await self._store.find(payout_id)
        if known is not None:
            return known
        made = decide.request(
            payout_id,
            await self._store.account_of(courier_id),
            kind,
            available_halalas=await self._payable(courier_id),
            asked_halalas=asked_halalas,
            terms=self._terms,
            now=self._wall.now(),
        )
        if isinstance(made, Refusal):
            return made
        if await self._store.save(made):
            return await self.advance(made)
        return await self._store.find(payout_id) or PAYOUT_UNDER_WAY()

    async def pay_everybody(self, weekly: WeeklyTime) -> int:
        """Begin this week's payouts, unless its time is long gone; each is begun once.

        Returns how many couriers have one.

        Raises:
            PayoutsWait: some have another one under way, and are to be asked for again.
        """
        now = self._wall.now()
        week = last_weekly(weekly, now)
        if now > week + _LATE_MS:
            return 0
        after, count, waiting = None, 0, 0
        while found := await self._books.list_balances(
            AccountKind.COURIER_WALLET, after=after, limit=_ACCOUNTS_AT_ONCE
        ):
            for name, balance in found.items():
                if balance.available >= self._terms.least_halalas:
                    courier_id = CourierId(UserId(owner_of(name)))
                    cause = f"week:{week}:{courier_id}"
                    made = await self.request(courier_id, PayoutKind.WEEKLY, None, cause=cause)
                    count += isinstance(made, Payout)
                    waiting += made == PAYOUT_UNDER_WAY()
            after = max(found)
        if waiting:
            raise PayoutsWait(f"{waiting} couriers have another payout under way")
        return count

    async def look(self) -> None:
        """Do what is due now."""
        for payout in await self._store.list_due(self._wall.now(), limit=_AT_ONCE):
            try:
                await self.advance(payout)
            except StoreUnavailable:
                raise
            except Exception as error:  # noqa: BLE001 - one that is stuck stops no other
                log = structlog.get_logger(__name__)
                log.warning("payout_stuck", id=payout.id, status=payout.status, why=repr(error))

    async def advance(self, payout: Payout) -> Payout:
        """Do the next steps of a payout, as far as they are due."""
        for _ in range(_STEPS_MAX):
            if payout.due_at is None or payout.due_at > self._wall.now():
                break
            changed = await self._step(payout)
            if changed is None:
                # Somebody else was quicker, and goes on with it.
                return await self._store.find(payout.id) or payout
            payout = changed
        return payout

    async def _step(self, payout: Payout) -> Payout | None:
        if not payout.is_entered:
            return await self._follow(payout)
        match payout.status:
            case S.NEW:
                return await self._reserve(payout)
            case S.RESERVED:
                return await self._ask(payout)
            case _:
                return await self._look_at(payout)

    async def _reserve(self, payout: Payout) -> Payout | None:
        await self._keep_back_cash(payout)
        await self._recover(payout)
        refusal = await self._enter(postings.reservation(payout), NOT_ENOUGH.code)
        if refusal:
            return await self._saved(decide.refused(payout, refusal))
        saved = await self._saved(decide.reserved(payout, now=self._wall.now()))
        newest = saved or await self._store.find(payout.id)
        if newest is not None and newest.status is S.REFUSED:
            # Somebody else found too little a moment before there was enough.
            await self._enter(postings.void(payout), NOT_PENDING.code)
        return saved

    async def _keep_back_cash(self, payout: Payout) -> None:
        """What he holds of ours is taken from what he has earned beside this payout."""
        beside = await self._net(payout.courier_id) - payout.amount_halalas - payout.fee_halalas
        await self._cash.keep_back(
            payout.courier_id,
            cause=f"payout:{payout.id}",
            halalas_max=beside,
            at=payout.made_at,
        )

    async def _recover(self, payout: Payout) -> None:
        """Keep back what he owes us, once: no other payout of his is made meanwhile."""
        debt = await self._books.find_balance(postings.debt_of(payout.courier_id))
        wallet = await self._books.find_balance(postings.wallet_of(payout.courier_id))
        halalas = min(-debt.posted, wallet.available)
        if halalas > 0:
            recovery = postings.recovery(payout, halalas)
            await self._enter(recovery, NOT_ENOUGH.code, TRANSFER_CHANGED.code)

    async def _ask(self, payout: Payout) -> Payout | None:
        """Ask the provider; whoever stores that it is asked, asks, and nobody else does."""
        to = await self._to(payout)
        asking = await self._saved(decide.asked(payout, now=self._wall.now()))
        if asking is None:
            return None
        try:
            said = await self._gateway.send(asking, to)
        except PayoutUncertain as error:
            structlog.get_logger(__name__).warning("payout_unknown", id=payout.id, why=str(error))
            return asking
        except PayoutRejected as error:
            return await self._saved(decide.rejected(asking, str(error), now=self._wall.now()))
        now = self._wall.now()
        return await self._saved(decide.heard(asking, said, iban=to.iban, now=now))

    async def _look_at(self, payout: Payout) -> Payout | None:
        to = await self._to(payout)
        try:
            said = await self._gateway.find(payout)
        except PayoutUncertain:
            return await self._saved(decide.not_heard(payout, now=self._wall.now()))
        now = self._wall.now()
        if said is None:
            return await self._saved(decide.not_found(payout, terms=self._terms, now=now))
        return await self._saved(decide.heard(payout, said, iban=to.iban, now=now))

    async def _follow(self, payout: Payout) -> Payout | None:
        """Enter in the ledger what became of it; what two enter at once is entered once."""
        match payout.status:
            case S.SENT:
                await self._enter(postings.posting(payout))
            case S.PAID:
                await self._enter_all(postings.posting(payout), postings.arrival(payout))
                await self._invoicing.on_paid_out(payout)
            case S.FAILED:
                await self._undo(payout)
            case S.RETURNED:
                await self._enter_all(postings.posting(payout), postings.arrival(payout))
                await self._enter_all(*postings.reversals(payout, has_arrived=True))
                await self._invoicing.on_returned(payout)
            case _:
                pass
        return await self._saved(decide.entered(payout, now=self._wall.now()))

    async def _undo(self, payout: Payout) -> None:
        """Free what was reserved; what was posted by then is reversed."""
        if await self._enter(postings.void(payout), NOT_PENDING.code):
            await self._enter_all(*postings.reversals(payout, has_arrived=False))

    async def _enter_all(self, *transfers: Transfer) -> None:
        for one in transfers:
            await self._enter(one)

    async def _enter(self, transfer: Transfer, *expected: str) -> str:
        """The code of the refusal, if it is one of the expected; any other is a bug."""
        entered = await self._ledger.enter(transfer)
        if not isinstance(entered, Refusal):
            return ""
        assert entered.code in expected, f"transfer {transfer.id}: {entered}"
        return entered.code

    async def _payable(self, courier_id: CourierId) -> int:
        """What he has, less what he owes us and what he holds of our cash."""
        cash = await self._books.find_balance(account(AccountKind.COURIER_CASH, courier_id))
        return await self._net(courier_id) + min(0, cash.posted)

    async def _net(self, courier_id: CourierId) -> int:
        """What he has, less what he owes us."""
        wallet = await self._books.find_balance(postings.wallet_of(courier_id))
        debt = await self._books.find_balance(postings.debt_of(courier_id))
        return wallet.available + min(0, debt.posted)

    async def _to(self, payout: Payout) -> BankAccount:
        account = await self._store.find_account(payout.bank_account_id)
        assert account is not None, "a bank account is never forgotten"
        return account

    async def _saved(self, payout: Payout) -> Payout | None:
        return payout if await self._store.save(payout) else None
