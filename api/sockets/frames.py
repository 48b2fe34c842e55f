"""The words of the socket that a phone says."""

import struct
from collections.abc import Iterator
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from engine.chat.words import TEXT_CODE_POINTS_MAX, QuickReplyCode
from engine.couriers.breaks import LASTS_S_MAX, LASTS_S_MIN
from engine.couriers.courier import ProgressStep
from engine.geo.travel import VehicleKind
from engine.kernel.skills import Skill
from engine.orders.handover import HandedTo
from storage.live import Bookmark, Fix

Channel = Annotated[str, Meta(max_length=64)]
DeviceId = Annotated[str, Meta(min_length=1, max_length=128)]
Id = Annotated[str, Meta(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Label = Annotated[str, Meta(max_length=120, pattern=r"^[^\x00]*$")]
Line = Annotated[str, Meta(max_length=300, pattern=r"^[^\x00]*$")]
Digest = Annotated[str, Meta(pattern="^([0-9a-f]{64})?$")]
Reason = Annotated[str, Meta(min_length=1, max_length=300, pattern=r"^[^\x00]*$")]
At = Annotated[int, Meta(ge=0, le=253_402_300_799_999)]
Lat = Annotated[float, Meta(ge=-90, le=90)]
Lng = Annotated[float, Meta(ge=-180, le=180)]


class Frame(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Anything that a phone says."""


class Authenticate(Frame, frozen=True, kw_only=True, tag="authenticate"):
    """This is who I am; again, before the token expires, with a newer one.

    `channels` are subscribed to at once, each from where the phone left off if it knows that;
    `receipts` promises a receipt for every state.
    """

    token: Annotated[str, Meta(max_length=4096)]
    channels: Annotated[dict[Channel, Bookmark | None], Meta(max_length=128)] = {}
    receipts: bool = False


class Subscribe(Frame, frozen=True, kw_only=True, tag="subscribe"):
    """Tell me about this, from where I left off if I say so."""

    channel: Channel
    bookmark: Bookmark | None = None


class Unsubscribe(Frame, frozen=True, kw_only=True, tag="unsubscribe"):
    """No longer."""

    channel: Channel


class Received(Frame, frozen=True, kw_only=True, tag="received"):
    """I have all that this channel was told up to here."""

    channel: Channel
    bookmark: Bookmark


class Look(Frame, frozen=True, kw_only=True, tag="look"):
    """Show me the fleet within these bounds; again, when I move the map."""

    channel: Channel
    south: Lat
    west: Lng
    north: Lat
    east: Lng
    form: Literal["json", "binary"] = "json"


class Duty(Frame, frozen=True, kw_only=True, tag="duty"):
    """I begin, stop, rest, or go on."""

    id: DeviceId
    duty: Literal["on", "off", "break", "resume"]
    zone_id: Id | None = None
    name: Label = ""
    vehicle: VehicleKind | None = None
    capacity_units: Annotated[int, Meta(ge=1, le=100)] | None = None
    capacity_g: Annotated[int, Meta(ge=0, le=2_000_000)] | None = None
    skills: Annotated[tuple[Skill, ...], Meta(max_length=8)] = ()
    lat: Lat | None = None
    lng: Lng | None = None
    shift_begins_at: At | None = None
    shift_ends_at: At | None = None
    break_begins_at: At | None = None
    break_s: Annotated[int, Meta(ge=LASTS_S_MIN, le=LASTS_S_MAX)] | None = None


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


CASH_HALALAS_MAX = 10_000_000


class HandoverWords(Frame, frozen=True, kw_only=True):
    """To whom I handed it, where, the digests of the files that show it, and the cash I took."""

    to: HandedTo = HandedTo.RECIPIENT
    taken_by: Label = ""
    photo: Digest = ""
    signature: Digest = ""
    lat: Lat | None = None
    lng: Lng | None = None
    accuracy_m: Annotated[float, Meta(ge=0, le=100_000)] | None = None
    fix_at: At | None = None
    cash_halalas: Annotated[int, Meta(ge=0, le=CASH_HALALAS_MAX)] = 0


class Progress(Frame, frozen=True, kw_only=True, tag="progress"):
    """This happened to an order that I carry."""

    id: DeviceId
    order_id: Id
    step: ProgressStep
    device_at: At | None = None
    pin: Annotated[str, Meta(max_length=16, pattern=r"^[^\x00]*$")] = ""
    reason: Line = ""
    handover: HandoverWords | None = None


class ReachedWaitingPoint(Frame, frozen=True, kw_only=True, tag="reached_waiting_point"):
    """I am where I was asked to wait."""

    id: DeviceId
    device_at: At | None = None


class Message(Frame, frozen=True, kw_only=True, tag="message"):
    """I write this about an order: a text, a quick reply, a file, or several of them."""

    id: DeviceId
    order_id: Id
    text: Annotated[str, Meta(max_length=TEXT_CODE_POINTS_MAX, pattern=r"^[^\x00]*$")] = ""
    quick_reply: QuickReplyCode | None = None
    attachment: Id | None = None


class Read(Frame, frozen=True, kw_only=True, tag="read"):
    """I have read what is written about an order, up to this number."""

    order_id: Id
    number: Annotated[int, Meta(ge=1, le=2**31 - 1)]


class Typing(Frame, frozen=True, kw_only=True, tag="typing"):
    """I am writing about an order; again, while I go on."""

    order_id: Id


class Position(Frame, frozen=True, kw_only=True, tag="position"):
    """Here I am; whether it makes sense is judged later, for a bad position is no bad frame."""

    lat: float
    lng: float
    at: int
    accuracy_m: float = 0.0
    mock: bool = False

    @property
    def fix(self) -> Fix:
        """The same, as cells know it."""
        return Fix(
            lat=self.lat,
            lng=self.lng,
            at=self.at,
            accuracy_m=self.accuracy_m,
            is_mock=self.mock,
        )


class Ping(Frame, frozen=True, kw_only=True, tag="ping"):
    """Is anybody there."""


CourierFrame = Duty | Acknowledge | Accept | Decline | Progress | ReachedWaitingPoint
ChatFrame = Message | Read | Typing
Incoming = (
    CourierFrame
    | ChatFrame
    | Authenticate
    | Subscribe
    | Unsubscribe
    | Received
    | Look
    | Position
    | Ping
)

_decoder: Final = msgspec.json.Decoder(Incoming)
_RECORD: Final = struct.Struct("<iiqHH")
_MOCK: Final = 1


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
    for lat, lng, at, accuracy_dm, flags in _RECORD.iter_unpack(data):
        yield Fix(
            lat=lat / 1e7,
            lng=lng / 1e7,
            at=at,
            accuracy_m=accuracy_dm / 10,
            is_mock=bool(flags & _MOCK),
        )


def _id_in(data: str) -> str | None:
    try:
        return msgspec.json.decode(data, type=_WithId).id
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
