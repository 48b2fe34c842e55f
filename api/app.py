"""The application: routes, sockets, and what lives as long as it does."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

from fastapi import FastAPI

from actors.chance import SystemChance, new_id
from actors.clock import SystemClock
from actors.codes import Codes
from actors.gateways.sms import SmsGateway
from actors.login import LogIn
from actors.outbox import Handler, Outbox
from actors.phone_change import PhoneChange
from actors.profiles import Profiles
from actors.sessions import Sessions
from api.description import TITLE, describe
from api.errors import add_handlers
from api.gate import Gate
from api.outermost import Outermost
from api.parts import Parts
from api.routes import (
    couriers,
    decisions,
    health,
    identity,
    metrics,
    orders,
    parameters,
    phone,
    profiles,
    sessions,
    trails,
    wallet,
    what_if,
    zones,
)
from api.settings import Settings
from api.sockets import endpoint
from api.sockets.connection import Desk
from api.sockets.histories import Histories
from api.sockets.hub import Hub
from api.sockets.presence import Presence
from api.tokens import Tokens
from api.what_ifs import WhatIfs
from engine.identity.budgets import BudgetRules
from engine.identity.login import LoginRules
from engine.identity.sessions import SessionRules
from engine.kernel.messages import Effect
from engine.orders.messages import SendSms

VERSION = "0.1.0"
Opening = Callable[[], AbstractAsyncContextManager[Parts]]


def create_app(parts: Parts) -> FastAPI:
    """The application around parts that are ready."""

    @asynccontextmanager
    async def given() -> AsyncIterator[Parts]:
        yield parts

    return assemble(given, parts.settings)


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
    app.add_middleware(
        Outermost,
        body_bytes_max=settings.edge.body_bytes_max,
        new_id=partial(new_id, SystemClock(), SystemChance()),
    )
    add_handlers(app)
    for routes in (
        identity,
        sessions,
        profiles,
        phone,
        orders,
        decisions,
        couriers,
        trails,
        wallet,
        zones,
        parameters,
        metrics,
        what_if,
        health,
    ):
        app.include_router(routes.router)
    app.include_router(endpoint.router)
    return app


@asynccontextmanager
async def _running(app: FastAPI, parts: Parts) -> AsyncIterator[None]:
    identity_settings = parts.settings.identity
    tokens = Tokens(parts.keys, identity_settings)
    gate = Gate(
        tokens,
        parts.keys,
        parts.sessions,
        parts.wall,
        token_s=identity_settings.access_token_s,
    )
    await gate.look()
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
    what_ifs = WhatIfs(parts.what_ifs, parts.settings.what_if, parts.wall)
    app.state.parts = parts
    app.state.what_ifs = what_ifs
    app.state.tokens = tokens
    app.state.gate = gate
    codes = _codes(parts)
    app.state.login = LogIn(codes, parts.identity, wall=parts.wall, chance=parts.chance)
    app.state.phone_change = PhoneChange(codes, parts.identity, parts.sms, wall=parts.wall)
    app.state.sessions = _sessions(parts)
    app.state.profiles = Profiles(
        parts.identity, wall=parts.wall, verifies=identity_settings.verify_couriers
    )
    app.state.desk = Desk(parts=parts, gate=gate, hub=hub, presence=presence)
    outbox = Outbox(
        parts.store,
        {SendSms: _sending(parts.sms)},
        parts.settings.outbox,
        clock=parts.clock,
        chance=parts.chance,
    )
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(one.run()) for one in (hub, outbox, what_ifs, gate)]
        await hub.wait_until_reading()
        try:
            yield
        finally:
            presence.drain()
            for task in running:
                task.cancel()


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


def _sending(sms: SmsGateway) -> Handler:
    async def send(effect: Effect) -> None:
        assert isinstance(effect, SendSms)
        await sms.send(effect.phone, effect.text, effect.id)

    return send
