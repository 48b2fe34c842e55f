"""Lists that are written into files: PostgreSQL and its twin in memory."""

from typing import Protocol

from engine.kernel.ids import UserId
from engine.kernel.pages import Page, Wanted
from engine.kernel.timing import Instant
from engine.listings import SHEETS
from engine.sheets import OPEN_MAX, Sheet, SheetId
from storage.database import Database
from storage.kinds import decode, encode, known
from storage.listed import page_in
from storage.queries import queries


class SheetStore(Protocol):
    """Every method may raise `StoreUnavailable`."""

    async def begin(self, sheet: Sheet) -> bool:
        """Keep a new one; False when it is known, or its owner has `OPEN_MAX` open ones."""
        ...

    async def save(self, sheet: Sheet, file: bytes | None = None) -> bool:
        """Keep it in the place of the version before, with the file that came of it.

        False, and nothing is kept, when somebody else was quicker.
        """
        ...

    async def find(self, sheet_id: SheetId) -> Sheet | None:
        """One of them by its id."""
        ...

    async def find_file(self, sheet_id: SheetId) -> bytes | None:
        """What came of it: CSV, packed by gzip."""
        ...

    async def list_of(self, user_id: UserId, wanted: Wanted) -> Page[Sheet]:
        """A page of somebody's, as `SHEETS` says."""
        ...

    async def list_due(self, now: Instant, *, limit: int) -> tuple[Sheet, ...]:
        """Those that somebody may take on by now, the longest waiting first."""
        ...


class PostgresSheets:
    """Satisfies `SheetStore`; the pool is its caller's to close."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, sheet: Sheet) -> bool:
        async with self._database.transaction() as session:
            # Those who ask at once count each other.
            await session.run(queries.lock_sheets, user_id=sheet.user_id)
            begun = await session.run(
                queries.begin_sheet,
                state=encode(sheet),
                user_id=sheet.user_id,
                open_max=OPEN_MAX,
            )
        return begun == 1

    async def save(self, sheet: Sheet, file: bytes | None = None) -> bool:
        async with self._database.transaction() as session:
            is_kept = await session.run(queries.save_sheet, state=encode(sheet)) == 1
            if is_kept and file is not None:
                await session.run(queries.save_sheet_file, sheet_id=sheet.id, csv_gz=file)
            return is_kept

    async def find(self, sheet_id: SheetId) -> Sheet | None:
        state = await self._database.value(queries.find_sheet, sheet_id=known(sheet_id))
        return None if state is None else decode(Sheet, state)

    async def find_file(self, sheet_id: SheetId) -> bytes | None:
        file: bytes | None = await self._database.value(
            queries.find_sheet_file, sheet_id=known(sheet_id)
        )
        return file

    async def list_of(self, user_id: UserId, wanted: Wanted) -> Page[Sheet]:
        return await page_in(
            self._database,
            queries.list_sheets,
            SHEETS,
            wanted,
            lambda row: decode(Sheet, row["state"]),
            user_id=known(user_id),
        )

    async def list_due(self, now: Instant, *, limit: int) -> tuple[Sheet, ...]:
        rows = await self._database.rows(queries.list_due_sheets, now=now, limit=limit)
        return tuple(decode(Sheet, row["state"]) for row in rows)


class MemorySheets:
    """The in-memory twin; nothing in it waits."""

    def __init__(self) -> None:
        self._kept: dict[SheetId, Sheet] = {}
        self._files: dict[SheetId, bytes] = {}

    async def begin(self, sheet: Sheet) -> bool:
        mine = (one for one in self._kept.values() if one.user_id == sheet.user_id)
        if sheet.id in self._kept or sum(one.is_open for one in mine) >= OPEN_MAX:
            return False
        self._kept[sheet.id] = sheet
        return True

    async def save(self, sheet: Sheet, file: bytes | None = None) -> bool:
        last = self._kept.get(sheet.id)
        if last is None or sheet.version != last.version + 1:
            return False
        self._kept[sheet.id] = sheet
        if file is not None:
            self._files[sheet.id] = file
        return True

    async def find(self, sheet_id: SheetId) -> Sheet | None:
        return self._kept.get(sheet_id)

    async def find_file(self, sheet_id: SheetId) -> bytes | None:
        return self._files.get(sheet_id)

    async def list_of(self, user_id: UserId, wanted: Wanted) -> Page[Sheet]:
        return SHEETS.page((one for one in self._kept.values() if one.user_id == user_id), wanted)

    async def list_due(self, now: Instant, *, limit: int) -> tuple[Sheet, ...]:
        due = [
            (one.due_at, one)
            for one in self._kept.values()
            if one.due_at is not None and one.due_at <= now
        ]
        return tuple(one for _, one in sorted(due, key=lambda pair: pair[0])[:limit])
