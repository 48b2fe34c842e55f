"""One process that serves the API: opens its parts, listens, and goes in good order."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from typing import Final

import msgspec
import uvicorn
from fastapi import FastAPI

from actors.bus import Bus
from actors.cell import World
from actors.chance import SystemChance
from actors.clock import Clock, SystemClock
from actors.garbage import YOUNG_OF_SOCKETS, collect_seldom
from actors.gateways.breaches import open_breaches
from actors.gateways.cash import Cash
from actors.gateways.clamd import open_scanner
from actors.gateways.mail import DevelopmentMail, MailGateway
from actors.gateways.moyasar import Moyasar
from actors.gateways.moyasar_payouts import MoyasarPayouts
from actors.gateways.payments import PaymentGateway
from actors.gateways.payouts import PayoutGateway
from actors.gateways.paypal import PayPal
from actors.gateways.settings import MailProvider, PayoutProvider, SmsProvider
from actors.gateways.sms import DevelopmentSms, SmsGateway
from actors.gateways.smtp import SmtpMail
from actors.gateways.twilio import TwilioSms
from actors.gateways.wallet import Wallet
from actors.gateways.zatca import Zatca
from actors.ledger import LedgerKeeper
from actors.loans import Loans
from actors.local import local_bus
from actors.parent import end_with
from actors.settings import Premises, RuntimeKind
from api.admission import Admission
from api.app import assemble
from api.certificates import certificate_shown
from api.edge_settings import EdgeSettings
from api.keys import open_keys
from api.logs import write_logs
from api.parts import Parts
from api.settings import Settings, adopt_environment
from api.settlement_sources import open_settlement_sources
from api.signals import signals_kept
from api.sockets.desk import Desk
from api.sockets.line import Line
from api.unit_certificates import open_certificates
from engine.payments.gateways import GatewayName
from storage.audit import PostgresAudit
from storage.chat import PostgresChat
from storage.database import Database
from storage.drafts import PostgresDrafts
from storage.gift_links import PostgresGiftLinks
from storage.invoices import PostgresInvoices
from storage.jobs import PostgresJobs
from storage.kept_answers import PostgresKeptAnswers
from storage.ledger import LedgerStore, PostgresLedger
from storage.live import LiveStream
from storage.objects import Objects
from storage.payments import PostgresPayments
from storage.payouts import PostgresPayouts
from storage.periods import PostgresPeriods
from storage.personal_data import PostgresPersonalData
from storage.postgres import PostgresStore
from storage.postgres_identity import PostgresIdentity
from storage.postgres_staff import PostgresStaff
from storage.privacy import PostgresPrivacy
from storage.redis_live import RedisLive
from storage.redis_rates import RedisRates
from storage.refused_tries import PostgresRefusedTries
from storage.retention import PostgresRetention
from storage.saved_methods import PostgresSavedMethods
from storage.sessions import PostgresSessions
from storage.settings import RedisSettings
from storage.settlements import PostgresSettlements
from storage.sheets import PostgresSheets
from storage.store import Store
from storage.unit_certificates import PostgresUnitCertificates
from storage.uploads import PostgresUploads
from storage.vault import Vault
from storage.what_ifs import PostgresWhatIfs

_GOODBYE_S: Final = 2.0


def create() -> FastAPI:
    """The application as the settings say; for `uvicorn api.server:create --factory`."""
    settings = Settings()
    return assemble(partial(open_parts, settings), settings)


@asynccontextmanager
async def open_parts(settings: Settings) -> AsyncIterator[Parts]:
    """Everything the edge needs; both servers' addresses must be set."""
    chance, clock = SystemChance(), SystemClock(settings.clock)
    async with AsyncExitStack() as stack:
        store = PostgresStore(database := await Database.open(settings.database))
        stack.push_async_callback(store.close)
        live, rates = await stack.enter_async_context(_open_valkey(settings.redis))
        bus = await stack.enter_async_context(_open_bus(settings, store, live, clock))
        vault = Vault(keys := open_keys(settings.key_file, chance))
        ledger, objects = PostgresLedger(database), Objects(settings.objects, settings.files_folder)
        identity, staff = PostgresIdentity(database, vault), PostgresStaff(database, vault)
        payouts, units = PostgresPayouts(database, vault), PostgresUnitCertificates(database, vault)
        certificates = open_certificates(settings, units, keys)
        await _reseal(identity, staff, payouts, units)
        yield Parts(
            bus=bus,
            admission=Admission(settings.limits),
            store=store,
            live=live,
            identity=identity,
            sessions=PostgresSessions(database),
            what_ifs=PostgresWhatIfs(database),
            sheets=PostgresSheets(database),
            invoices=PostgresInvoices(database),
            certificates=certificates,
            authority=await stack.enter_async_context(Zatca(settings.zatca, certificates)),
            gift_links=PostgresGiftLinks(database),
            chat=PostgresChat(database),
            kept_answers=PostgresKeptAnswers(database, vault),
            staff=staff,
            audit=PostgresAudit(database),
            refused_tries=PostgresRefusedTries(database),
            settlements=PostgresSettlements(database),
            settlement_sources=await stack.enter_async_context(open_settlement_sources(settings)),
            mail=_open_mail(settings),
            ledger=ledger,
            payouts=payouts,
            periods=PostgresPeriods(database),
            jobs=PostgresJobs(database),
            payout_gateway=await stack.enter_async_context(_open_payouts(settings)),
            uploads=PostgresUploads(database),
            objects=objects,
            scanner=open_scanner(settings.scanner),
            breaches=await stack.enter_async_context(open_breaches(settings.breaches)),
            payments=PostgresPayments(database),
            saved_methods=PostgresSavedMethods(database),
            drafts=PostgresDrafts(database),
            gateways=await stack.enter_async_context(open_gateways(settings, ledger)),
            privacy=PostgresPrivacy(database, vault),
            personal_data=PostgresPersonalData(database, vault, identity, staff, objects),
            retention=PostgresRetention(database, objects),
            traces=live,
            sms=await stack.enter_async_context(_open_sms(settings)),
            rates=rates,
            clock=clock,
            wall=SystemClock(),
            chance=chance,
            keys=keys,
            settings=settings,
        )


