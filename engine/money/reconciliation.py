"""Reconciling a gateway's settlement file with the ledger: what matches, and what breaks.

A line of the file and what the ledger has on the gateway's account meet by their order. Where that
leaves a choice the same amount decides; what is left of an order matches when both sides come to
the same. What a gateway takes for its transfer to our bank is a charge and meets nothing.
Everything else is a break, told with its age until somebody has explained it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct

from engine.kernel.ids import derived_id
from engine.kernel.timing import DAY_MS, Instant
from engine.money.accounts import AccountId, AccountKind, account
from engine.money.ledger import Entry
from engine.money.transfers import Transfer, TransferId, TransferReason, move

_MOVES: Final = frozenset(
    {TransferReason.CAPTURE, TransferReason.REFUND, TransferReason.CONVERSION}
)


class StatementLine(Struct, frozen=True, kw_only=True):
    """What the gateway says it took for us (above zero) or gave back, and what it kept for that.

    `reference` names it among all lines of all files. With `payment_id` it is about that payment's
    order; `is_converted` when the gateway counts in another currency. A `is_charge` is what it kept
    of the whole file, and moves nothing.
    """

    row: int
    about: str
    halalas: int
    fee_halalas: int = 0
    fee_vat_halalas: int = 0
    reference: str = ""
    payment_id: str = ""
    is_converted: bool = False
    is_charge: bool = False


class BookItem(Struct, frozen=True, kw_only=True):
    """The same by the ledger; `is_settled` when the money was seen at our bank before."""

    transfer_id: TransferId
    about: str
    halalas: int
    at: Instant
    is_settled: bool = False


class MatchRule(StrEnum):
    """How a line and an item met."""

    SAME_AMOUNT = "same_amount"
    SAME_SUM = "same_sum"
    ROUNDED = "rounded"
    CHARGE = "charge"


class BreakKind(StrEnum):
    """What does not match."""

    NOT_IN_LEDGER = "not_in_ledger"
    NOT_IN_FILE = "not_in_file"
    OTHER_AMOUNT = "other_amount"


class Match(Struct, frozen=True, kw_only=True):
    """Lines and items that are the same money; a charge has no items."""

    rule: MatchRule
    lines: tuple[StatementLine, ...]
    items: tuple[BookItem, ...]


class Break(Struct, frozen=True, kw_only=True):
    """What nobody has explained yet; the age is that of the oldest item, 0 where there is none."""

    kind: BreakKind
    about: str
    file_halalas: int
    ledger_halalas: int
    age_days: int
    lines: tuple[StatementLine, ...] = ()
    items: tuple[BookItem, ...] = ()


class Reconciliation(Struct, frozen=True, kw_only=True):
    """All of it: every line and every open item is in exactly one match or break."""

    matches: tuple[Match, ...]
    breaks: tuple[Break, ...]


def items_on(gateway: AccountId, entries: Iterable[Entry]) -> tuple[BookItem, ...]:
    """What gateways moved for us, by the entries of the gateway's account."""
    transfers = [one.transfer for one in entries]
    known = {one.id for one in transfers}
    return tuple(
        BookItem(
            transfer_id=one.id,
            about=one.about,
            halalas=-sum(leg.amount for leg in one.legs if leg.account == gateway),
            at=one.effective_at,
            is_settled=settlement_id(one.id) in known,
        )
        for one in transfers
        if one.reason in _MOVES and not one.pending
    )


def reconcile(
    lines: Sequence[StatementLine], items: Sequence[BookItem], *, now: Instant
) -> Reconciliation:
    """Match a file with the ledger, order by order."""
    of_file, of_ledger = defaultdict[str, list[StatementLine]](list), _by_order(items)
    matches, breaks = list[Match](), list[Break]()
    for line in lines:
        if line.is_charge:
            matches.append(Match(rule=MatchRule.CHARGE, lines=(line,), items=()))
        else:
            of_file[line.about].append(line)
    for about in sorted({*of_file, *of_ledger}):
        left, rest, found = _same_amounts(of_file[about], of_ledger.get(about, []))
        matches += found
        still_open = [one for one in rest if not one.is_settled]
        meeting = _meeting(left, still_open, rest)
        if meeting is not None:
            matches.append(meeting)
        elif left or still_open:
            breaks.append(_break(about, left, still_open, now))
    return Reconciliation(matches=tuple(matches), breaks=tuple(breaks))


