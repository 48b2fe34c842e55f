"""The command line as its user meets it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli import app

COMMANDS = (
    *(
        "up",
        "onboard-unit",
        "demo",
        "replay",
        "simulate",
        "bench-mdrp",
        "bench-realtime",
        "compare",
        "tune",
    ),
    *("migrate", "doctor", "openapi", "settings", "invite-admin"),
    *("verify-ledger", "walk-ledger", "bench-ledger", "bench-month", "move-zone"),
)


def run(*words: str, **environment: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(words), env=environment)
    return result.exit_code, result.output


def test_help_names_every_command() -> None:
    code, text = run("--help")
    assert code == 0
    for command in COMMANDS:
        assert f"  {command} " in text
        assert run(command, "--help")[0] == 0


def test_the_description_is_printed_as_json() -> None:
    code, text = run("openapi")
    assert code == 0
    assert json.loads(text)["openapi"].startswith("3.1")


def test_the_settings_are_printed_as_a_table() -> None:
    code, text = run("settings")
    assert code == 0
    assert "`HADIYATI_EDGE__PORT`" in text


def test_random_operations_leave_a_ledger_that_balances() -> None:
    code, text = run("walk-ledger", "--operations", "300", "--seed", "7")
    assert code == 0
    assert "all halalas sum to 0" in text


def test_there_is_no_ledger_to_verify_where_nothing_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, text = run("verify-ledger")
    assert code == 2
    assert "nothing runs here" in text


def test_a_setting_that_cannot_be_is_told_without_a_trace() -> None:
    code, text = run("up", HADIYATI_EDGE__PORT="x")
    assert code == 2
    assert "edge.port" in text
    assert "Traceback" not in text


def test_doctor_ends_with_one_when_something_must_be_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("doctor")[0] == 0
    missing = {"HADIYATI_DATABASE__BINARIES": str(tmp_path), "COLUMNS": "200"}
    code, text = run("doctor", **missing)
    assert code == 1
    assert "PostgreSQL" in text


def test_a_recorded_day_that_is_none_is_told_without_a_trace(tmp_path: Path) -> None:
    code, text = run("replay", str(tmp_path))
    assert code == 1
    assert str(tmp_path) in text
    assert "Traceback" not in text
