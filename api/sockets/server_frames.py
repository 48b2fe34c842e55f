"""The words of the socket that the server says."""

from collections.abc import Sequence
from typing import Any, Final, cast

import msgspec
from msgspec import Struct

from engine.kernel.refusals import CATALOGUE, Refusal
from engine.kernel.timing import Instant
from storage.live import Bookmark, Publication

_encode: Final = msgspec.json.Encoder().encode


class ServerFrame(Struct, frozen=True, kw_only=True):
    """Anything that the server says."""


class Authenticated(ServerFrame, frozen=True, kw_only=True, tag="authenticated"):
    """Welcome; the token lasts until `expires_at`, and who is silent for `silence_s` is let go."""

    user_id: str
    role: str
    now: Instant
    speed: float
    expires_at: Instant
    silence_s: float


class Snapshot(ServerFrame, frozen=True, kw_only=True, tag="snapshot"):
    """How a thing stands; replaces what the app knows of it."""

    channel: str
    version: int
    bookmark: Bookmark | None
    body: dict[str, Any]
    recovered: bool = False


class Update(ServerFrame, frozen=True, kw_only=True, tag="update"):
    """What is new about a thing; without a bookmark only the newest of its kind matters."""

    channel: str
    kind: str
    version: int
    body: dict[str, Any]
    bookmark: Bookmark | None = None


class Resumed(ServerFrame, frozen=True, kw_only=True, tag="resumed"):
    """Every update since the bookmark that the app named, oldest first; then it goes on."""

    channel: str
    bookmark: Bookmark
    updates: tuple[Update, ...]
    recovered: bool = True


class Moving(Struct, frozen=True, kw_only=True):
    """A courier on the map."""

    courier_id: str
    lat: float
    lng: float
    status: str


class FleetShown(ServerFrame, frozen=True, kw_only=True, tag="fleet"):
    """What changes on the map: who comes or moves, and who is gone; `whole` begins anew."""

    channel: str
    at: Instant
    whole: bool
    couriers: tuple[Moving, ...]
    gone: tuple[str, ...]


class Reply(ServerFrame, frozen=True, kw_only=True, tag="reply"):
    """The command is done."""

    id: str
    body: dict[str, Any]


class Refused(ServerFrame, frozen=True, kw_only=True, tag="refused", omit_defaults=True):
    """The command is not done, and why; nor are those that `also` names."""

    id: str
    code: str
    title: str
    title_ar: str
    detail: dict[str, Any]
    also: tuple[str, ...] = ()


class Error(ServerFrame, frozen=True, kw_only=True, tag="error", omit_defaults=True):
    """Something is wrong that was no command."""

    code: str
    title: str
    title_ar: str
    detail: dict[str, Any]
    channel: str | None = None


class Pong(ServerFrame, frozen=True, kw_only=True, tag="pong"):
    """Yes, I am here."""

    now: Instant


Outgoing = Authenticated | Snapshot | Update | Resumed | FleetShown | Reply | Refused | Error | Pong


def spell(frame: Outgoing) -> bytes:
    """As it is sent."""
    return _encode(frame)


def snapshot(publication: Publication) -> bytes:
    """How a thing stands."""
    return _encode(
        Snapshot(
            channel=publication.channel,
            version=publication.version,
            bookmark=publication.bookmark,
            body=publication.body,
        )
    )


def update(publication: Publication) -> bytes:
    """What is new about a thing."""
    return _encode(
        Update(
            channel=publication.channel,
            kind=publication.kind,
            version=publication.version,
            body=publication.body,
            bookmark=publication.bookmark,
        )
    )


def resumed(channel: str, bookmark: Bookmark, missed: Sequence[bytes]) -> bytes:
    """What was missed, spelled before, up to the bookmark."""
    updates = cast("tuple[Update, ...]", tuple(msgspec.Raw(one) for one in missed))
    return _encode(Resumed(channel=channel, bookmark=bookmark, updates=updates))


def refused(command_id: str, refusal: Refusal, *, also: Sequence[str] = ()) -> bytes:
    """It is not done, and why; nor are the others."""
    declared = CATALOGUE[refusal.code]
    return _encode(
        Refused(
            id=command_id,
            code=refusal.code,
            title=declared.en,
            title_ar=declared.ar,
            detail=refusal.detail,
            also=tuple(also),
        )
    )


def error(refusal: Refusal, *, channel: str | None = None) -> bytes:
    """Something is wrong that was no command; perhaps with a channel."""
    declared = CATALOGUE[refusal.code]
    return _encode(
        Error(
            code=refusal.code,
            title=declared.en,
            title_ar=declared.ar,
            detail=refusal.detail,
            channel=channel,
        )
    )