async def _reseal(
    *stores: PostgresIdentity | PostgresStaff | PostgresPayouts | PostgresUnitCertificates,
) -> None:
    """Who registered before phones were sealed must be found."""
    for one in stores:
        await one.reseal()


@asynccontextmanager
async def _open_valkey(settings: RedisSettings) -> AsyncIterator[tuple[RedisLive, RedisRates]]:
    assert settings.url is not None, "the address of Redis must be known by now"
    address = settings.url.get_secret_value()
    live, rates = RedisLive(address, settings), RedisRates(address, settings)
    try:
        yield live, rates
    finally:
        await rates.close()
        await live.close()


def _open_mail(settings: Settings) -> MailGateway:
    if settings.mail.provider is MailProvider.SMTP:
        return SmtpMail(settings.mail, SystemClock())
    return DevelopmentMail(settings.mail_log, prints=settings.outbox.print_mail)


@asynccontextmanager
async def _open_payouts(settings: Settings) -> AsyncIterator[PayoutGateway | None]:
    if settings.payouts.provider is PayoutProvider.NONE:
        yield None
        return
    async with MoyasarPayouts(settings.payouts) as gateway:
        yield gateway


@asynccontextmanager
async def _open_sms(settings: Settings) -> AsyncIterator[SmsGateway]:
    if settings.sms.provider is SmsProvider.DEVELOPMENT:
        yield DevelopmentSms(settings.sms_log, prints=settings.outbox.print_sms)
        return
    async with TwilioSms(settings.sms, SystemClock()) as sms:
        yield sms


@asynccontextmanager
async def open_gateways(
    settings: Settings, books: LedgerStore
) -> AsyncIterator[Mapping[GatewayName, PaymentGateway]]:
    """Every gateway that we have an account at."""
    return_url = f"{settings.edge.public_url}/v1/payments"
    timeout_s = settings.payments.timeout_s
    async with AsyncExitStack() as stack:
        found: dict[GatewayName, PaymentGateway] = {}
        if GatewayName.MOYASAR in settings.accounts:
            moyasar = Moyasar(settings.moyasar, return_url=return_url, timeout_s=timeout_s)
            found[GatewayName.MOYASAR] = await stack.enter_async_context(moyasar)
        if GatewayName.STRIPE in settings.accounts:
            # Its SDK takes long to load.
            from actors.gateways.stripe import Stripe  # noqa: PLC0415

            found[GatewayName.STRIPE] = Stripe(
                settings.stripe, return_url=return_url, timeout_s=timeout_s
            )
        if GatewayName.PAYPAL in settings.accounts:
            paypal = PayPal(
                settings.paypal,
                return_url=return_url,
                timeout_s=timeout_s,
                clock=SystemClock(),
            )
            found[GatewayName.PAYPAL] = await stack.enter_async_context(paypal)
        if GatewayName.WALLET in settings.accounts:
            keeper = LedgerKeeper(books, wall=SystemClock())
            found[GatewayName.WALLET] = Wallet(keeper, books)
        if GatewayName.CASH in settings.accounts:
            found[GatewayName.CASH] = Cash()
        yield found


