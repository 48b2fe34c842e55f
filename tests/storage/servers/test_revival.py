"""A server that is killed comes back by itself, at the same address, with what was put in."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import asyncpg
import pytest
import redis

from storage.servers import Servers, ServerStartError, embedded_servers
from storage.servers.keeper import _pause_s, cut_log
from storage.servers.patience import becomes_true
from storage.settings import DatabaseSettings, DataSettings, RedisSettings
from tests.storage.servers.talking import answers_ping, answers_query, is_alive, query

BUSY = "SELECT count(*) FROM generate_series(1, 1000000000000)"


@pytest.fixture
def steps() -> list[str]:
    return []


@pytest.fixture
def kept(data: DataSettings, steps: list[str]) -> Iterator[Servers]:
    with embedded_servers(data, on_step=steps.append) as servers:
        yield servers


def killed(pid: int | None) -> int:
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    return pid


def test_a_killed_postgresql_comes_back_with_what_was_committed(
    kept: Servers, steps: list[str]
) -> None:
    query(kept.postgres_dsn, "CREATE TABLE gift AS SELECT 7 AS n")

    old = killed(kept.postgres_pid)

    assert becomes_true(lambda: kept.postgres_pid not in (None, old), within_s=60)
    assert becomes_true(lambda: answers_query(kept.postgres_dsn), within_s=60)
    assert query(kept.postgres_dsn, "SELECT n FROM gift") == 7
    assert any(f"PostgreSQL (pid {old}) ended" in step for step in steps)
    assert becomes_true(
        lambda: any("PostgreSQL" in step and "back" in step for step in steps), within_s=10
    )


def test_a_killed_postgresql_comes_back_although_a_backend_is_busy(kept: Servers) -> None:
    """A backend that computes does not look up to see that its postmaster is gone."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        busy = pool.submit(query, kept.postgres_dsn, BUSY)
        count = f"SELECT count(*) FROM pg_stat_activity WHERE query = '{BUSY}'"
        assert becomes_true(lambda: query(kept.postgres_dsn, count) == 1, within_s=30)
        find = f"SELECT pid FROM pg_stat_activity WHERE query = '{BUSY}'"
        backend = query(kept.postgres_dsn, find)

        killed(kept.postgres_pid)

        with pytest.raises((OSError, asyncpg.PostgresError)):
            busy.result(60)
        assert becomes_true(lambda: answers_query(kept.postgres_dsn), within_s=60)
        assert not is_alive(str(backend))


def test_a_killed_backend_does_not_take_postgresql_down_for_good(kept: Servers) -> None:
    postmaster = kept.postgres_pid
    with ThreadPoolExecutor(max_workers=1) as pool:
        busy = pool.submit(query, kept.postgres_dsn, BUSY)
        find = f"SELECT pid FROM pg_stat_activity WHERE query = '{BUSY}'"
        assert becomes_true(lambda: query(kept.postgres_dsn, find) is not None, within_s=30)
        os.kill(int(str(query(kept.postgres_dsn, find))), signal.SIGKILL)
        with pytest.raises((OSError, asyncpg.PostgresError)):
            busy.result(60)
    assert becomes_true(lambda: answers_query(kept.postgres_dsn), within_s=60)
    assert kept.postgres_pid == postmaster


def test_a_killed_valkey_comes_back_with_its_streams_and_groups(kept: Servers) -> None:
    with redis.Redis.from_url(kept.redis_url) as client:
        client.xadd("stream", {"n": "7"})
        client.xgroup_create("stream", "edge", id="0")
        client.xreadgroup("edge", "one", {"stream": ">"})

    old = killed(kept.valkey_pid)

    assert becomes_true(lambda: kept.valkey_pid not in (None, old), within_s=60)
    assert becomes_true(lambda: answers_ping(kept.redis_url), within_s=60)
    with redis.Redis.from_url(kept.redis_url) as client:
        pending = client.xpending("stream", "edge")
        assert isinstance(pending, dict)
        assert pending["pending"] == 1


