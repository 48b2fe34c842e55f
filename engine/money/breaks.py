"""What a settlement file and the ledger do not agree on, kept until somebody has explained it.

Each order of a gateway has at most one break. A later file may explain it (`matched`), a person may
(`resolved`: the ledger is right and nothing is entered), or it is given up (`written_off`).
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final, NewType

from msgspec import Struct
from msgspec.structs import replace

from engine.kernel.ids import UserId, derived_id
from engine.kernel.messages import Thing
from engine.kernel.refusals import Refusal, RefusalKind, declare
from engine.kernel.timing import Instant
from engine.money.accounts import AccountId, AccountKind, account
from engine.money.reconciliation import (
    BookItem,
    Break,
    BreakKind,
    StatementLine,
    settlement_id,
)
from engine.money.transfers import Transfer, TransferId, TransferReason, move

BreakId = NewType("BreakId", str)
RunId = NewType("RunId", str)


def run_id_at(name: str, at: Instant) -> RunId:
    """The run of a file of this name at this instant, for whoever was given no id for it."""
    return RunId(derived_id("settlement run", name, str(at)))


class BreakStatus(StrEnum):
    """What became of a break."""

    OPEN = "open"
    WAITS_FOR_APPROVAL = "waits_for_approval"
    MATCHED = "matched"
    RESOLVED = "resolved"
    WRITTEN_OFF = "written_off"


UNDECIDED: Final = frozenset({BreakStatus.OPEN, BreakStatus.WAITS_FOR_APPROVAL})


class SettlementRun(Struct, frozen=True, kw_only=True):
    """A settlement file that was held against the ledger; amounts in halalas."""

    id: RunId
    gateway: str
    name: str
    digest: str
    made_at: Instant
    made_by: UserId
    lines: int
    matches: int
    breaks: int
    settled_halalas: int


class SettlementBreak(Thing, frozen=True, kw_only=True):
    """A break as it is kept; `since_at` is the day of its oldest item, or when it was first seen.

    `asked_by` has decided about it, `decided_by` has approved that. `due_at` is when a write-off is
    to be entered in the ledger; None when that is done.
    """

    id: BreakId
    gateway: str
    about: str
    kind: BreakKind
    status: BreakStatus = BreakStatus.OPEN
    file_halalas: int
    ledger_halalas: int
    lines: tuple[StatementLine, ...]
    items: tuple[BookItem, ...]
    run_id: RunId
    since_at: Instant
    seen_at: Instant
    asked_by: UserId | None = None
    note: str = ""
    decided_by: UserId | None = None
    closed_at: Instant | None = None
    due_at: Instant | None = None

    @property
    def apart_halalas(self) -> int:
        """What the file says more than the ledger."""
        return self.file_halalas - self.ledger_halalas


UNREADABLE_SETTLEMENT = declare(
    "unreadable_settlement",
    RefusalKind.INVALID,
    en="This is no settlement file that can be read; `why` says where it fails.",
    ar="تعذّرت قراءة ملف التسوية، ويوضح الحقل `why` موضع الخطأ.",
)
UNKNOWN_BREAK = declare(
    "unknown_break",
    RefusalKind.NOT_FOUND,
    en="There is no such break.",
    ar="لا يوجد فرق بهذا الرقم.",
)
BREAK_DECIDED = declare(
    "break_decided",
    RefusalKind.CONFLICT,
    en="This break was decided otherwise, or is explained by now.",
    ar="حُسم هذا الفرق بقرار آخر، أو ظهر تفسيره.",
)
NOT_YOUR_WRITE_OFF = declare(
    "not_your_write_off",
    RefusalKind.FORBIDDEN,
    en="Somebody else must approve what you asked for.",
    ar="يجب أن يوافق شخص آخر على طلبك.",
)


def break_id(gateway: str, about: str) -> BreakId:
    """One break for each order of a gateway."""
    return BreakId(derived_id("settlement break", gateway, about))


def keep(
    known: SettlementBreak | None, found: Break, *, gateway: str, run_id: RunId, now: Instant
) -> SettlementBreak | None:
    """The break to be kept; None when nothing is new about the one that is.

    What was decided stays so until a line or an item appears that nobody knew of then.
    """
    if known is not None and known.status is not BreakStatus.MATCHED and _says(found, known):
        return None
    first_seen_at = known.since_at if known is not None and known.status in UNDECIDED else now
    return SettlementBreak(
        version=1 if known is None else known.version + 1,
        id=break_id(gateway, found.about),
        gateway=gateway,
        about=found.about,
        kind=found.kind,
        file_halalas=found.file_halalas,
        ledger_halalas=found.ledger_halalas,
        lines=found.lines,
        items=found.items,
        run_id=run_id,
        since_at=min((one.at for one in found.items), default=first_seen_at),
        seen_at=now,
    )


def with_carried(
    lines: Sequence[StatementLine], undecided: Iterable[SettlementBreak]
) -> tuple[StatementLine, ...]:
    """A file's lines and those of earlier files that still break, each once."""
    read = {one.reference for one in lines}
    carried = (line for one in undecided for line in one.lines if line.reference not in read)
    return (*lines, *carried)


