"""What happens at night: the gateway's file is reconciled, the bank, points and payouts work."""

from pathlib import Path
from typing import Final

from msgspec import Struct

from actors.settlement_files import read_settlement
from engine.kernel.timing import HOUR_MS, Instant
from engine.money.reconciliation import Reconciliation
from engine.payouts.weekly import WeeklyTime
from simulations.gateways.settlement import write_settlement
from simulations.month.office import Office

WEEKLY: Final = WeeklyTime()
# Of so many moves the last one comes only with the next file.
_AFTER_THE_CUT: Final = 12


class Night(Struct, frozen=True, kw_only=True):
    """A reconciliation: what the file had, and what nobody has explained yet."""

    day: int
    lines: int
    matches: int
    breaks: int
    oldest_days: int
    broken_halalas: int
    settled_halalas: int


class Nights:
    """One after the other; `paid_halalas` is what the gateway's files say that it paid out."""

    def __init__(self, office: Office, folder: Path) -> None:
        self._office, self._folder = office, folder
        self._told = 0
        self.paid_halalas = 0
        self.found: list[Night] = []

    async def reconcile(self, day: int, *, is_last: bool) -> None:
        """Hold the day's file against the ledger, and enter what matches."""
        moves = self._office.cards.till.moves
        until = len(moves)
        if not is_last:
            until -= (until - self._told) // _AFTER_THE_CUT
        file = self._folder / f"settlement-{day:02}.csv"
        self.paid_halalas += write_settlement(
            self._office.cards.till, moves[self._told : until], file
        )
        self._told = until
        read = read_settlement(file)
        found = await self._office.reconciling.compare(read.gateway, read.lines, lambda _: None)
        settled = await self._office.reconciling.post(read.gateway, found, lambda: None)
        self.found.append(_night(day, len(read.lines), found, settled))

    async def pass_until(self, at: Instant) -> None:
        """Hour by hour: what is due of payouts, disputes and points, and whatever the bank does."""
        office = self._office
        while (left := at - office.clock.now()) > 0:
            await office.payouts.pay_everybody(WEEKLY)
            await office.payouts.look()
            await office.disputes.look()
            office.bank.settle()
            await office.clock.sleep(min(left, HOUR_MS))
        await office.payouts.look()
        await office.loyalty.settle_all(lambda: None)


def _night(day: int, lines: int, found: Reconciliation, settled: int) -> Night:
    return Night(
        day=day,
        lines=lines,
        matches=len(found.matches),
        breaks=len(found.breaks),
        oldest_days=max((one.age_days for one in found.breaks), default=0),
        broken_halalas=sum(abs(one.file_halalas - one.ledger_halalas) for one in found.breaks),
        settled_halalas=settled,
    )
