"""Reconciling settlement files with the ledger: what matches is settled, what breaks is kept."""

from collections.abc import Callable
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from actors.clock import Clock
from actors.ledger import LedgerKeeper, posted_to
from actors.settlement_files import SettlementFile
from engine.audit.record import Action, AuditRecord, acted
from engine.kernel.ids import PaymentId
from engine.kernel.messages import Caller
from engine.kernel.refusals import UNAVAILABLE, Refusal
from engine.money import breaks as rules
from engine.money.accounts import AccountId, AccountKind, account
from engine.money.breaks import (
    UNKNOWN_BREAK,
    BreakId,
    RunId,
    SettlementBreak,
    SettlementRun,
)
from engine.money.ledger import TRANSFER_CHANGED, Entry
from engine.money.reconciliation import (
    Reconciliation,
    StatementLine,
    items_on,
    reconcile,
    settlements,
)
from engine.money.transfers import about_order
from engine.payments.gateways import GatewayName
from storage.ledger import LedgerStore
from storage.payments import PaymentStore
from storage.settlements import UNDECIDED_MAX, SettlementStore
from storage.store import StoreUnavailable

Decide = Callable[[SettlementBreak], SettlementBreak | Refusal]
_RACES_MAX: Final = 8
_AT_ONCE: Final = 20


class Reconciling:
    """Holds lines against the ledger; nothing is entered unless that is asked for."""

    def __init__(self, ledger: LedgerKeeper, books: LedgerStore, *, wall: Clock) -> None:
        self._ledger, self._books, self._wall = ledger, books, wall

    async def compare(
        self,
        gateway: GatewayName,
        lines: tuple[StatementLine, ...],
        on_entry: Callable[[int], None],
    ) -> Reconciliation:
        """What matches and what breaks; `on_entry` hears how many more entries were read."""
        entries, name = list[Entry](), _account(gateway)
        async for one in posted_to(self._books, name):
            entries.append(one)
            on_entry(1)
        return reconcile(lines, items_on(name, entries), now=self._wall.now())

    async def post(
        self, gateway: GatewayName, found: Reconciliation, on_match: Callable[[], None]
    ) -> int:
        """Enter what matched as settled, each item once; how many halalas came to our bank."""
        bank: AccountId = account(AccountKind.BANK)
        settled, now = 0, self._wall.now()
        for match in found.matches:
            for transfer in settlements(_account(gateway), match, at=now):
                entered = await self._ledger.enter(transfer)
                if isinstance(entered, Refusal):
                    # Somebody else has settled it, or written it off, since the ledger was read.
                    assert entered.code == TRANSFER_CHANGED.code, f"{transfer.id}: {entered}"
                    continue
                settled -= sum(leg.amount for leg in transfer.legs if leg.account == bank)
            on_match()
        return settled

    async def write_off(self, known: SettlementBreak) -> None:
        """Enter what was given up; what has been settled meanwhile stays so."""
        for transfer in rules.postings(known):
            entered = await self._ledger.enter(transfer)
            is_entered = isinstance(entered, Entry) or entered.code == TRANSFER_CHANGED.code
            assert is_entered, f"break {known.id}: {entered}"


class Outcome(Struct, frozen=True, kw_only=True):
    """A run, and all that it found."""

    run: SettlementRun
    found: Reconciliation


