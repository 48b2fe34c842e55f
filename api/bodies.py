"""What may be sent over REST: strict, bounded, unknown fields refused."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from api.deps import IdText
from engine.couriers.courier import ProgressStep
from engine.geo.travel import VehicleKind
from engine.kernel.place import Place, Point
from engine.orders.messages import CancelReason
from engine.orders.order import Gift, Window

LATEST_MS = 253_402_300_799_999
ZONE_CELLS_MAX = 10_000


def _storable(text: str) -> str:
    """PostgreSQL has no NUL, and half of a surrogate pair is no character."""
    if "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ValueError("contains a character that cannot be stored")
    return text


class _Body(BaseModel):
    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, allow_inf_nan=False, str_strip_whitespace=True
    )


_Storable = AfterValidator(_storable)
Label = Annotated[str, StringConstraints(min_length=1, max_length=120), _Storable]
Line = Annotated[str, StringConstraints(max_length=300), _Storable]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=300), _Storable]
Phone = Annotated[str, StringConstraints(min_length=1, max_length=40), _Storable]
At = Annotated[int, Field(ge=0, le=LATEST_MS, description="Milliseconds since the Unix epoch.")]
Lat = Annotated[float, Field(ge=-90, le=90)]
Lng = Annotated[float, Field(ge=-180, le=180)]
# JSON has no enumerations, so a text must do for one even where types are taken strictly.
Vehicle = Annotated[VehicleKind, Field(strict=False)]
Units = Annotated[int, Field(ge=1, le=100)]


class CodeBody(_Body):
    """Send me a code."""

    phone: Phone


class TokenBody(_Body):
    """This is the code, and this is what I want to be."""

    phone: Phone
    code: Annotated[str, StringConstraints(min_length=1, max_length=16), _Storable]
    role: Literal["customer", "courier", "operator"]


class PointBody(_Body):
    """WGS 84 degrees."""

    lat: Lat
    lng: Lng

    def point(self) -> Point:
        """As the rules know it."""
        return Point(lat=self.lat, lng=self.lng)


class PlaceBody(PointBody):
    """A point with what a courier needs to find it."""

    name: Annotated[str, StringConstraints(max_length=120), _Storable] = ""
    address: Line = ""
    notes: Line = ""

    def place(self) -> Place:
        """As the rules know it."""
        return Place(point=self.point(), name=self.name, address=self.address, notes=self.notes)


class QuoteBody(_Body):
    """From where to where, and how long the shop needs."""

    shop: PointBody
    door: PointBody
    preparation_s: Annotated[int, Field(ge=0, le=86_400)]


class GiftBody(_Body):
    """What is given and how it is to be treated."""

    description: Annotated[str, StringConstraints(min_length=1, max_length=300), _Storable]
    message: Annotated[str, StringConstraints(max_length=500), _Storable] = ""
    occasion: Annotated[str, StringConstraints(max_length=60), _Storable] = ""
    hide_price: bool = True
    hide_sender: bool = False
    surprise: bool = False
    size_units: Units = 1

    def gift(self) -> Gift:
        """As the rules know it."""
        return Gift(**self.model_dump())


class RecipientBody(_Body):
    """Who receives the gift."""

    name: Label
    phone: Annotated[str, StringConstraints(max_length=40), _Storable] = ""


class WindowBody(_Body):
    """When a scheduled gift should be at the door."""

    start: At
    end: At

    def window(self) -> Window:
        """As the rules know it."""
        return Window(start=self.start, end=self.end)


class OrderBody(_Body):
    """Place what was quoted."""

    quote_id: IdText
    gift: GiftBody
    recipient: RecipientBody
    shop: PlaceBody
    door: PlaceBody
    window: WindowBody | None = None


class CancelBody(_Body):
    """Why the order is cancelled."""

    reason: Annotated[CancelReason, Field(strict=False)]


class ReasonBody(_Body):
    """Why, in one's own words."""

    reason: Reason


class OnDutyBody(_Body):
    """I begin to work, here."""

    duty: Literal["on"]
    zone_id: IdText | None = None
    name: Label
    vehicle: Vehicle
    capacity_units: Units
    lat: Lat
    lng: Lng
    shift_ends_at: At | None = None


class OtherDutyBody(_Body):
    """I stop, rest, or go on."""

    duty: Literal["off", "break", "resume"]


DutyBody = Annotated[OnDutyBody | OtherDutyBody, Field(discriminator="duty")]


class ProgressBody(_Body):
    """This happened to an order that I carry."""

    order_id: IdText
    step: Annotated[ProgressStep, Field(strict=False)]
    device_at: At | None = None
    pin: Annotated[str, StringConstraints(max_length=16), _Storable] = ""
    reason: Line = ""


class WaitingPointBody(_Body):
    """I am where I was asked to wait."""

    device_at: At | None = None


class ZoneBody(_Body):
    """A new zone: the cells of one resolution, named or inside a polygon."""

    name_en: Label
    name_ar: Label
    polygon: Annotated[list[PointBody], Field(min_length=3, max_length=1000)] | None = None
    cells: (
        Annotated[
            list[Annotated[str, StringConstraints(max_length=16)]],
            Field(min_length=1, max_length=ZONE_CELLS_MAX),
        ]
        | None
    ) = None
    resolution: Annotated[int, Field(ge=3, le=10)] = 8
    parameters: dict[str, Any] = {}


class ParametersBody(_Body):
    """Other parameters for a zone; what is left out stays as it was."""

    parameters: dict[str, Any]
    reason: Reason
    effective_at: At | None = None
