"""The command that onboards a unit, over real sockets and on a real database."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from pydantic import SecretStr

from actors.chance import SystemChance
from actors.clock import SystemClock
from api.commands.onboarding import certificate_findings, findings_of, onboard
from api.keys import open_keys
from api.settings import Settings
from api.unit_certificates import open_certificates
from engine.invoices.onboarding import (
    RENEWED_WITHIN_MS,
    Certified,
    Csid,
    UnitCertificate,
)
from engine.kernel.timing import DAY_MS, SECOND_MS
from simulations.gateways.cards import Silence
from simulations.gateways.server import PaymentServer
from simulations.gateways.zatca import ZatcaProtocol
from simulations.gateways.zatca_csids import CsidProtocol
from storage.database import Database
from storage.migrate import migrate
from storage.settings import DatabaseSettings
from storage.unit_certificates import PostgresUnitCertificates
from storage.vault import Vault
from tests.builders import NOON


def an_authority(server: PaymentServer, settings: Settings) -> CsidProtocol:
    vat_number = settings.invoices.vat_number
    now = datetime.fromtimestamp(SystemClock().now() // SECOND_MS, tz=UTC)
    zatca = ZatcaProtocol(server, vat_number=vat_number)
    return CsidProtocol(server, zatca, vat_number=vat_number, now=now)


@pytest.fixture
async def database_settings(postgres_dsn: str) -> DatabaseSettings:
    await migrate(postgres_dsn)
    return DatabaseSettings(dsn=SecretStr(postgres_dsn))


def settings_at(folder: Path, url: str) -> Settings:
    return Settings.model_validate(
        {
            "data": {"folder": folder},
            "identity": {"key_file": folder / "keys.json"},
            "zatca": {"url": url, "timeout_s": 5},
        }
    )


async def test_a_unit_is_onboarded_renewed_and_told_of_by_the_doctor(
    tmp_path: Path, database_settings: DatabaseSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    async with PaymentServer().running() as server:
        settings = settings_at(tmp_path, server.url)
        authority = an_authority(server, settings)
        authority.otps |= {"123345", "272826"}
        assert certificate_findings(settings, database_settings) == []

        async def run(*, otp: str = "", renews: bool = False, anew: bool = False) -> str:
            await asyncio.to_thread(
                onboard, settings, database_settings, otp=otp, renews=renews, anew=anew
            )
            return capsys.readouterr().out

        async def doctor() -> list[str]:
            found = await asyncio.to_thread(certificate_findings, settings, database_settings)
            return [f"{one.state}: {one.text}" for one in found]

        with pytest.raises(typer.Exit):
            await run(otp="000000")
        assert "Invalid-OTP" in capsys.readouterr().err
        server.fall_silent("POST /production", Silence.AFTER)
        with pytest.raises(typer.Exit):
            await run(otp="123345")
        assert "run the command again" in capsys.readouterr().err
        assert await doctor() == [
            "note: a certificate is on its way; what comes next is production_csid",
            "note: the unit has no certificate",
        ]
        said = await run()
        assert "it is in force" in said
        assert "has passed" not in said
        first = await in_force(settings, database_settings)
        (told,) = await doctor()
        assert told.startswith("good: the certificate is valid until ")
        # Who asks again without need changes nothing.
        assert (await run()).startswith("The certificate is valid until ")
        with pytest.raises(typer.Exit):
            await run(renews=True, anew=True)
        assert "choose one" in capsys.readouterr().err
        await run(renews=True, otp="272826")
        second = await in_force(settings, database_settings)
        assert None not in {first, second}
        assert first != second


async def test_what_cannot_be_onboarded_is_told_before_anything_is_asked(
    tmp_path: Path, database_settings: DatabaseSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    async with PaymentServer().running() as server:
        settings = settings_at(tmp_path, server.url)
        group = settings.invoices.model_copy(update={"vat_number": "399999999910003"})
        for chosen, renews, why in (
            (settings.model_copy(update={"invoices": group}), False, "invoices.branch"),
            (settings, True, "no certificate to renew"),
        ):
            with pytest.raises(typer.Exit):
                await asyncio.to_thread(
                    onboard, chosen, database_settings, otp="123345", renews=renews, anew=False
                )
            assert why in capsys.readouterr().err
        assert server.requests == []


async def in_force(settings: Settings, database_settings: DatabaseSettings) -> str | None:
    """The token that a process which serves would use."""
    keys = open_keys(settings.key_file, SystemChance())
    database = await Database.open(database_settings)
    try:
        units = PostgresUnitCertificates(database, Vault(keys))
        csid = await open_certificates(settings, units, keys).csid()
        return None if csid is None else csid.token
    finally:
        await database.close()


@pytest.mark.parametrize(
    ("left_ms", "state", "advice"),
    [
        (RENEWED_WITHIN_MS + DAY_MS, "good", ""),
        (DAY_MS, "problem", "--renew"),
        (-DAY_MS, "problem", "--anew"),
    ],
)
def test_the_doctor_says_when_a_certificate_is_due(left_ms: int, state: str, advice: str) -> None:
    certified = Certified(
        private_key="", csid=Csid(token="t", secret="s"), expires_at=NOON + left_ms
    )
    unit = UnitCertificate(unit="HDY", authority="", certified=certified)
    (found,) = findings_of(unit, is_set=False, now=NOON)
    assert found.state == state
    assert advice in (found.advice or "")


def test_the_doctor_knows_a_unit_of_the_settings() -> None:
    (found,) = findings_of(None, is_set=True, now=NOON)
    assert (found.state, found.advice) == ("note", None)
    (bare,) = findings_of(None, is_set=False, now=NOON)
    assert "onboard-unit" in (bare.advice or "")


def test_the_doctor_says_nothing_of_what_a_database_does_not_know_yet(
    tmp_path: Path, empty_database: str
) -> None:
    settings = settings_at(tmp_path, "http://127.0.0.1:9")
    open_keys(settings.key_file, SystemChance())
    for dsn in (empty_database, "postgresql://nobody@127.0.0.1:9/none"):
        assert certificate_findings(settings, DatabaseSettings(dsn=SecretStr(dsn))) == []
