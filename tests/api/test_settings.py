"""Settings: where they come from, and that what is written about them is current."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from actors.gateways.settings import SmsProvider, SmsSettings
from api import parameters_table
from api.edge_settings import EdgeSettings
from api.identity_settings import IdentitySettings
from api.settings import (
    Settings,
    environment_of,
    handed_down,
)
from api.settings_table import table
from storage.settings import DatabaseSettings

PARAMETERS = Path(__file__).parents[2] / "docs" / "parameters.md"
FILE = Path(__file__).parents[2] / "docs" / "settings.md"


def test_the_table_is_current() -> None:
    assert FILE.read_text("utf-8") == table(), (
        "docs/settings.md is old: run hadiyati settings --write"
    )


def test_the_table_of_parameters_is_current() -> None:
    assert PARAMETERS.read_text("utf-8") == parameters_table.table(), (
        "docs/parameters.md is old: run hadiyati parameters --write"
    )


def test_every_setting_says_what_it_is() -> None:
    for group in Settings.model_fields.values():
        kind = group.annotation
        assert isinstance(kind, type)
        for name, field in kind.model_fields.items():
            assert (field.description or "").endswith("."), f"{kind.__name__}.{name}"


def test_the_environment_comes_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "other.toml"
    file.write_text('[edge]\nport = 9001\nworkers = 2\n[identity]\noperators = ["+966500000001"]\n')
    monkeypatch.setenv("HADIYATI_CONFIG", str(file))
    monkeypatch.setenv("HADIYATI_EDGE__PORT", "9002")
    monkeypatch.setenv("HADIYATI_DATABASE__DSN", "postgresql://u:hushhush@h/n")
    found = Settings()
    assert (found.edge.port, found.edge.workers) == (9002, 2)
    assert found.identity.operators == ("+966500000001",)
    assert "hushhush" not in repr(found)


def test_a_file_in_the_working_directory_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hadiyati.toml").write_text("[edge]\nport = 9003\n")
    monkeypatch.chdir(tmp_path)
    assert Settings().edge.port == 9003


@pytest.mark.parametrize(
    ("name", "value"),
    [("EDGE__PORT", "99999"), ("EDGE__PROT", "1"), ("EDGE__WORKERS", "0"), ("CLOCK__SPEED", "x")],
)
def test_a_setting_that_cannot_be_is_refused(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"HADIYATI_{name}", value)
    with pytest.raises(ValidationError):
        Settings()


def test_another_process_reads_the_same_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = Settings(
        edge=EdgeSettings(port=0, workers=3, frames_per_s=0.5),
        identity=IdentitySettings(operators=("+966500000001", "+966500000002")),
        database=DatabaseSettings(dsn=SecretStr("postgresql://u:p@127.0.0.1:5/n")),
    )
    for name, value in environment_of(mine).items():
        monkeypatch.setenv(name, value)
    theirs = Settings()
    assert theirs.data.folder == mine.data.folder.absolute()
    data = {"data": mine.data}
    assert theirs.model_copy(update=data) == mine


def test_what_ray_has_set_is_handed_down_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("HOME_OF_SOMETHING", "x")
    found = handed_down(Settings())
    assert found["RAY_AUTH_MODE"] == "token"
    assert found["HADIYATI_EDGE__PORT"] == "8000"
    assert "HOME_OF_SOMETHING" not in found


def test_phones_of_operators_are_for_development_only() -> None:
    with pytest.raises(ValueError, match="invite-admin"):
        Settings(
            identity=IdentitySettings(operators=("+966500000001",)),
            sms=SmsSettings(provider=SmsProvider.TWILIO),
        )


DATABASE = "HADIYATI_DATABASE__DSN"
REDIS = "HADIYATI_REDIS__URL"
SCANNER = "HADIYATI_SCANNER__ADDRESS"
BUCKET = "HADIYATI_OBJECTS__OPTIONS"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        (DATABASE, "postgresql://a:b@db/x", "sslmode"),
        (DATABASE, "postgresql://a:b@db/x?sslmode=require", "sslmode"),
        (DATABASE, "postgresql://a:b@127.0.0.1,db/x", "sslmode"),
        (DATABASE, "postgresql://a:b@127.0.0.1/x?host=db", "sslmode"),
        (REDIS, "redis://:p@cache:6379/0", "rediss"),
        (REDIS, "rediss://:p@cache:6379/0?ssl_cert_reqs=none", "certificates"),
        (REDIS, "rediss://:p@cache:6379/0?ssl_check_hostname=false", "certificates"),
        (SCANNER, "clamd:3310", "scanner.tls"),
        (BUCKET, '{"endpoint": "http://bucket"}', "https"),
    ],
)
def test_where_tls_is_demanded_nothing_starts_that_would_speak_in_the_clear(
    name: str, value: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    assert not Settings().edge.tls_required
    monkeypatch.setenv("HADIYATI_EDGE__TLS_REQUIRED", "true")
    with pytest.raises(ValidationError, match=says):
        Settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (DATABASE, "postgresql://a:b@db/x?sslmode=verify-full"),
        (DATABASE, "postgresql://a:b@127.0.0.1:5432/x?sslmode=disable"),
        (DATABASE, "postgresql://a:b@[::1]:5432/x"),
        (REDIS, "rediss://:p@cache:6379/0"),
        (REDIS, "redis://:p@localhost:6379/0"),
        (SCANNER, "127.0.0.1:3310"),
        (BUCKET, '{"endpoint": "https://bucket"}'),
    ],
)
def test_what_is_under_tls_or_on_this_machine_may_be_demanded_to_be(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    monkeypatch.setenv("HADIYATI_EDGE__TLS_REQUIRED", "true")
    assert Settings().edge.tls_required
