"""What may be sent over REST: strict, bounded, unknown fields refused."""

import unicodedata
from enum import StrEnum
from typing import Annotated, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from api.deps import IdText
from engine.couriers.breaks import LASTS_S_MAX, LASTS_S_MIN
from engine.couriers.courier import ProgressStep
from engine.geo.travel import VehicleKind
from engine.kernel.place import Place, Point
from engine.kernel.skills import Skill
from engine.orders.card import (
    MESSAGE_CODE_POINTS_MAX,
    MESSAGE_GRAPHEMES_MAX,
    TEMPLATES,
    cleaned,
    is_plain,
    is_too_long,
)
from engine.orders.handover import HandedTo
from engine.orders.messages import CancelReason
from engine.orders.order import Gift, Window
from engine.orders.quote import Wishes
from engine.pricing.lines import PriceLine

WEIGHT_G_MAX = 100_000
COURIER_G_MAX = 2_000_000
PRICE_HALALAS_MAX = 100_000_000
CASH_HALALAS_MAX = 10_000_000
LATEST_MS = 253_402_300_799_999
E = TypeVar("E", bound=StrEnum)


def _listed(chosen: tuple[E, ...]) -> tuple[E, ...]:
    """Each once and in one order, so that the same wish is the same words."""
    return tuple(sorted(set(chosen)))


def _written(text: str) -> str:
    """As it is printed on the card."""
    text = cleaned(text)
    if is_too_long(text):
        raise ValueError(f"is longer than {MESSAGE_GRAPHEMES_MAX} characters")
    return text


def _a_card(name: str) -> str:
    if name and name not in TEMPLATES:
        raise ValueError("is none of the templates of GET /v1/cards")
    return name


# What turns the direction of all that follows it, on whatever screen it is shown.
_TURNING = {0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)}
_KEPT_CONTROLS = {0x09, 0x0A}
_DROPPED = dict.fromkeys(
    (*_TURNING, 0xFEFF, *({*range(1, 0x20), *range(0x7F, 0xA0)} - _KEPT_CONTROLS))
)


def _storable(text: object) -> object:
    """The same word is the same letters (NFC), and nothing in it is unseen but what joins letters.

    PostgreSQL has no NUL, and half of a surrogate pair is no character.
    """
    if not isinstance(text, str) or is_plain(text):
        return text
    if "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ValueError("contains a character that cannot be stored")
    return unicodedata.normalize("NFC", text.translate(_DROPPED))


