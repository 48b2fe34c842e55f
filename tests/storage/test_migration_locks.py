"""No migration holds up who reads or writes while it runs."""

import json
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

from storage.migrate import MIGRATIONS

# Until this one no service was running that could have been held up.
FREE_UNTIL = "0013_phone_changes"
# Time-outs are the runner's (storage/migrate.py); the others are matters of taste.
LEFT_OUT = (
    "require-lock-timeout",
    "require-statement-timeout",
    "prefer-robust-stmts",
    "prefer-bigint-over-int",
    "prefer-bigint-over-smallint",
    "prefer-identity",
    "prefer-text-field",
    "prefer-timestamp-tz",
)
SQUAWK = Path(sysconfig.get_path("scripts")) / "squawk"


def faults_of(text: str, name: str, folder: Path) -> list[str]:
    """The rules that a migration breaks on its way forward, with the lines."""
    head, _, rest = text.partition("-- migrate: apply")
    forward = folder / f"{name}.sql"
    forward.write_text(rest.partition("-- migrate: rollback")[0])
    assert SQUAWK.exists() or shutil.which("squawk"), "run make: squawk-cli is not installed"
    alone = [] if "-- transaction: false" in head else ["--assume-in-transaction"]
    exclusions = [f"--exclude={rule}" for rule in LEFT_OUT]
    told = subprocess.run(
        [SQUAWK, "--reporter=json", "--pg-version=15.0", *exclusions, *alone, forward],
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode in {0, 1}, told.stderr
    return [f"{one['rule_name']} at line {one['line']}" for one in json.loads(told.stdout)]


@pytest.mark.parametrize(
    "path",
    [one for one in sorted(MIGRATIONS.glob("*.sql")) if one.stem > FREE_UNTIL],
    ids=lambda one: one.stem,
)
def test_a_migration_locks_nobody_out(path: Path, tmp_path: Path) -> None:
    assert faults_of(path.read_text("utf-8"), path.stem, tmp_path) == []


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("create index orders_code on orders (cell);", "require-concurrent-index-creation"),
        ("alter table orders alter column cell set not null;", "adding-not-nullable-field"),
        ("alter table orders rename column cell to h3;", "renaming-column"),
        ("alter table orders add constraint c check (true);", "constraint-missing-not-valid"),
    ],
)
def test_what_would_lock_is_found(statement: str, rule: str, tmp_path: Path) -> None:
    text = f"-- One\n-- depends:\n\n-- migrate: apply\n{statement}\n-- migrate: rollback\n"
    assert any(one.startswith(rule) for one in faults_of(text, "one", tmp_path))