def matched(known: SettlementBreak, *, now: Instant) -> SettlementBreak:
    """A later file has explained it."""
    return replace(
        known, version=known.version + 1, status=BreakStatus.MATCHED, closed_at=now, seen_at=now
    )


def resolve(
    known: SettlementBreak, *, note: str, by: UserId, now: Instant
) -> SettlementBreak | Refusal:
    """Explained by a person: nothing is entered. The same again changes nothing."""
    if known.status is BreakStatus.RESOLVED and (known.asked_by, known.note) == (by, note):
        return known
    if known.status is not BreakStatus.OPEN:
        return BREAK_DECIDED(status=known.status.value)
    return replace(
        known,
        version=known.version + 1,
        status=BreakStatus.RESOLVED,
        asked_by=by,
        note=note,
        closed_at=now,
    )


def write_off(
    known: SettlementBreak, *, note: str, by: UserId, limit_halalas: int, now: Instant
) -> SettlementBreak | Refusal:
    """Give up looking for it; beyond the limit somebody else must agree."""
    if known.status is not BreakStatus.OPEN:
        is_same = known.asked_by == by and known.note == note
        is_asked = known.status in {BreakStatus.WAITS_FOR_APPROVAL, BreakStatus.WRITTEN_OFF}
        return known if is_same and is_asked else BREAK_DECIDED(status=known.status.value)
    asked = replace(known, version=known.version + 1, asked_by=by, note=note)
    if abs(known.apart_halalas) > limit_halalas:
        return replace(asked, status=BreakStatus.WAITS_FOR_APPROVAL)
    return _given_up(asked, now)


def judge(
    known: SettlementBreak, *, is_approved: bool, by: UserId, now: Instant
) -> SettlementBreak | Refusal:
    """Approve a write-off that somebody else asked for, or have it looked for again."""
    if known.status is not BreakStatus.WAITS_FOR_APPROVAL:
        is_same = known.decided_by == by and is_approved
        is_done = known.status is BreakStatus.WRITTEN_OFF
        return known if is_same and is_done else BREAK_DECIDED(status=known.status.value)
    if known.asked_by == by:
        return NOT_YOUR_WRITE_OFF()
    judged = replace(known, version=known.version + 1, decided_by=by)
    if is_approved:
        return _given_up(judged, now)
    return replace(judged, status=BreakStatus.OPEN, asked_by=None, note="")


def entered(known: SettlementBreak) -> SettlementBreak:
    """Its write-off is in the ledger."""
    return replace(known, version=known.version + 1, due_at=None)


def postings(known: SettlementBreak) -> tuple[Transfer, ...]:
    """A write-off: what came is at the bank, what did not has left the gateway, all of it once."""
    gateway = account(AccountKind.GATEWAY, known.gateway)
    unexplained = account(AccountKind.UNEXPLAINED)
    made = [
        _transfer(
            known,
            settlement_id(one.transfer_id),
            {gateway: one.halalas, unexplained: -one.halalas},
        )
        for one in known.items
    ]
    fee = sum(one.fee_halalas for one in known.lines)
    fee_vat = sum(one.fee_vat_halalas for one in known.lines)
    came = {
        unexplained: known.file_halalas,
        account(AccountKind.BANK): fee + fee_vat - known.file_halalas,
        account(AccountKind.GATEWAY_FEES): -fee,
        account(AccountKind.INPUT_VAT): -fee_vat,
    }
    if any(came.values()):
        name = derived_id("break written off", known.id, str(known.closed_at))
        made.append(_transfer(known, TransferId(name), came))
    return tuple(made)


def _given_up(known: SettlementBreak, now: Instant) -> SettlementBreak:
    return replace(known, status=BreakStatus.WRITTEN_OFF, closed_at=now, due_at=now)


def _transfer(
    known: SettlementBreak, transfer_id: TransferId, amounts: dict[AccountId, int]
) -> Transfer:
    assert known.closed_at is not None, "what is written off is closed"
    return Transfer(
        id=transfer_id,
        reason=TransferReason.WRITE_OFF,
        legs=move(amounts),
        effective_at=known.closed_at,
        about=known.about,
    )


def _says(found: Break, known: SettlementBreak) -> bool:
    """Whether nothing is in a break that the kept one lacks; of an open one, nothing less, too."""
    lines = ({one.reference for one in has.lines} for has in (found, known))
    items = ({one.transfer_id for one in has.items} for has in (found, known))
    (new_lines, old_lines), (new_items, old_items) = lines, items
    if known.status in UNDECIDED:
        return (new_lines, new_items) == (old_lines, old_items)
    return new_lines <= old_lines and new_items <= old_items