class Body(BaseModel):
    """What every body is: taken as it is typed, or not at all."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, allow_inf_nan=False, str_strip_whitespace=True
    )


Storable = BeforeValidator(_storable)
Written = AfterValidator(_written)
Unturned = AfterValidator(cleaned)
Card = AfterValidator(_a_card)
Label = Annotated[str, StringConstraints(min_length=1, max_length=120), Storable]
Line = Annotated[str, StringConstraints(max_length=300), Storable]
Digest = Annotated[
    str,
    StringConstraints(pattern=r"^([0-9a-f]{64})?$"),
    Field(description="SHA-256 of a file of `POST /v1/uploads`, in hexadecimal."),
]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=300), Storable]
Phone = Annotated[str, StringConstraints(min_length=1, max_length=40), Storable]
At = Annotated[int, Field(ge=0, le=LATEST_MS, description="Milliseconds since the Unix epoch.")]
Lat = Annotated[float, Field(ge=-90, le=90)]
Lng = Annotated[float, Field(ge=-180, le=180)]
# JSON has no enumerations, so a text must do for one even where types are taken strictly.
Vehicle = Annotated[VehicleKind, Field(strict=False)]
Skills = Annotated[
    tuple[Annotated[Skill, Field(strict=False)], ...],
    Field(strict=False, max_length=8),
    AfterValidator(_listed),
]
Vehicles = Annotated[
    tuple[Vehicle, ...], Field(strict=False, max_length=8), AfterValidator(_listed)
]
Units = Annotated[int, Field(ge=1, le=100)]


class PointBody(Body):
    """WGS 84 degrees."""

    lat: Lat
    lng: Lng

    def point(self) -> Point:
        """As the rules know it."""
        return Point(lat=self.lat, lng=self.lng)


class PlaceBody(PointBody):
    """A point with what a courier needs to find it."""

    name: Annotated[str, StringConstraints(max_length=120), Storable] = ""
    address: Line = ""
    notes: Line = ""

    def place(self) -> Place:
        """As the rules know it."""
        return Place(point=self.point(), name=self.name, address=self.address, notes=self.notes)


class PriceLineBody(Body):
    """Something that is sold with the delivery; its price is per piece, VAT included or not."""

    name: Label
    quantity: Annotated[int, Field(ge=1, le=1000)] = 1
    unit_halalas: Annotated[int, Field(ge=0, le=PRICE_HALALAS_MAX)]
    includes_vat: bool = True

    def line(self) -> PriceLine:
        """As the rules know it."""
        return PriceLine(**self.model_dump())


class WindowBody(Body):
    """When a scheduled gift should be at the door."""

    start: At
    end: At

    def window(self) -> Window:
        """As the rules know it."""
        return Window(start=self.start, end=self.end)


class QuoteBody(Body):
    """From where to where, how long the shop needs, what is sold, what must carry it, and when."""

    shop: PointBody
    door: PointBody
    preparation_s: Annotated[int, Field(ge=0, le=86_400)]
    goods: Annotated[tuple[PriceLineBody, ...], Field(strict=False, max_length=50)] = ()
    vehicles: Vehicles = ()
    window: WindowBody | None = None

    def wishes(self) -> Wishes:
        """As the rules know it."""
        return Wishes(
            goods=tuple(one.line() for one in self.goods),
            vehicles=self.vehicles,
            window=self.window.window() if self.window else None,
        )


class GiftBody(Body):
    """What is given and how it is to be treated."""

    description: Annotated[str, StringConstraints(min_length=1, max_length=300), Storable]
    message: Annotated[
        str, StringConstraints(max_length=MESSAGE_CODE_POINTS_MAX), Storable, Written
    ] = ""
    occasion: Annotated[str, StringConstraints(max_length=60), Storable, Unturned] = ""
    card: Annotated[str, StringConstraints(max_length=60), Card] = ""
    sender_name: Annotated[str, StringConstraints(max_length=120), Storable, Unturned] = ""
    hide_price: bool = True
    hide_sender: bool = False
    surprise: bool = False
    photo_consent: bool = False
    neighbour: Annotated[Line, Unturned] = ""
    size_units: Units = 1
    weight_g: Annotated[int, Field(ge=0, le=WEIGHT_G_MAX)] = 0
    skills: Skills = ()
    vehicles: Vehicles = ()

    def gift(self) -> Gift:
        """As the rules know it."""
        return Gift(**self.model_dump())


class RecipientBody(Body):
    """Who receives the gift."""

    name: Label
    phone: Annotated[str, StringConstraints(max_length=40), Storable] = ""


class OrderBody(Body):
    """Place what was quoted."""

    quote_id: IdText
    gift: GiftBody
    recipient: RecipientBody
    shop: PlaceBody
    door: PlaceBody
    window: WindowBody | None = None


class DraftBody(Body):
    """A gift as far as its sender has come with it; whatever is left out is not told yet."""

    gift: GiftBody | None = None
    recipient: RecipientBody | None = None
    shop: PlaceBody | None = None
    door: PlaceBody | None = None
    preparation_s: Annotated[int, Field(ge=0, le=86_400)] = 0
    goods: Annotated[tuple[PriceLineBody, ...], Field(strict=False, max_length=50)] = ()
    window: WindowBody | None = None


class OtherDoorOrWindow(Body):
    """What is to be changed; what is left out stays, and a window of null is as soon as it can."""

    door: PlaceBody | None = None
    window: WindowBody | None = None

    @model_validator(mode="after")
    def _something_is_changed(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("name a door, a window, or both")
        return self


class ChangeBody(OtherDoorOrWindow):
    """Change what was quoted, for no more than was agreed to."""

    quote_id: IdText
    charge_halalas_max: Annotated[int, Field(ge=0, le=PRICE_HALALAS_MAX)] | None = None


class AgainBody(Body):
    """The same gift once more: to the same door, as soon as it can, if not said otherwise.

    With `redelivery` it is the very gift, which went back to its shop.
    """

    redelivery: bool = False
    door: PlaceBody | None = None
    window: WindowBody | None = None


class CancelBody(Body):
    """Why the order is cancelled, and the most that this may cost."""

    reason: Annotated[CancelReason, Field(strict=False)]
    charge_halalas_max: Annotated[int, Field(ge=0, le=PRICE_HALALAS_MAX)] | None = None


class ReasonBody(Body):
    """Why, in one's own words."""

    reason: Reason


class OnDutyBody(Body):
    """I begin to work, here."""

    duty: Literal["on"]
    zone_id: IdText | None = None
    name: Label
    vehicle: Vehicle
    capacity_units: Units
    capacity_g: Annotated[int, Field(ge=0, le=COURIER_G_MAX)] | None = None
    skills: Skills = ()
    lat: Lat
    lng: Lng
    shift_begins_at: At | None = None
    shift_ends_at: At | None = None


class BreakBody(Body):
    """I rest, now or then, for so long."""

    duty: Literal["break"]
    break_begins_at: At | None = None
    break_s: Annotated[int, Field(ge=LASTS_S_MIN, le=LASTS_S_MAX)] | None = None


class OtherDutyBody(Body):
    """I stop, go on, or will not rest after all."""

    duty: Literal["off", "resume"]


DutyBody = Annotated[OnDutyBody | BreakBody | OtherDutyBody, Field(discriminator="duty")]


class HandoverBody(Body):
    """To whom it was handed, where, the digests of the files that show it, and the cash taken."""

    to: Annotated[HandedTo, Field(strict=False)] = HandedTo.RECIPIENT
    taken_by: Annotated[str, StringConstraints(max_length=120), Storable] = ""
    photo: Digest = ""
    signature: Digest = ""
    lat: Lat | None = None
    lng: Lng | None = None
    accuracy_m: Annotated[float, Field(ge=0, le=100_000)] | None = None
    fix_at: At | None = None
    cash_halalas: Annotated[int, Field(ge=0, le=CASH_HALALAS_MAX)] = 0


class ProgressBody(Body):
    """This happened to an order that I carry."""

    order_id: IdText
    step: Annotated[ProgressStep, Field(strict=False)]
    device_at: At | None = None
    pin: Annotated[str, StringConstraints(max_length=16), Storable] = ""
    reason: Line = ""
    handover: HandoverBody | None = None


class WaitingPointBody(Body):
    """I am where I was asked to wait."""

    device_at: At | None = None
