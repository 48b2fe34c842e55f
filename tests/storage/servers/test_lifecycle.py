"""The servers live exactly as long as their parent, and give back what was put in."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis

from storage.servers import FolderInUseError, child, embedded_servers, running_servers
from storage.servers.account import choose_account
from storage.servers.child import occupants
from storage.servers.patience import becomes_true
from storage.settings import DatabaseSettings, DataSettings, RedisSettings
from tests.storage.servers.keeping import OtherProcess
from tests.storage.servers.talking import answers_ping, answers_query, is_alive, query


@pytest.fixture
def other(data: DataSettings) -> Iterator[OtherProcess]:
    process = OtherProcess(data.folder)
    yield process
    process.kill()


def test_both_servers_end_when_their_parent_is_killed_and_lose_nothing(
    data: DataSettings, other: OtherProcess
) -> None:
    facts = other.await_servers()
    query(facts["dsn"], "CREATE TABLE gift AS SELECT 7 AS n")
    with redis.Redis.from_url(facts["url"]) as client:
        client.xadd("stream", {"n": "7"})

    other.kill()

    assert becomes_true(lambda: not is_alive(facts["postgres_pid"]), within_s=30)
    assert becomes_true(lambda: not is_alive(facts["valkey_pid"]), within_s=30)
    with embedded_servers(data) as servers:
        assert query(servers.postgres_dsn, "SELECT n FROM gift") == 7
        with redis.Redis.from_url(servers.redis_url) as client:
            assert client.xlen("stream") == 1


def test_a_start_right_after_the_parent_was_killed_waits_for_the_old_servers(
    data: DataSettings, other: OtherProcess
) -> None:
    facts = other.await_servers()
    query(facts["dsn"], "CREATE TABLE gift AS SELECT generate_series(1, 200000) AS n")

    other.kill()

    with embedded_servers(data) as servers:
        assert query(servers.postgres_dsn, "SELECT count(*) FROM gift") == 200_000
        assert not is_alive(facts["postgres_pid"])
        assert not is_alive(facts["valkey_pid"])


def test_the_servers_outlive_the_thread_that_started_them(data: DataSettings) -> None:
    with ExitStack() as stack:
        with ThreadPoolExecutor(max_workers=1) as pool:
            servers = pool.submit(stack.enter_context, embedded_servers(data)).result()
        assert answers_query(servers.postgres_dsn)
        assert answers_ping(servers.redis_url)


def test_a_server_whose_parent_is_gone_before_it_starts_does_not_start(
    new_folder: Callable[[], Path],
) -> None:
    """The stub is told a parent that is not its own, as if that one had died meanwhile."""
    mark = new_folder()
    answer = subprocess.run(
        [sys.executable, child.__file__, "run", "1", "9", "-", "/usr/bin/touch", str(mark)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode != 0
    assert "parent ended" in answer.stderr
    assert not mark.exists()


def test_a_server_does_not_see_our_environment() -> None:
    answer = subprocess.run(
        [sys.executable, child.__file__, "run", str(os.getpid()), "9", "-", "/usr/bin/env"],
        env={"PGPORT": "1", "PGDATA": "/nowhere"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "PG" not in answer.stdout


def test_a_second_start_is_refused_and_names_the_folder_and_the_process(
    data: DataSettings, other: OtherProcess
) -> None:
    facts = other.await_servers()

    with pytest.raises(FolderInUseError) as refusal, embedded_servers(data):
        pass

    assert str(other.process.pid) in str(refusal.value)
    assert str(data.folder) in str(refusal.value)
    assert answers_query(facts["dsn"]), "the refused one must not have harmed the first"


def test_a_second_start_by_another_name_of_the_folder_is_refused(
    data: DataSettings, new_folder: Callable[[], Path]
) -> None:
    link = new_folder()
    link.symlink_to(data.folder)
    with (
        embedded_servers(data),
        pytest.raises(FolderInUseError),
        embedded_servers(DataSettings(folder=link)),
    ):
        pass
    link.unlink()


def test_a_forked_copy_of_the_parent_does_not_keep_the_folder(data: DataSettings) -> None:
    with embedded_servers(data):
        read, write = os.pipe()
        copy = os.fork()
        if copy == 0:
            os.close(write)
            os.read(read, 1)
            os._exit(0)
    try:
        with embedded_servers(data) as servers:
            assert answers_query(servers.postgres_dsn)
    finally:
        os.close(write)
        os.close(read)
        os.waitpid(copy, 0)


def test_data_address_and_password_stay_the_same_over_a_stop_and_start(data: DataSettings) -> None:
    with embedded_servers(data) as servers:
        first = (servers.postgres_dsn, servers.redis_url)
        query(servers.postgres_dsn, "CREATE TABLE gift AS SELECT 7 AS n")
        with redis.Redis.from_url(servers.redis_url) as client:
            client.set("courier", "on duty")
        pids = [servers.postgres_pid, servers.valkey_pid]

    assert not any(is_alive(pid) for pid in pids if pid)
    with embedded_servers(data) as servers:
        assert (servers.postgres_dsn, servers.redis_url) == first
        assert query(servers.postgres_dsn, "SELECT n FROM gift") == 7
        with redis.Redis.from_url(servers.redis_url) as client:
            assert client.get("courier") == b"on duty"


def test_another_process_of_the_same_user_finds_the_running_servers(
    data: DataSettings, other: OtherProcess
) -> None:
    facts = other.await_servers()
    found = running_servers(data, DatabaseSettings(), RedisSettings())
    assert found is not None
    assert (found.postgres_dsn, found.redis_url) == (facts["dsn"], facts["url"])

    other.end()

    assert running_servers(data, DatabaseSettings(), RedisSettings()) is None


@pytest.mark.parametrize("whole", [True, False], ids=["a pid file as it was", "a torn pid file"])
def test_a_pid_file_with_the_pid_of_a_foreign_process_fools_nobody(
    data: DataSettings, whole: bool
) -> None:
    account = choose_account(None)
    foreign = subprocess.Popen(["sleep", "300"], user=account.uid if account.drops else None)
    cluster = data.folder / "postgres" / "data"
    lines = [str(foreign.pid), str(cluster), "1700000000", "5432", "", "127.0.0.1", "1 1", "ready"]
    try:
        (cluster / "postmaster.pid").write_text("\n".join(lines if whole else lines[:2]))
        with embedded_servers(data) as servers:
            assert servers.postgres_pid not in (None, foreign.pid)
            assert answers_query(servers.postgres_dsn)
        assert foreign.poll() is None, "the foreign process must not be touched"
    finally:
        foreign.kill()
        foreign.wait()


def test_a_pid_file_with_our_own_pid_fools_nobody(data: DataSettings) -> None:
    (data.folder / "postgres" / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n")
    with embedded_servers(data) as servers:
        assert answers_query(servers.postgres_dsn)


def test_only_the_program_itself_counts_as_living_in_a_folder(
    new_folder: Callable[[], Path],
) -> None:
    folder = new_folder()
    folder.mkdir()
    shell = subprocess.Popen(["sleep", "300"], cwd=folder)
    try:
        assert occupants(str(folder), {"sleep"}) == [shell.pid]
        assert occupants(str(folder), {"postgres"}) == []
        assert occupants(str(folder.parent), {"sleep"}) == []
    finally:
        shell.send_signal(signal.SIGKILL)
        shell.wait()
