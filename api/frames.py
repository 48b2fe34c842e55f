"""The words of the socket: what a phone may send, and how what it is sent is spelled."""

import struct
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from engine.couriers.courier import ProgressStep
from engine.geo.travel import VehicleKind
from engine.kernel.refusals import CATALOGUE, Refusal
from engine.kernel.timing import Instant
from storage.live import Fix, Publication

DeviceId = Annotated[str, Meta(min_length=1, max_length=128)]
Id = Annotated[str, Meta(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Label = Annotated[str, Meta(max_length=120, pattern=r"^[^\x00]*$")]
Line = Annotated[str, Meta(max_length=300, pattern=r"^[^\x00]*$")]
Reason = Annotated[str, Meta(min_length=1, max_length=300, pattern=r"^[^\x00]*$")]
At = Annotated[int, Meta(ge=0, le=253_402_300_799_999)]
Lat = Annotated[float, Meta(ge=-90, le=90)]
Lng = Annotated[float, Meta(ge=-180, le=180)]


class Frame(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Anything that a phone says."""


class Authenticate(Frame, frozen=True, kw_only=True, tag="authenticate"):
    """This is who I am; again, before the token expires, with a newer one."""

    token: Annotated[str, Meta(max_length=4096)]


class Subscribe(Frame, frozen=True, kw_only=True, tag="subscribe"):
    """Tell me about this."""

    channel: Annotated[str, Meta(max_length=64)]


class Unsubscribe(Frame, frozen=True, kw_only=True, tag="unsubscribe"):
    """No longer."""

    channel: Annotated[str, Meta(max_length=64)]


class Duty(Frame, frozen=True, kw_only=True, tag="duty"):
    """I begin, stop, rest, or go on."""

    id: DeviceId
    duty: Literal["on", "off", "break", "resume"]
    zone_id: Id | None = None
    name: Label = ""
    vehicle: VehicleKind | None = None
    capacity_units: Annotated[int, Meta(ge=1, le=100)] | None = None
    lat: Lat | None = None
    lng: Lng | None = None
    shift_ends_at: At | None = None


class Acknowledge(Frame, frozen=True, kw_only=True, tag="acknowledge"):
    """The phone shows the offer."""

    id: DeviceId
    offer_id: Id


class Accept(Frame, frozen=True, kw_only=True, tag="accept"):
    """I take the trip."""

    id: DeviceId
    offer_id: Id


class Decline(Frame, frozen=True, kw_only=True, tag="decline"):
    """I do not."""

    id: DeviceId
    offer_id: Id
    reason: Reason


class Progress(Frame, frozen=True, kw_only=True, tag="progress"):
    """This happened to an order that I carry."""

    id: DeviceId
    order_id: Id
    step: ProgressStep
    device_at: At | None = None
    pin: Annotated[str, Meta(max_length=16, pattern=r"^[^\x00]*$")] = ""
    reason: Line = ""


class ReachedWaitingPoint(Frame, frozen=True, kw_only=True, tag="reached_waiting_point"):
    """I am where I was asked to wait."""

    id: DeviceId
    device_at: At | None = None


class Position(Frame, frozen=True, kw_only=True, tag="position"):
    """Here I am; whether it makes sense is judged later, for a bad position is no bad frame."""

    lat: float
    lng: float
    at: int
    accuracy_m: float = 0.0


class Ping(Frame, frozen=True, kw_only=True, tag="ping"):
    """Is anybody there."""


CourierFrame = Duty | Acknowledge | Accept | Decline | Progress | ReachedWaitingPoint
Incoming = CourierFrame | Authenticate | Subscribe | Unsubscribe | Position | Ping

_decoder: Final = msgspec.json.Decoder(Incoming)
_encode: Final = msgspec.json.Encoder().encode
_RECORD: Final = struct.Struct("<iiqHH")


class MalformedFrame(Exception):
    """Not what the protocol says; `command_id` is the phone's, when that much was readable."""

    def __init__(self, message: str, command_id: str | None = None) -> None:
        super().__init__(message)
        self.command_id = command_id


class _WithId(Struct):
    id: DeviceId


def read_frame(data: str) -> Incoming:
    """One frame of text; raises `MalformedFrame`."""
    try:
        frame: Incoming = _decoder.decode(data)
    except msgspec.ValidationError as error:
        raise MalformedFrame(str(error), _id_in(data)) from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise MalformedFrame(str(error)) from error
    return frame


def read_positions(data: bytes) -> Iterator[Fix]:
    """The positions of a binary frame; raises `MalformedFrame`."""
    if not data or len(data) % _RECORD.size:
        raise MalformedFrame(f"{len(data)} bytes are no whole number of {_RECORD.size}")
    for lat, lng, at, accuracy_dm, _ in _RECORD.iter_unpack(data):
        yield Fix(lat=lat / 1e7, lng=lng / 1e7, at=at, accuracy_m=accuracy_dm / 10)


def authenticated(user_id: str, role: str, *, now: Instant, speed: float) -> bytes:
    """Welcome."""
    return _encode(
        {"type": "authenticated", "user_id": user_id, "role": role, "now": now, "speed": speed}
    )


def snapshot(publication: Publication) -> bytes:
    """How a thing stands; replaces what the app knows of it."""
    return _encode(
        {
            "type": "snapshot",
            "channel": publication.channel,
            "version": publication.version,
            "body": publication.body,
        }
    )


def update(publication: Publication) -> bytes:
    """What is new about a thing."""
    return _encode(
        {
            "type": "update",
            "channel": publication.channel,
            "kind": publication.kind,
            "version": publication.version,
            "body": publication.body,
        }
    )


def reply(command_id: str, body: dict[str, Any]) -> bytes:
    """It is done."""
    return _encode({"type": "reply", "id": command_id, "body": body})


def refused(command_id: str, refusal: Refusal) -> bytes:
    """It is not done, and why."""
    return _encode({"type": "refused", "id": command_id, **_told(refusal)})


def error(refusal: Refusal, **more: object) -> bytes:
    """Something is wrong that was no command; `more` says with what."""
    return _encode({"type": "error", **more, **_told(refusal)})


def pong(now: Instant) -> bytes:
    """Yes."""
    return _encode({"type": "pong", "now": now})


def _told(refusal: Refusal) -> dict[str, Any]:
    declared = CATALOGUE[refusal.code]
    return {
        "code": refusal.code,
        "title": declared.en,
        "title_ar": declared.ar,
        "detail": refusal.detail,
    }


def _id_in(data: str) -> str | None:
    try:
        return msgspec.json.decode(data, type=_WithId).id
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
