"""The application: its routes and what wraps them."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Final

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from actors.chance import SystemChance, new_id
from actors.clock import SystemClock
from api.compressed import Compressed
from api.dated import Dated
from api.description import TITLE, document
from api.directory import ByAddress, Directory, Straight
from api.errors import add_handlers
from api.fields import Chosen, SparseAnswers
from api.hosts.running import running
from api.outermost import BodyLimit, Outermost
from api.parts import Parts
from api.route_table import Methods, routes_of
from api.routes import (
    audit_log,
    cash,
    changes,
    companies,
    conversations,
    corrections,
    couriers,
    decisions,
    disputes,
    drafts,
    dues,
    exports,
    gift_links,
    groups,
    handovers,
    health,
    identity,
    invitations,
    invoices,
    jobs,
    joined_history,
    metrics,
    order_money,
    order_quotes,
    orders,
    parameters,
    payment_history,
    payments,
    payouts,
    periods,
    phone,
    points,
    privacy,
    profiles,
    refunds,
    refused_tries,
    reorders,
    saved_methods,
    searches,
    sessions,
    settlements,
    sharing,
    sheets,
    staff,
    step_up,
    submissions,
    tips,
    trails,
    uploads,
    wallet,
    what_if,
    zones,
)
from api.settings import Settings
from api.throttle import Throttle
from engine.uploads import MediaType

VERSION = "0.1.0"
_ASKED_BY_BROWSERS = (
    "authorization",
    "content-type",
    "hadiyati-version",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "traceparent",
)
_TOLD_TO_BROWSERS = (
    "deprecation",
    "etag",
    "hadiyati-version",
    "link",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "sunset",
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


ROUTES: Final = routes_of(
    identity.router,
    sessions.router,
    profiles.router,
    phone.router,
    step_up.router,
    staff.router,
    invitations.router,
    order_money.router,
    order_quotes.router,
    orders.router,
    groups.router,
    sharing.router,
    sheets.router,
    exports.router,
    searches.router,
    changes.router,
    conversations.router,
    corrections.router,
    dues.router,
    reorders.router,
    handovers.router,
    invoices.router,
    companies.router,
    joined_history.router,
    submissions.router,
    jobs.router,
    gift_links.router,
    uploads.router,
    decisions.router,
    couriers.router,
    trails.router,
    wallet.router,
    cash.router,
    tips.router,
    payouts.router,
    points.router,
    disputes.router,
    payment_history.router,
    payments.router,
    periods.router,
    refunds.router,
    saved_methods.router,
    drafts.router,
    zones.router,
    parameters.router,
    metrics.router,
    what_if.router,
    audit_log.router,
    refused_tries.router,
    settlements.router,
    privacy.router,
    health.router,
)
# Of every application in this process: none of them changes what it serves.
_DIRECTORY: Final = Directory(ROUTES)
_METHODS: Final = Methods(ROUTES)
_SPARSE_ANSWERS: Final = SparseAnswers(ROUTES)


def assemble(opening: Opening, settings: Settings) -> FastAPI:
    """The application; its parts are opened when it starts and closed when it stops."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with opening() as parts, running(app, parts):
            yield

    app = FastAPI(
        title=TITLE,
        version=VERSION,
        lifespan=lifespan,
        routes=[ByAddress(_DIRECTORY), *ROUTES],
        redirect_slashes=False,
        docs_url="/docs",
        redoc_url=None,
        openapi_url="/openapi.json",
        # Requests have a trace of ours; looking for another's costs each of them.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.settings = settings
    app.openapi = document  # type: ignore[method-assign]
    app.add_middleware(Straight, directory=_DIRECTORY)
    app.add_middleware(Dated)
    app.add_middleware(Chosen)
    app.add_middleware(Throttle, settings=settings.limits, speed=max(1.0, settings.clock.speed))
    edge = settings.edge
    app.add_middleware(Compressed, from_bytes=edge.compress_from_bytes, types=_COMPRESSED_ALREADY)
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
    app.state.methods = _METHODS
    app.state.sparse_answers = _SPARSE_ANSWERS
    return app