def settlements(gateway: AccountId, match: Match, *, at: Instant) -> tuple[Transfer, ...]:
    """What is at our bank now, less what the gateway kept: one transfer for each item, once.

    `at` is the day of the settlement. The fees of the match are taken with its oldest item, those
    of a charge alone; their VAT is ours to be deducted from what we owe the authority.
    """
    if match.rule is MatchRule.CHARGE:
        return tuple(_charged(gateway, line, at) for line in match.lines)
    fee = sum(one.fee_halalas for one in match.lines)
    fee_vat = sum(one.fee_vat_halalas for one in match.lines)
    made = []
    in_order = sorted(match.items, key=lambda one: (one.at, one.transfer_id))
    for number, item in enumerate(in_order):
        kept, kept_vat = (fee, fee_vat) if number == 0 else (0, 0)
        if item.is_settled:
            continue
        amounts = {
            gateway: item.halalas,
            account(AccountKind.BANK): kept + kept_vat - item.halalas,
            account(AccountKind.GATEWAY_FEES): -kept,
            account(AccountKind.INPUT_VAT): -kept_vat,
        }
        made.append(
            Transfer(
                id=settlement_id(item.transfer_id),
                reason=TransferReason.SETTLEMENT,
                legs=move(amounts),
                effective_at=at,
                about=item.about,
            )
        )
    return tuple(made)


def _charged(gateway: AccountId, line: StatementLine, at: Instant) -> Transfer:
    kept, kept_vat = line.fee_halalas, line.fee_vat_halalas
    return Transfer(
        id=TransferId(derived_id("settlement charge", gateway, line.reference)),
        reason=TransferReason.SETTLEMENT,
        legs=move(
            {
                account(AccountKind.BANK): kept + kept_vat,
                account(AccountKind.GATEWAY_FEES): -kept,
                account(AccountKind.INPUT_VAT): -kept_vat,
            }
        ),
        effective_at=at,
        about=line.about,
    )


def _same_amounts(
    lines: Sequence[StatementLine], items: Sequence[BookItem]
) -> tuple[list[StatementLine], list[BookItem], list[Match]]:
    """What is left of an order when one line and one item of the same amount are paired."""
    left, rest, found = list[StatementLine](), list(items), list[Match]()
    for line in lines:
        item = next((one for one in rest if one.halalas == line.halalas), None)
        if item is None:
            left.append(line)
            continue
        rest.remove(item)
        found.append(Match(rule=MatchRule.SAME_AMOUNT, lines=(line,), items=(item,)))
    return left, rest, found


def _meeting(
    lines: Sequence[StatementLine], still_open: Sequence[BookItem], rest: Sequence[BookItem]
) -> Match | None:
    """All that is left of an order as one match, if both sides come to the same.

    Of another currency each line is worth up to a halala more or less than what was booked for it.
    """
    is_rounded = any(one.is_converted for one in lines)
    for items in (still_open, rest):
        apart = sum(one.halalas for one in lines) - sum(one.halalas for one in items)
        if not lines or not items or abs(apart) > (len(lines) if is_rounded else 0):
            continue
        rule = MatchRule.ROUNDED if apart else MatchRule.SAME_SUM
        return Match(rule=rule, lines=tuple(lines), items=tuple(items))
    return None


def _break(
    about: str, left: Sequence[StatementLine], rest: Sequence[BookItem], now: Instant
) -> Break:
    kind = BreakKind.OTHER_AMOUNT
    if not left or not rest:
        kind = BreakKind.NOT_IN_LEDGER if left else BreakKind.NOT_IN_FILE
    return Break(
        kind=kind,
        about=about,
        file_halalas=sum(one.halalas for one in left),
        ledger_halalas=sum(one.halalas for one in rest),
        age_days=max(((now - one.at) // DAY_MS for one in rest), default=0),
        lines=tuple(left),
        items=tuple(rest),
    )


def _by_order(items: Sequence[BookItem]) -> dict[str, list[BookItem]]:
    found = defaultdict[str, list[BookItem]](list)
    # What was settled before meets a line only when nothing else of the order does.
    for item in sorted(items, key=lambda one: (one.is_settled, one.at, one.transfer_id)):
        found[item.about].append(item)
    return found


def settlement_id(transfer_id: TransferId) -> TransferId:
    """Under what id the money that a transfer booked leaves the gateway's account, once."""
    return TransferId(derived_id("settlement", transfer_id))
