"""The application: routes, sockets, and what lives as long as it does."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware

from actors.audit import AuditKeeper
from actors.chance import SystemChance, new_id
from actors.clock import SystemClock
from actors.codes import Codes
from actors.gateways.refunds import ToldRefunds
from actors.gateways.sms import SmsGateway
from actors.invoicing import Invoicing
from actors.ledger import LedgerKeeper
from actors.links import LinkMails
from actors.login import LogIn
from actors.outbox import Handler, Outbox
from actors.payments import Payments, Policy
from actors.phone_change import PhoneChange
from actors.profiles import Profiles
from actors.sessions import Sessions
from actors.stamp import own_stamp, read_stamp
from actors.uploads import Uploads
from api.allowance import Allowance
from api.description import TITLE, describe
from api.errors import add_handlers
from api.gate import Gate
from api.gift_links import GiftLinks
from api.outermost import BodyLimit, Outermost
from api.parts import Parts
from api.payout_hosts import open_payouts
from api.privacy_hosts import open_privacy
from api.punctuality import ZonesPunctuality
from api.routes import (
    audit_log,
    couriers,
    decisions,
    disputes,
    gift_links,
    handovers,
    health,
    identity,
    invitations,
    invoices,
    metrics,
    orders,
    parameters,
    payments,
    payouts,
    phone,
    privacy,
    profiles,
    sessions,
    sharing,
    staff,
    tips,
    trails,
    uploads,
    wallet,
    what_if,
    zones,
)
from api.settings import Settings
from api.sockets.connection import Desk
from api.sockets.histories import Histories
from api.sockets.hub import Hub
from api.sockets.presence import Presence
from api.staff_hosts import open_staff
from api.throttle import Throttle
from api.tokens import Tokens
from api.what_ifs import WhatIfs
from engine.identity.budgets import BudgetRules
from engine.identity.links import SendLink
from engine.identity.login import LoginRules
from engine.identity.sessions import SessionRules
from engine.invoices.invoice import IssueInvoice, Stamp
from engine.kernel.messages import Effect
from engine.money.transfers import EnterTransfer
from engine.orders.messages import SendSms
from engine.payments.decide import Terms
from engine.payments.messages import FollowOrder
from engine.uploads import MediaType

VERSION = "0.1.0"
_ASKED_BY_BROWSERS = (
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "traceparent",
)
_TOLD_TO_BROWSERS = (
    "etag",
    "link",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "traceparent",
    "x-request-id",
)
_COMPRESSED_ALREADY = (*(kind.value for kind in MediaType), "text/event-stream")
Opening = Callable[[], AbstractAsyncContextManager[Parts]]


def create_app(parts: Parts) -> FastAPI:
    """The application around parts that are ready."""

    @asynccontextmanager
    async def given() -> AsyncIterator[Parts]:
        yield parts

    return assemble(given, parts.settings)


_ROUTES = (
    identity,
    sessions,
    profiles,
    phone,
    staff,
    invitations,
    orders,
    sharing,
    handovers,
    invoices,
    gift_links,
    uploads,
    decisions,
    couriers,
    trails,
    wallet,
    tips,
    payouts,
    disputes,
    payments,
    zones,
    parameters,
    metrics,
    what_if,
    audit_log,
    privacy,
    health,
)


def assemble(opening: Opening, settings: Settings) -> FastAPI:
    """The application; its parts are opened when it starts and closed when it stops."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with opening() as parts, _running(app, parts):
            yield

    app = FastAPI(
        title=TITLE,
        version=VERSION,
        lifespan=lifespan,
        redirect_slashes=False,
        docs_url="/docs",
        redoc_url=None,
        openapi_url="/openapi.json",
    )
    app.state.settings = settings
    app.openapi = partial(describe, app)  # type: ignore[method-assign]
    app.add_middleware(Throttle, settings=settings.limits, speed=max(1.0, settings.clock.speed))
    edge = settings.edge
    app.add_middleware(
        GZipMiddleware,
        minimum_size=edge.compress_from_bytes,
        compresslevel=4,
        exclude_content_types=_COMPRESSED_ALREADY,
    )
    if edge.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=edge.cors_origins,
            allow_methods=("GET", "POST", "PUT", "PATCH", "DELETE"),
            allow_headers=_ASKED_BY_BROWSERS,
            expose_headers=_TOLD_TO_BROWSERS,
            max_age=3600,
        )
    app.add_middleware(
        Outermost,
        body=BodyLimit(edge.body_bytes_max, edge.body_s_max),
        bodies={uploads.PATH: BodyLimit(settings.uploads.bytes_max, settings.uploads.body_s_max)},
        new_id=partial(new_id, SystemClock(), SystemChance()),
    )
    add_handlers(app)
    for routes in _ROUTES:
        app.include_router(routes.router)
    return app


@asynccontextmanager
async def _running(app: FastAPI, parts: Parts) -> AsyncIterator[None]:
    app.state.parts = parts
    app.state.gate = gate = _gate(app, parts)
    await gate.look()
    app.state.desk = desk = _desk(parts, gate)
    app.state.what_ifs = what_ifs = WhatIfs(parts.what_ifs, parts.settings.what_if, parts.wall)
    app.state.punctuality = punctuality = ZonesPunctuality(parts.store, parts.clock)
    app.state.gift_links = gift_links = GiftLinks(parts, punctuality, ToldRefunds())
    app.state.allowance = Allowance(parts.rates, parts.wall)
    app.state.invoicing = _invoicing(parts)
    app.state.ledger = ledger = LedgerKeeper(parts.ledger, wall=parts.wall)
    app.state.uploads = _uploads(parts)
    app.state.payments = payments = _payments(parts)
    _open_identity(app, parts)
    outbox = _outbox(app, parts, open_staff(app, parts))
    app.state.audit = audit = AuditKeeper(parts.audit, wall=parts.wall)
    payouts = open_payouts(app, parts, ledger)
    services = (desk.hub, outbox, what_ifs, gate, gift_links, audit, payouts, payments)
    beside = (*services, *open_privacy(app, parts))
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(one.run()) for one in beside]
        await desk.hub.wait_until_reading()
        try:
            yield
        finally:
            desk.presence.drain()
            for task in running:
                task.cancel()


