"""The doctor tells the truth about the machine, changes nothing and keeps secrets."""

import socket
from collections.abc import Callable
from pathlib import Path

from pydantic import SecretStr

from storage.servers import embedded_servers
from storage.servers.doctor import Finding, examine
from storage.settings import DatabaseSettings, DataSettings, RedisSettings


def problems(findings: list[Finding]) -> list[Finding]:
    return [each for each in findings if each.state == "problem"]


def told(findings: list[Finding], topic: str) -> str:
    return "\n".join(each.text for each in findings if each.topic == topic)


def test_a_new_folder_is_no_problem_and_is_not_made(new_folder: Callable[[], Path]) -> None:
    data = DataSettings(folder=new_folder())
    findings = examine(data, DatabaseSettings(), RedisSettings())
    assert problems(findings) == []
    assert "will be made" in told(findings, "data folder")
    assert "the one used" in told(findings, "PostgreSQL")
    assert "the one used" in told(findings, "Valkey")
    assert not data.folder.exists()


def test_running_servers_are_named_with_port_and_pid(data: DataSettings) -> None:
    with embedded_servers(data) as servers:
        findings = examine(data, DatabaseSettings(), RedisSettings())
        assert problems(findings) == []
        text = told(findings, "running")
        assert f"pid {servers.postgres_pid}, answers" in text
        assert f"pid {servers.valkey_pid}, answers" in text
    stopped = examine(data, DatabaseSettings(), RedisSettings())
    assert told(stopped, "running") == "nothing runs on this data folder"


def test_a_given_address_that_does_not_answer_is_a_problem_told_without_its_password(
    new_folder: Callable[[], Path],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        alive = listening.getsockname()[1]
        findings = examine(
            DataSettings(folder=new_folder()),
            DatabaseSettings(dsn=SecretStr("postgresql://me:hush@127.0.0.1:1/gifts")),
            RedisSettings(url=SecretStr(f"redis://:hush@127.0.0.1:{alive}/0")),
        )
    assert [each.topic for each in problems(findings)] == ["PostgreSQL"]
    assert "127.0.0.1:1, does not answer" in told(findings, "PostgreSQL")
    assert f"127.0.0.1:{alive}, answers" in told(findings, "Valkey")
    assert "hush" not in str(findings)


def test_missing_programs_come_with_advice(new_folder: Callable[[], Path]) -> None:
    nowhere = str(new_folder())
    findings = examine(
        DataSettings(folder=new_folder()),
        DatabaseSettings(binaries=nowhere),
        RedisSettings(binaries=nowhere),
    )
    assert [each.topic for each in problems(findings)] == ["PostgreSQL", "Valkey"]
    assert all(each.advice for each in problems(findings))


def test_a_cluster_of_a_version_that_is_not_here_is_a_problem(data: DataSettings) -> None:
    (data.folder / "postgres" / "data" / "PG_VERSION").write_text("14\n")
    findings = examine(data, DatabaseSettings(), RedisSettings())
    assert "PostgreSQL 14" in problems(findings)[0].text