class Settlements:
    """Keeps what settlement files break, and what people decide about it.

    Beyond `limit_halalas` a write-off needs somebody else's approval.
    """

    def __init__(
        self,
        reconciling: Reconciling,
        store: SettlementStore,
        payments: PaymentStore,
        *,
        wall: Clock,
        limit_halalas: int,
    ) -> None:
        self._reconciling, self._store, self._payments = reconciling, store, payments
        self._wall, self._limit_halalas = wall, limit_halalas

    async def run(
        self,
        file: SettlementFile,
        *,
        run_id: RunId,
        by: Caller,
        is_dry: bool = False,
        on_entry: Callable[[int], None] = lambda _: None,
        on_match: Callable[[], None] = lambda: None,
    ) -> Outcome:
        """Hold a file against the ledger, together with what broke before.

        A dry run changes nothing. What matches is settled once, so the same file may be run again.

        The run that there is of the id already is told as it was.

        Raises:
            StoreUnavailable: others change the same breaks all the time; run it again.
        """
        read = [await self._named(one) for one in file.lines]
        for _ in range(_RACES_MAX):
            undecided = await self._store.list_undecided(file.gateway)
            if len(undecided) >= UNDECIDED_MAX:
                raise StoreUnavailable(f"{UNDECIDED_MAX} breaks of {file.gateway} are undecided")
            lines = rules.with_carried(read, undecided)
            found = await self._reconciling.compare(file.gateway, lines, on_entry)
            run = self._run(file, found, run_id, by)
            if is_dry:
                return Outcome(run=run, found=found)
            settled = await self._reconciling.post(file.gateway, found, on_match)
            run = replace(run, settled_halalas=settled)
            if await self._store.save_run(run, await self._kept(run, found, undecided)):
                return Outcome(run=await self._store.find_run(run_id) or run, found=found)
        raise StoreUnavailable(f"the breaks of {file.gateway} keep changing")

    async def find_run(self, run_id: RunId) -> SettlementRun | None:
        """One by its id."""
        return await self._store.find_run(run_id)

    async def decide(
        self, break_id: BreakId, *, is_written_off: bool, note: str, by: Caller
    ) -> SettlementBreak | Refusal:
        """Say what is to become of a break; who, why and how much is on record."""
        now, who = self._wall.now(), by.user_id

        def decided(known: SettlementBreak) -> SettlementBreak | Refusal:
            if not is_written_off:
                return rules.resolve(known, note=note, by=who, now=now)
            limit = self._limit_halalas
            return rules.write_off(known, note=note, by=who, limit_halalas=limit, now=now)

        return await self._changed(break_id, decided, by, note)

    async def judge(
        self, break_id: BreakId, *, is_approved: bool, by: Caller
    ) -> SettlementBreak | Refusal:
        """Approve or reject a write-off above the limit of who asked for it."""
        now, who = self._wall.now(), by.user_id
        return await self._changed(
            break_id,
            lambda known: rules.judge(known, is_approved=is_approved, by=who, now=now),
            by,
            "",
        )

    async def look(self) -> None:
        """Enter what somebody has left half done."""
        for known in await self._store.list_due(self._wall.now(), limit=_AT_ONCE):
            await self._entered(known)

    async def _changed(
        self, break_id: BreakId, decide: Decide, by: Caller, note: str
    ) -> SettlementBreak | Refusal:
        for _ in range(_RACES_MAX):
            known = next(iter(await self._store.find_breaks([break_id])), None)
            if known is None:
                return UNKNOWN_BREAK()
            decided = decide(known)
            if isinstance(decided, Refusal):
                return decided
            if decided == known or await self._store.save_break(
                decided, records=(self._record(by, decided, note),)
            ):
                return await self._entered(decided)
        return UNAVAILABLE()

    async def _entered(self, known: SettlementBreak) -> SettlementBreak:
        if known.due_at is None:
            return known
        await self._reconciling.write_off(known)
        done = rules.entered(known)
        if await self._store.save_break(done):
            return done
        return next(iter(await self._store.find_breaks([known.id])), done)

    async def _kept(
        self,
        run: SettlementRun,
        found: Reconciliation,
        undecided: tuple[SettlementBreak, ...],
    ) -> list[SettlementBreak]:
        """The breaks that this run changes: new ones, and those that are explained now."""
        ids = {rules.break_id(run.gateway, one.about): one for one in found.breaks}
        known = {one.id: one for one in await self._store.find_breaks(list(ids))}
        kept = [
            rules.keep(
                known.get(break_id), one, gateway=run.gateway, run_id=run.id, now=run.made_at
            )
            for break_id, one in ids.items()
        ]
        gone = (one for one in undecided if one.id not in ids)
        explained = [rules.matched(one, now=run.made_at) for one in gone]
        return [one for one in kept if one is not None] + explained

    def _run(
        self, file: SettlementFile, found: Reconciliation, run_id: RunId, by: Caller
    ) -> SettlementRun:
        return SettlementRun(
            id=run_id,
            gateway=file.gateway,
            name=file.name,
            digest=file.digest,
            made_at=self._wall.now(),
            made_by=by.user_id,
            lines=len(file.lines),
            matches=len(found.matches),
            breaks=len(found.breaks),
            settled_halalas=0,
        )

    async def _named(self, line: StatementLine) -> StatementLine:
        """What names its payment is about that payment's order."""
        if not line.payment_id:
            return line
        payment = await self._payments.find(PaymentId(line.payment_id))
        return line if payment is None else replace(line, about=about_order(payment.for_order_id))

    def _record(self, by: Caller, decided: SettlementBreak, note: str) -> AuditRecord:
        told = {"status": decided.status.value, "apart_halalas": decided.apart_halalas}
        subject = f"settlement_break:{decided.id}"
        at = self._wall.now()
        return acted(by, Action.JUDGE_BREAK, subject, at=at, after=told, reason=note)


def _account(gateway: GatewayName) -> AccountId:
    return account(AccountKind.GATEWAY, gateway)