def _gate(app: FastAPI, parts: Parts) -> Gate:
    settings = parts.settings.identity
    app.state.tokens = tokens = Tokens(parts.keys, settings)
    return Gate(tokens, parts.keys, parts.sessions, parts.wall, token_s=settings.access_token_s)


def _desk(parts: Parts, gate: Gate) -> Desk:
    edge = parts.settings.edge
    presence = Presence(
        parts.live,
        parts.wall,
        sockets_max=edge.sockets_max,
        sockets_of_one_max=edge.sockets_of_one_max,
    )
    hub = Hub(
        parts.bus,
        parts.live,
        wall=parts.wall,
        snapshots_at_once=edge.snapshots_at_once,
        on_notice=presence.hear,
        histories=Histories(frames=edge.history_frames, bytes_max=edge.history_bytes_max),
    )
    return Desk(parts=parts, gate=gate, hub=hub, presence=presence)


def _open_identity(app: FastAPI, parts: Parts) -> None:
    codes = _codes(parts)
    app.state.login = LogIn(codes, parts.identity, wall=parts.wall, chance=parts.chance)
    app.state.phone_change = PhoneChange(codes, parts.identity, parts.sms, wall=parts.wall)
    app.state.sessions = _sessions(parts)
    app.state.profiles = Profiles(
        parts.identity, wall=parts.wall, verifies=parts.settings.identity.verify_couriers
    )


def _codes(parts: Parts) -> Codes:
    settings = parts.settings.identity
    return Codes(
        parts.identity,
        parts.sms,
        wall=parts.wall,
        chance=parts.chance,
        pepper=parts.keys.keys.pepper,
        rules=LoginRules(
            life_s=settings.otp_life_s,
            resend_s=settings.otp_resend_s,
            tries_max=settings.otp_tries_max,
            sends_max=settings.otp_sends_max,
            sends_of_day_max=settings.otp_sends_of_day_max,
        ),
        budgets=BudgetRules(
            place_hour=settings.otp_place_hour_max,
            place_day=settings.otp_place_day_max,
            home_hour=settings.otp_home_hour_max,
            home_day=settings.otp_home_day_max,
            abroad_hour=settings.otp_abroad_hour_max,
            abroad_day=settings.otp_abroad_day_max,
        ),
    )


def _sessions(parts: Parts) -> Sessions:
    settings = parts.settings.identity
    return Sessions(
        parts.sessions,
        wall=parts.wall,
        chance=parts.chance,
        key=parts.keys.keys.secret("refresh tokens"),
        rules=SessionRules(
            idle_s=settings.session_idle_s,
            life_s=settings.session_life_s,
            grace_s=settings.refresh_grace_s,
            sessions_max=settings.sessions_max,
        ),
    )


def _outbox(app: FastAPI, parts: Parts, mails: LinkMails) -> Outbox:
    invoicing: Invoicing = app.state.invoicing
    ledger: LedgerKeeper = app.state.ledger
    payments: Payments = app.state.payments
    return Outbox(
        parts.store,
        {
            SendSms: _sending(parts.sms),
            SendLink: mails.send,
            IssueInvoice: invoicing.on_effect,
            EnterTransfer: ledger.on_effect,
            FollowOrder: payments.on_effect,
        },
        parts.settings.outbox,
        clock=parts.clock,
        chance=parts.chance,
    )


def _uploads(parts: Parts) -> Uploads:
    return Uploads(
        parts.uploads,
        parts.objects,
        parts.scanner,
        parts.settings.uploads,
        scan_is_required=parts.settings.scanner.is_required,
        clock=parts.wall,
    )


def _invoicing(parts: Parts) -> Invoicing:
    settings = parts.settings.invoices
    # A file that cannot be read is told when the service starts, not after the first delivery.
    certified = None if settings.stamp_file is None else read_stamp(settings.stamp_file)

    def stamp() -> Stamp:
        return certified or own_stamp(parts.keys.keys.secret("invoice stamp"), settings.unit)

    return Invoicing(
        parts.invoices,
        parts.store,
        clock=parts.clock,
        seller=settings.seller,
        unit=settings.unit,
        stamp=stamp,
    )


def _payments(parts: Parts) -> Payments:
    settings = parts.settings.payments
    return Payments(
        parts.payments,
        parts.store,
        parts.bus,
        parts.gateways,
        Policy(
            routes=settings.routes,
            terms=Terms(settle_s=settings.settle_s, commission_percent=settings.commission_percent),
            poll_s=settings.poll_s,
            command_timeout_s=parts.settings.runtime.command_timeout_s,
        ),
        clock=parts.clock,
        wall=parts.wall,
    )


def _sending(sms: SmsGateway) -> Handler:
    async def send(effect: Effect) -> None:
        assert isinstance(effect, SendSms)
        await sms.send(effect.phone, effect.text, effect.id)

    return send
