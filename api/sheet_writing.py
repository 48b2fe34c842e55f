"""Who writes the sheets that are asked for: one at a time in each process, with signs of progress.

A sheet whose writer has died is begun anew by whoever looks next, as soon as its lease is over.
"""

import asyncio
import zlib
from collections.abc import AsyncIterator
from typing import Final

import structlog
from msgspec.structs import replace

from actors.clock import rest
from api.csv_rows import BEGINNING, written
from api.parts import Parts
from api.sheet_sources import SheetSource, source_of
from engine import sheets as rules
from engine.kernel.timing import SECOND_MS
from engine.sheets import ROWS_MAX, Sheet
from storage.store import StoreUnavailable

_LOOK_EVERY_MS: Final = 2 * SECOND_MS
_TELL_EVERY_MS: Final = SECOND_MS
_AT_ONCE: Final = 500
_GZIP: Final = 31
_UNPACKED_AT_ONCE: Final = 8 * 1024
_DEADLY: Final = "Whoever wrote this has stopped each time. Narrow it by filters."


class _TakenAway(Exception):
    """Somebody has cancelled it, or writes it by now."""


class SheetWriter:
    """One for a process; no sheet has more than so many rows."""

    def __init__(self, parts: Parts, *, rows_max: int = ROWS_MAX) -> None:
        self._parts, self._wall, self._rows_max = parts, parts.wall, rows_max
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """There is something to write: do not wait for the next look."""
        self._woken.set()

    async def run(self) -> None:
        """Write what is due, until cancelled."""
        while True:
            try:
                while await self.write_next():
                    pass
            except StoreUnavailable as error:
                structlog.get_logger(__name__).warning("sheets_wait", why=str(error))
            await rest(self._wall, _LOOK_EVERY_MS, self._woken)

    async def write_next(self) -> bool:
        """Write one that is due; whether there was one."""
        store = self._parts.sheets
        for due in await store.list_due(self._wall.now(), limit=1):
            now = self._wall.now()
            if rules.is_deadly(due):
                await store.save(rules.fail(due, _DEADLY, now=now))
            elif await store.save(sheet := rules.take(due, now=now)):
                await self._try(sheet)
            return True
        return False

    async def _try(self, sheet: Sheet) -> None:
        asked = sheet.asked
        source = source_of(asked.kind, self._parts, asked.by, asked.beside)
        writing = _Writing(self._parts, sheet, source, rows_max=self._rows_max)
        try:
            await writing.write()
        except _TakenAway:
            return
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, its owner is told
            structlog.get_logger(__name__).exception("sheet_broken", sheet=sheet.id)
            problem = f"Something is broken on our side: {type(error).__name__}."
            failed = rules.fail(writing.sheet, problem, now=self._wall.now())
            await self._parts.sheets.save(failed)


class _Writing:
    """One sheet while it is written; `sheet` is as it is stored."""

    def __init__(self, parts: Parts, sheet: Sheet, source: SheetSource, *, rows_max: int) -> None:
        self.sheet, self._rows_max = sheet, rows_max
        self._store, self._wall, self._source = parts.sheets, parts.wall, source
        self._wanted = replace(sheet.asked.wanted, limit=_AT_ONCE)
        self._packer = zlib.compressobj(wbits=_GZIP)
        self._told_at = parts.wall.now()
        self._rows = 0

    async def write(self) -> None:
        """All of it, or as many rows as a sheet may have; raises `_TakenAway`."""
        source, key = self._source, self._source.listing.key(self._wanted.by)
        last = await self._last(source)
        first, is_whole = None, True
        packed = [self._packer.compress((BEGINNING + written([source.headings])).encode())]
        async for page in source.pages(self._wanted):
            rows = source.rows_in(page)[: self._rows_max - self._rows]
            packed.append(self._packer.compress(written(rows).encode()))
            self._rows += len(rows)
            is_whole = not page.has_next
            if is_whole or self._rows >= self._rows_max:
                break
            here = key(page.rows[-1])
            first = first or key(page.rows[0])
            await self._tell(_percent(first[0], here[0], last))
        packed.append(self._packer.flush())
        done = rules.finish(self.sheet, rows=self._rows, is_whole=is_whole, now=self._wall.now())
        await self._save(done, b"".join(packed))

    async def _last(self, source: SheetSource) -> int | str | None:
        """Where the list ends, so that one knows how far there is to go."""
        wanted = replace(self._wanted, limit=1, descending=not self._wanted.descending)
        page = await source.read(wanted)
        return source.listing.key(wanted.by)(page.rows[0])[0] if page.rows else None

    async def _tell(self, percent: int) -> None:
        now = self._wall.now()
        if now >= self._told_at + _TELL_EVERY_MS:
            self._told_at = now
            here = rules.go_on(self.sheet, rows=self._rows, percent=percent, now=now)
            await self._save(here)

    async def _save(self, sheet: Sheet, file: bytes | None = None) -> None:
        if not await self._store.save(sheet, file):
            raise _TakenAway
        self.sheet = sheet


async def unpacked(file: bytes) -> AsyncIterator[bytes]:
    """What was packed, a part at a time, so that nobody else waits long."""
    unpacker = zlib.decompressobj(wbits=_GZIP)
    for at in range(0, len(file), _UNPACKED_AT_ONCE):
        yield unpacker.decompress(file[at : at + _UNPACKED_AT_ONCE])


def _percent(first: int | str, here: int | str, last: int | str | None) -> int:
    """Of a list in the order of a text nobody knows."""
    if isinstance(first, int) and isinstance(here, int) and isinstance(last, int):
        return rules.percent_of(first, here, last)
    return 0