def test_a_server_killed_again_and_again_still_comes_back(kept: Servers) -> None:
    for _ in range(3):
        killed(kept.valkey_pid)
        assert becomes_true(lambda: not answers_ping(kept.redis_url), within_s=60)
        assert becomes_true(lambda: answers_ping(kept.redis_url), within_s=60)


def test_pauses_between_attempts_grow_to_a_bound() -> None:
    pauses = [_pause_s(short_lives) for short_lives in range(20)]
    assert pauses[1] == 0, "the first death is answered at once"
    assert all(earlier <= later for earlier, later in pairwise(pauses))
    assert max(pauses) == 10


def test_a_cluster_that_cannot_start_is_reported_with_the_end_of_its_log(
    data: DataSettings,
) -> None:
    (data.folder / "postgres" / "data" / "global" / "pg_control").write_text("nonsense")
    with (
        pytest.raises(ServerStartError, match=r"(?s)PostgreSQL .* ended with .*pg_control"),
        embedded_servers(data, on_step=lambda _: None),
    ):
        pass


def test_a_valkey_that_cannot_read_its_files_starts_without_them(data: DataSettings) -> None:
    kept = data.folder / "valkey" / "appendonlydir"
    next(kept.glob("*.manifest")).write_text("nonsense\n")
    steps: list[str] = []
    with embedded_servers(data, on_step=steps.append) as servers:
        assert answers_ping(servers.redis_url)
    assert any("starts empty" in step for step in steps)
    assert next(kept.with_suffix(".unreadable").glob("*.manifest")).read_text() == "nonsense\n"


def test_a_listener_who_fails_ends_no_server(data: DataSettings) -> None:
    def closed_terminal(_: str) -> None:
        raise BrokenPipeError

    with embedded_servers(data, on_step=closed_terminal) as servers:
        pids = (servers.postgres_pid, killed(servers.valkey_pid))
        assert becomes_true(lambda: not answers_ping(servers.redis_url), within_s=60)
        assert becomes_true(lambda: answers_ping(servers.redis_url), within_s=60)
        assert servers.postgres_pid == pids[0]


def test_a_log_has_its_bound_and_keeps_what_was_said_last(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"0123456789")
        cut_log(log, 10)
        assert log.read_bytes() == b"0123456789"
        writer.write(b"abc")
        cut_log(log, 10)
        writer.write(b"next")
    assert log.read_bytes() == b"next"
    assert log.with_suffix(".log.1").read_bytes() == b"3456789abc"


def test_a_stop_during_the_restart_leaves_nothing_behind(data: DataSettings) -> None:
    with embedded_servers(data, on_step=lambda _: None) as servers:
        first = [killed(servers.postgres_pid), killed(servers.valkey_pid)]
    assert not any(is_alive(pid) for pid in first)
    with embedded_servers(data, on_step=lambda _: None) as servers:
        assert answers_query(servers.postgres_dsn)
        assert answers_ping(servers.redis_url)


def test_the_limits_set_are_the_limits_in_force(data: DataSettings) -> None:
    database = DatabaseSettings(shared_buffers_mb=32, max_connections=40)
    with embedded_servers(
        data, database=database, redis=RedisSettings(memory_mb=64), on_step=lambda _: None
    ) as servers:
        assert query(servers.postgres_dsn, "SHOW shared_buffers") == "32MB"
        assert query(servers.postgres_dsn, "SHOW max_connections") == "40"
        assert query(servers.postgres_dsn, "SHOW synchronous_commit") == "on"
        assert query(servers.postgres_dsn, "SHOW fsync") == "on"
        assert query(servers.postgres_dsn, "SHOW server_encoding") == "UTF8"
        with redis.Redis.from_url(servers.redis_url) as client:
            settings = client.config_get("*")
            assert isinstance(settings, dict)
            assert settings["maxmemory"] == str(64 * 1024**2)
            assert settings["maxmemory-policy"] == "volatile-ttl"
            assert settings["appendonly"] == "yes"
            assert settings["bind"] == "127.0.0.1"
