"""Accounting periods: months in Riyadh, closed one after the other and never opened again.

Closing a period stops no money: it notes where the ledger ends. What is entered later for a day of
a closed period counts for the first one that was open then. So a closed period's figures stay as
they are, and every entry is in exactly one period.
"""

import re
from typing import Final, NewType

from msgspec import Struct

from engine.kernel.ids import UserId
from engine.kernel.refusals import Refusal, RefusalKind, declare
from engine.kernel.timing import DAY_MS, HOUR_MS, MINUTE_MS, Instant
from engine.money.accounts import AccountKind, Asset

PeriodName = NewType("PeriodName", str)
_NAME: Final = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")
# By then what was dated in a month's last second is stored, too: a document's day is its period.
SETTLED_AFTER_MS: Final = 10 * MINUTE_MS
# Riyadh is three hours before UTC all year.
_OFFSET_MS: Final = 3 * HOUR_MS


class Period(Struct, frozen=True, kw_only=True):
    """A month, from its first instant to that of the next."""

    name: PeriodName
    since: Instant
    until: Instant


class Closing(Struct, frozen=True, kw_only=True):
    """Up to which entry a period was closed; the hash is that of this entry."""

    period: PeriodName
    number: int
    hash: str
    closed_at: Instant
    closed_by: UserId


class Span(Struct, frozen=True, kw_only=True):
    """Which entries a period has: of its days up to `last`, of earlier days from after `first`.

    None is no bound: the period is open, or the one before it is.
    """

    since: Instant
    until: Instant
    first: int | None
    last: int | None

    def holds(self, number: int, effective_at: Instant) -> bool:
        """Whether an entry counts for the period."""
        if effective_at >= self.until or (self.last is not None and number > self.last):
            return False
        is_late = self.first is not None and number > self.first
        return effective_at >= self.since or is_late


class Turnover(Struct, frozen=True, kw_only=True):
    """What was debited and credited to all accounts of a kind."""

    kind: AccountKind
    asset: Asset
    debits: int
    credits: int


class VatSum(Struct, frozen=True, kw_only=True):
    """What was invoiced, or credited, in a period."""

    kind: str
    documents: int
    net_halalas: int
    vat_halalas: int


class VatReturn(Struct, frozen=True, kw_only=True):
    """What is declared, from the documents, and what the ledger owes the authority for the period.

    Input VAT is what gateways have charged us. A `difference` is VAT that was invoiced and is not
    in the ledger, or the other way round.
    """

    sales_net_halalas: int
    output_vat_halalas: int
    ledger_vat_halalas: int
    input_vat_halalas: int

    @property
    def difference_halalas(self) -> int:
        """Zero, where every invoice was paid for through the ledger, in the month of its date."""
        return self.output_vat_halalas - self.ledger_vat_halalas

    @property
    def payable_halalas(self) -> int:
        """What the authority is to be paid."""
        return self.output_vat_halalas - self.input_vat_halalas


BAD_PERIOD = declare(
    "bad_period",
    RefusalKind.INVALID,
    en="A period is a month, written as 2026-11.",
    ar="الفترة شهر يُكتب هكذا: 2026-11.",
)
PERIOD_NOT_OVER = declare(
    "period_not_over",
    RefusalKind.CONFLICT,
    en="A month can be closed when it has been over for ten minutes.",
    ar="يمكن إقفال الشهر بعد مضي عشر دقائق على نهايته.",
)
PERIOD_OUT_OF_ORDER = declare(
    "period_out_of_order",
    RefusalKind.CONFLICT,
    en="Months are closed one after the other. Close the one that follows the last closed one.",
    ar="تُقفل الشهور بالتتابع. أقفل الشهر الذي يلي آخر شهر مقفل.",
)


def period_of(name: str) -> Period | None:
    """The month of this name, or None."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    year, month = int(found[1]), int(found[2])
    return Period(
        name=PeriodName(name), since=_first_day(year, month), until=_first_day(year, month + 1)
    )


def month_at(at: Instant) -> Period:
    """The month in Riyadh that an instant lies in."""
    days = (at + _OFFSET_MS) // DAY_MS
    # The other way round, by the same source as below.
    z = days + 719_468
    of_era = z % 146_097
    year_of_era = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month = (5 * of_year + 2) // 153
    year, month = z // 146_097 * 400 + year_of_era + month // 10, (month + 2) % 12 + 1
    found = period_of(f"{year}-{month:02}")
    assert found is not None, "an instant of this century"
    return found


def after(period: Period) -> Period:
    """The month that follows."""
    return month_at(period.until)


def before(period: Period) -> PeriodName:
    """The name of the month before."""
    year, month = (int(one) for one in period.name.split("-"))
    return PeriodName(f"{year - (month == 1)}-{(month - 2) % 12 + 1:02}")


def closable(period: Period, last: Closing | None, *, now: Instant) -> Refusal | None:
    """Why a period cannot be closed now; `last` is the last closed one."""
    if now < (settled_at := period.until + SETTLED_AFTER_MS):
        return PERIOD_NOT_OVER(until=settled_at)
    if last is not None and last.period != before(period):
        return PERIOD_OUT_OF_ORDER(last=last.period)
    return None


def span(period: Period, closing: Closing | None, closing_before: Closing | None) -> Span:
    """Which entries are a period's."""
    return Span(
        since=period.since,
        until=period.until,
        first=None if closing_before is None else closing_before.number,
        last=None if closing is None else closing.number,
    )


def vat_return(turnovers: tuple[Turnover, ...], sums: tuple[VatSum, ...]) -> VatReturn:
    """What is to be declared for a period: credit notes take from what was invoiced."""
    signed = [(-1 if one.kind == "credit_note" else 1, one) for one in sums]
    return VatReturn(
        sales_net_halalas=sum(sign * one.net_halalas for sign, one in signed),
        output_vat_halalas=sum(sign * one.vat_halalas for sign, one in signed),
        ledger_vat_halalas=_credited(turnovers, AccountKind.VAT),
        input_vat_halalas=-_credited(turnovers, AccountKind.INPUT_VAT),
    )


def _credited(turnovers: tuple[Turnover, ...], kind: AccountKind) -> int:
    """By how much the accounts of a kind were raised in the period."""
    return sum(one.credits - one.debits for one in turnovers if one.kind is kind)


def _first_day(year: int, month: int) -> Instant:
    """The first instant of a month in Riyadh; month 13 is January of the next year."""
    year, month = year + month // 13, (month - 1) % 12 + 1
    # Days since the epoch of a Gregorian date (H. Hinnant, "chrono-compatible low-level date
    # algorithms"), with the year beginning in March.
    y = year - (month <= 2)
    of_year = (153 * ((month + 9) % 12) + 2) // 5
    of_era = y % 400 * 365 + y % 400 // 4 - y % 400 // 100 + of_year
    return (y // 400 * 146_097 + of_era - 719_468) * DAY_MS - _OFFSET_MS
