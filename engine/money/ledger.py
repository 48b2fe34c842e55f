"""The ledger: transfers entered one after the other, each bound to the one before by its hash.

Reserve, then post or void, after TigerBeetle's two-phase transfers; the chain after Formance's log.
"""

import hashlib
from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from engine.kernel.refusals import Refusal, RefusalKind, declare
from engine.kernel.timing import Instant
from engine.money.accounts import AccountId, Balance, floor_of
from engine.money.transfers import Leg, Transfer, TransferId, turned

GENESIS: Final = "0" * 64

NOT_ENOUGH = declare(
    "balance_too_low",
    RefusalKind.CONFLICT,
    en="The balance is not enough for this.",
    ar="الرصيد لا يكفي لهذه العملية.",
)
TRANSFER_CHANGED = declare(
    "transfer_id_reused",
    RefusalKind.INVALID,
    en="This transfer was entered before with other contents. Send a new id.",
    ar="سُجّل هذا التحويل من قبل بمحتوى مختلف. أرسل معرّفًا جديدًا.",
)
NOT_PENDING = declare(
    "transfer_not_pending",
    RefusalKind.CONFLICT,
    en="There is no such pending transfer, or it was posted or voided already.",
    ar="لا يوجد تحويل معلّق بهذا المعرّف، أو أنه نُفّذ أو أُلغي من قبل.",
)
MORE_THAN_RESERVED = declare(
    "more_than_reserved",
    RefusalKind.CONFLICT,
    en="This is more than was reserved.",
    ar="المبلغ أكبر مما حُجز.",
)
NOT_REVERSIBLE = declare(
    "transfer_not_reversible",
    RefusalKind.CONFLICT,
    en="There is no such transfer to be reversed, or it was reversed already.",
    ar="لا يوجد تحويل يمكن عكسه بهذا المعرّف، أو أنه عُكس من قبل.",
)


class Entry(Struct, frozen=True, kw_only=True):
    """A transfer in its place; `number` counts from 1 without a gap."""

    number: int
    at: Instant
    transfer: Transfer
    hash: str


class Head(Struct, frozen=True):
    """Where the ledger ends."""

    number: int = 0
    hash: str = GENESIS


def seal(head: Head, transfer: Transfer, at: Instant) -> Entry:
    """The entry that follows the head.

    Fields at their default are not part of what is hashed, so a transfer may get new ones.
    """
    number = head.number + 1
    body = msgspec.json.encode((head.hash, number, at, transfer))
    return Entry(number=number, at=at, transfer=transfer, hash=hashlib.sha256(body).hexdigest())


class Ledger:
    """As much of the ledger as some transfers touch, and what they add to it.

    `entries` are those that they name, `settled` and `reversed` which of those cannot be again.
    """

    def __init__(
        self,
        head: Head,
        *,
        balances: Mapping[AccountId, Balance],
        entries: Mapping[TransferId, Entry],
        closed: frozenset[TransferId] = frozenset(),
    ) -> None:
        self.opened = self.head = head
        self.added: list[Entry] = []
        self.changed: dict[AccountId, Balance] = {}
        self._balances = balances
        self._entries = dict(entries)
        self._closed = set(closed)

    def balance(self, account_id: AccountId) -> Balance:
        """What an account has by now; one that nobody used has nothing."""
        return self.changed.get(account_id) or self._balances.get(account_id) or Balance()

    def enter(self, transfer: Transfer, at: Instant) -> Entry | Refusal:
        """Add a transfer, or find the entry that it already has."""
        known = self._entries.get(transfer.id)
        if known is not None:
            return known if known.transfer == transfer else TRANSFER_CHANGED(id=transfer.id)
        refusal = self._refusal(transfer)
        if refusal is not None:
            return refusal
        after = self._after(transfer)
        short = self._short(after)
        if short is not None:
            return NOT_ENOUGH(account=short, available=self.balance(short).available)
        return self._add(transfer, after, at)

    def _add(self, transfer: Transfer, after: Mapping[AccountId, Balance], at: Instant) -> Entry:
        entry = seal(self.head, transfer, at)
        self.head = Head(entry.number, entry.hash)
        self.added.append(entry)
        self.changed.update(after)
        self._entries[transfer.id] = entry
        closes = transfer.settles or transfer.reverses
        if closes is not None:
            self._closed.add(closes)
        return entry

    def _refusal(self, transfer: Transfer) -> Refusal | None:
        if transfer.settles is not None:
            return self._cannot_settle(transfer, transfer.settles)
        if transfer.reverses is not None:
            return self._cannot_reverse(transfer, transfer.reverses)
        return None

    def _cannot_settle(self, transfer: Transfer, pending_id: TransferId) -> Refusal | None:
        pending = self._entries.get(pending_id)
        if pending is None or not pending.transfer.pending or pending_id in self._closed:
            return NOT_PENDING(id=pending_id)
        reserved = {leg.account: leg.amount for leg in pending.transfer.legs}
        is_within = all(_is_part(leg, reserved.get(leg.account, 0)) for leg in transfer.legs)
        return None if is_within else MORE_THAN_RESERVED(id=pending_id)

    def _cannot_reverse(self, transfer: Transfer, posted_id: TransferId) -> Refusal | None:
        posted = self._entries.get(posted_id)
        is_reversible = (
            posted is not None
            and not posted.transfer.pending
            and posted_id not in self._closed
            and transfer.legs == turned(posted.transfer.legs)
        )
        return None if is_reversible else NOT_REVERSIBLE(id=posted_id)

    def _after(self, transfer: Transfer) -> dict[AccountId, Balance]:
        """The balances of every account that the transfer touches, as they will be."""
        after: dict[AccountId, Balance] = {}
        if transfer.settles is not None:
            for leg in self._entries[transfer.settles].transfer.legs:
                before = self.balance(leg.account)
                after[leg.account] = replace(before, reserved=before.reserved - min(0, leg.amount))
        for leg in transfer.legs:
            before = after.get(leg.account) or self.balance(leg.account)
            after[leg.account] = moved(before, leg, pending=transfer.pending)
        return after

    def _short(self, after: Mapping[AccountId, Balance]) -> AccountId | None:
        """An account that would sink below its floor; one that rises is never in the way."""
        for account_id, balance in after.items():
            floor = floor_of(account_id)
            if floor is None or (available := balance.posted + balance.reserved) >= floor:
                continue
            if available < self.balance(account_id).available:
                return account_id
        return None


def moved(before: Balance, leg: Leg, *, pending: bool) -> Balance:
    """A balance after a leg: a pending credit is nobody's yet, a pending debit is set aside."""
    if pending:
        return Balance(before.posted, before.reserved + min(0, leg.amount))
    return Balance(before.posted + leg.amount, before.reserved)


def _is_part(leg: Leg, reserved: int) -> bool:
    return leg.amount * reserved > 0 and abs(leg.amount) <= abs(reserved)
