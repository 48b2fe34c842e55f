"""The command that gets our unit its certificate from the tax authority, and renews it."""

import asyncio
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from api.commands.running import running_database, settings_of
from api.commands.understandable import Understandable

if TYPE_CHECKING:
    from actors.onboarding import Onboarder
    from api.settings import Settings
    from engine.invoices.onboarding import UnitCertificate
    from storage.servers.doctor import Finding
    from storage.settings import DatabaseSettings


def onboard_unit(
    *,
    otp: Annotated[
        str, typer.Option(help="One-time password of the authority's portal; else asked for.")
    ] = "",
    renew: Annotated[
        bool, typer.Option("--renew", help="Renew the certificate that is in force.")
    ] = False,
    anew: Annotated[
        bool, typer.Option("--anew", help="Begin with a new key, whatever there is.")
    ] = False,
) -> None:
    """Get the invoicing unit's certificate from the tax authority, as the running system.

    Each step is stored; run again it goes on where it was. It is in force without a restart.
    """
    with Understandable():
        onboard(settings_of(), running_database(), otp=otp, renews=renew, anew=anew)


def onboard(
    settings: "Settings", database: "DatabaseSettings", *, otp: str, renews: bool, anew: bool
) -> None:
    from actors.gateways.authority import AuthorityUncertain, CsidRefused
    from actors.onboarding import Overtaken
    from api.unit_certificates import CannotOnboard

    try:
        asyncio.run(_onboard(settings, database, otp=otp, renews=renews, anew=anew))
    except (CannotOnboard, Overtaken) as error:
        _fail(str(error))
    except AuthorityUncertain as error:
        _fail(f"{error}; run the command again, it goes on from here")
    except CsidRefused as error:
        for one in error.remarks:
            typer.echo(f"{one.code}: {one.text}", err=True)
        _fail(
            "the authority refuses; mend what it says and run the command again, with a new "
            "one-time password (--otp) to begin at its first step, with --anew for a new key"
        )


def _fail(why: str) -> None:
    typer.echo(f"hadiyati: {why}", err=True)
    raise typer.Exit(1)


async def _onboard(
    settings: "Settings",
    database_settings: "DatabaseSettings",
    *,
    otp: str,
    renews: bool,
    anew: bool,
) -> None:
    from actors.chance import SystemChance
    from actors.clock import SystemClock
    from actors.gateways.zatca_csids import ZatcaCsids
    from actors.onboarding import Onboarder
    from api.keys import open_keys
    from api.unit_certificates import subject_of
    from storage.database import Database
    from storage.unit_certificates import PostgresUnitCertificates
    from storage.vault import Vault

    subject, zatca = subject_of(settings), settings.zatca
    vault = Vault(open_keys(settings.key_file, SystemChance()))
    database = await Database.open(database_settings)
    try:
        async with ZatcaCsids(zatca) as authority:
            onboarder = Onboarder(
                PostgresUnitCertificates(database, vault),
                authority,
                subject,
                url=zatca.url,
                clock=SystemClock(),
                on_step=typer.echo,
            )
            await _go_on(onboarder, otp=otp, renews=renews, anew=anew)
    finally:
        await database.close()


async def _go_on(onboarder: "Onboarder", *, otp: str, renews: bool, anew: bool) -> None:
    from api.unit_certificates import CannotOnboard

    state = await onboarder.state()
    if renews and anew:
        raise CannotOnboard("choose one of --renew and --anew")
    if renews and state.certified is None:
        raise CannotOnboard("there is no certificate to renew: leave --renew out")
    if anew or (state.onboarding is None and (renews or state.certified is None)):
        state = await onboarder.begin(renews=renews)
    if state.onboarding is not None and (otp or state.onboarding.csid is None):
        await onboarder.recognise(otp or _asked_for())
    found = await onboarder.finish()
    typer.echo(f"The certificate is valid until {_day(found.expires_at)}.")


def _asked_for() -> str:
    said: str = typer.prompt("One-time password of the authority's portal", hide_input=True)
    return said.strip()


def _day(at: int) -> str:
    from datetime import UTC, datetime

    from engine.kernel.timing import SECOND_MS

    return f"{datetime.fromtimestamp(at // SECOND_MS, tz=UTC):%Y-%m-%d}"


def certificate_findings(settings: "Settings", database: "DatabaseSettings") -> "list[Finding]":
    """What the doctor says of our unit's certificate; nothing where nothing can be looked up."""
    from actors.clock import SystemClock
    from storage.store import StoreUnavailable

    if not settings.key_file.exists():
        return []
    try:
        return asyncio.run(_found(settings, database, now=SystemClock().now()))
    except StoreUnavailable:
        # That it is away is said already.
        return []


def findings_of(state: "UnitCertificate | None", *, is_set: bool, now: int) -> "list[Finding]":
    """What is to be said of a unit; `is_set` tells that the settings name a CSID of another way."""
    from engine.invoices.onboarding import RENEWED_WITHIN_MS
    from storage.servers.doctor import Finding

    findings = []
    if state is not None and (on_its_way := state.onboarding) is not None:
        findings.append(
            Finding(
                topic="tax authority",
                state="note",
                text=f"a certificate is on its way; what comes next is {on_its_way.step.value}",
                advice="go on with `hadiyati onboard-unit`",
            )
        )
    if state is None or state.certified is None:
        text = "the settings name a CSID" if is_set else "the unit has no certificate"
        advice = None if is_set else "invoices wait; `hadiyati onboard-unit` gets one"
        return [*findings, Finding(topic="tax authority", state="note", text=text, advice=advice)]
    left_ms = state.certified.expires_at - now
    day = _day(state.certified.expires_at)
    standing: Literal["good", "problem"] = "good" if left_ms > RENEWED_WITHIN_MS else "problem"
    text = f"the certificate {'is' if left_ms > 0 else 'was'} valid until {day}"
    advice = None
    if standing == "problem":
        way = "--renew" if left_ms > 0 else "--anew"
        advice = f"renew it with `hadiyati onboard-unit {way}`"
    return [*findings, Finding(topic="tax authority", state=standing, text=text, advice=advice)]


async def _found(
    settings: "Settings", database_settings: "DatabaseSettings", *, now: int
) -> "list[Finding]":
    from actors.chance import SystemChance
    from api.keys import open_keys
    from storage.database import Database
    from storage.unit_certificates import PostgresUnitCertificates
    from storage.vault import Vault

    vault = Vault(open_keys(settings.key_file, SystemChance()))
    database = await Database.open(database_settings)
    try:
        store = PostgresUnitCertificates(database, vault)
        if not await store.is_there():
            return []
        state = await store.find(settings.invoices.unit, settings.zatca.url)
        return findings_of(state, is_set=settings.zatca.csid is not None, now=now)
    finally:
        await database.close()