@asynccontextmanager
async def _open_bus(
    settings: Settings, store: Store, live: LiveStream, clock: Clock
) -> AsyncIterator[Bus]:
    async with _open_cells(settings, store, live, clock) as bus:
        lending = asyncio.ensure_future(Loans(store, bus, clock).run())
        try:
            yield bus
        finally:
            lending.cancel()
            with suppress(asyncio.CancelledError):
                await lending


@asynccontextmanager
async def _open_cells(
    settings: Settings, store: Store, live: LiveStream, clock: Clock
) -> AsyncIterator[Bus]:
    if settings.runtime.kind is RuntimeKind.LOCAL:
        # As Ray does, what solves takes seconds to import; who leaves it to others need not wait.
        from actors.solving import LocalSolver  # noqa: PLC0415

        bus, cells = local_bus(
            World(
                store=store,
                live=live,
                solver=LocalSolver(),
                clock=clock,
                chance=SystemChance(),
                settings=settings.runtime,
            )
        )
        await cells.wake()
        try:
            yield bus
        finally:
            await cells.close()
        return
    from actors.runtime import join, ray_bus  # noqa: PLC0415

    assert settings.redis.url is not None
    premises = Premises(
        database=settings.database,
        redis_url=settings.redis.url.get_secret_value(),
        runtime=settings.runtime,
        clock=settings.clock,
    )
    with signals_kept():
        join(premises, settings.runtime.ray_address)
    bus, watch = ray_bus(store, clock, premises)
    watching = asyncio.ensure_future(watch.run())
    try:
        yield bus
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


class EdgeServer(uvicorn.Server):
    """Tells every phone to connect elsewhere before it stops."""

    def __init__(
        self, config: uvicorn.Config, app: FastAPI, tells_ready: int | None = None
    ) -> None:
        super().__init__(config)
        self._app = app
        self._tells_ready = tells_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say that it serves, once it does."""
        await super().startup(sockets)
        if self.started and self._tells_ready is not None:
            os.write(self._tells_ready, b"!")

    async def on_tick(self, counter: int) -> bool:
        """Whether to stop: also when what runs beside the requests has crashed.

        The process would go on with its connections closed, answering everybody that it cannot.
        """
        return self.lifespan.error_occurred or await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close sockets with our code first; uvicorn would close them with its own."""
        presence = self._desk().presence
        presence.drain()
        with suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE_S):
                await presence.wait_until_empty()
        await super().shutdown(sockets)

    def _desk(self) -> Desk:
        desk: Desk = self._app.state.desk
        return desk


def listen_config(app: FastAPI, edge: EdgeSettings) -> uvicorn.Config:
    """How uvicorn is to serve the application; raises UnusableCertificate."""
    shown = certificate_shown(edge)
    return uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        lifespan="on",
        ws=Line,
        ws_per_message_deflate=False,
        # Phones have to speak themselves, and who is silent is closed.
        ws_ping_interval=None,
        # Beyond our own limit a phone is told with our own code; far beyond it uvicorn cuts it off.
        ws_max_size=edge.frame_bytes_max * 8,
        access_log=False,
        server_header=False,
        log_level="warning",
        timeout_keep_alive=30,
        timeout_graceful_shutdown=edge.shutdown_s,
        ssl_context_factory=None if shown is None else lambda *_: shown,
    )


def serve(settings: Settings, listening: socket.socket, tells_ready: int) -> None:
    """Serve on a socket that listens already, until told to stop."""
    collect_seldom(young=YOUNG_OF_SOCKETS)
    app = create()
    config = listen_config(app, settings.edge)
    EdgeServer(config, app, tells_ready).run(sockets=[listening])


def main(listening_fd: str, parent: str, tells_ready: str) -> None:
    """What `python -m api.server FD PARENT READY` does: READY gets a byte when it serves.

    Its code is loaded by now, and it waits to read from standard input, as a JSON object, the
    variables of its settings: the addresses of servers that start meanwhile. Ray is imported only
    after that, for it reads the variables that its head has set when it is imported.
    """
    end_with(int(parent))
    write_logs()
    adopt_environment(msgspec.json.decode(sys.stdin.buffer.read(), type=dict[str, str]))
    serve(Settings(), socket.socket(fileno=int(listening_fd)), int(tells_ready))


if __name__ == "__main__":
    main(*sys.argv[1:])
