"""What was kept comes back: as it was at the backup, at a later instant, or at the end."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storage.servers import ServersError, embedded_servers
from storage.servers.backup import Belongings, back_up, restore
from storage.servers.patience import becomes_true
from storage.settings import DatabaseSettings, DataSettings
from tests.storage.servers.talking import query

_BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)


class House:
    """A data folder with an archive, people's files and keys; and where its backups go."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.data = DataSettings(folder=top / "data")
        self.archive, self.backups = top / "archive", top / "backups"
        self.database = DatabaseSettings(archive_folder=self.archive)
        self.belongings = belongings_in(self.data)

    @contextmanager
    def running(self) -> Iterator[str]:
        with embedded_servers(self.data, database=self.database) as servers:
            yield servers.postgres_dsn

    def back_up(self, dsn: str, *, keep: int = 7, later_s: int = 0) -> Path:
        return back_up(
            dsn,
            self.data,
            self.backups,
            self.belongings,
            database=self.database,
            keep=keep,
            now=_BEGIN + timedelta(seconds=later_s),
            on_step=print,
        )

    def archived(self, dsn: str) -> None:
        """Wait until all that is written by now is in the archive."""
        # Something must be written in the segment that ends, or none does.
        query(dsn, "SELECT pg_logical_emit_message(false, 'archived', '')::text")
        segment = query(dsn, "SELECT pg_walfile_name(pg_switch_wal())")
        assert becomes_true((self.archive / f"{segment}.gz").exists, within_s=60)


def belongings_in(data: DataSettings) -> Belongings:
    return Belongings(files=data.folder / "files", keys=data.folder / "keys.json")


@pytest.fixture
def house(new_folder: Callable[[], Path]) -> House:
    return House(new_folder())


def gifts(dsn: str) -> str:
    return str(query(dsn, "SELECT string_agg(n, '+' ORDER BY n) FROM gift"))


def restored(
    backup: Path, folder: Path, *, archive: Path | None = None, until: datetime | None = None
) -> str:
    """What is in a fresh folder after that."""
    data = DataSettings(folder=folder)
    restore(
        backup,
        data,
        belongings_in(data),
        database=DatabaseSettings(),
        archive=archive,
        until=until,
        on_step=print,
    )
    with embedded_servers(data) as servers:
        return gifts(servers.postgres_dsn)


def test_a_backup_comes_back_as_it_was_at_an_instant_and_at_the_end(house: House) -> None:
    top = house.top
    with house.running() as dsn:
        house.belongings.files.mkdir()
        (house.belongings.files / "proof").write_bytes(b"photo")
        house.belongings.keys.write_text("keys")
        query(dsn, "CREATE TABLE gift AS SELECT 'a' AS n")
        backup = house.back_up(dsn)
        query(dsn, "INSERT INTO gift VALUES ('b')")
        between = query(dsn, "SELECT clock_timestamp()")
        assert isinstance(between, datetime)
        query(dsn, "INSERT INTO gift VALUES ('c')")
        house.archived(dsn)
    # The machine is lost, but for what is kept elsewhere.
    shutil.rmtree(house.data.folder)

    assert restored(backup, top / "first") == "a"
    assert restored(backup, top / "second", archive=house.archive, until=between) == "a+b"
    assert restored(backup, top / "third", archive=house.archive) == "a+b+c"
    kept = belongings_in(DataSettings(folder=top / "third"))
    assert (kept.files / "proof").read_bytes() == b"photo"
    assert kept.keys.read_text() == "keys"


def test_what_cannot_be_brought_back_leaves_nothing_behind(house: House) -> None:
    top = house.top
    with house.running() as dsn:
        query(dsn, "CREATE TABLE gift AS SELECT 'a' AS n")
        backup = house.back_up(dsn)
        house.archived(dsn)
    late = datetime(2126, 1, 1, tzinfo=UTC)
    with pytest.raises(ServersError, match="--until"):
        restored(backup, top / "late", archive=house.archive, until=late)
    with pytest.raises(ServersError, match="--archive"):
        restored(backup, top / "late", until=late)
    with pytest.raises(ServersError, match="is no backup"):
        restored(top, top / "late")
    assert restored(backup, top / "late") == "a"
    with pytest.raises(ServersError, match=r"set data\.folder to an empty one"):
        restored(backup, top / "late")


def test_older_backups_and_their_changes_are_forgotten(house: House) -> None:
    with house.running() as dsn:
        query(dsn, "CREATE TABLE gift AS SELECT 'a' AS n")
        first = house.back_up(dsn)
        house.archived(dsn)
        before = sorted(one for one in house.archive.glob("*.gz") if ".backup" not in one.name)
        second, third = (house.back_up(dsn, keep=2, later_s=later) for later in (1, 2))
        assert sorted(house.backups.iterdir()) == [second, third]
        assert not first.exists()
        assert not before[0].exists()
        with pytest.raises(ServersError, match="in this second"):
            house.back_up(dsn, later_s=2)
    assert restored(second, house.top / "again", archive=house.archive) == "a"


def test_a_damaged_backup_is_never_called_one(house: House) -> None:
    """What is read again is not what was written."""
    with house.running() as dsn:
        query(dsn, "CREATE TABLE gift AS SELECT 'a' AS n")

        def spoil(sentence: str) -> None:
            if sentence == "Reading it again":
                (next(house.backups.glob(".*")) / "database" / "PG_VERSION").write_text("99")

        with pytest.raises(ServersError, match="pg_verifybackup failed"):
            back_up(
                dsn,
                house.data,
                house.backups,
                house.belongings,
                database=house.database,
                keep=1,
                now=_BEGIN,
                on_step=spoil,
            )
    assert list(house.backups.iterdir()) == []


def test_a_folder_that_a_shell_would_read_otherwise_is_refused(house: House) -> None:
    house.database = DatabaseSettings(archive_folder=house.data.folder / "a b")
    with pytest.raises(ServersError, match=r"database\.archive_folder"), house.running():
        pytest.fail("it must not start")
