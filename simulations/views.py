"""What apps are shown, as they read it: the fields of the protocol that simulated people use."""

from typing import Any

from msgspec import Raw, Struct

from engine.kernel.place import Point
from storage.live import Bookmark


class PlaceShown(Struct, frozen=True, kw_only=True):
    """A shop or a door."""

    lat: float
    lng: float
    name: str = ""
    notes: str = ""

    @property
    def point(self) -> Point:
        """Where it is."""
        return Point(lat=self.lat, lng=self.lng)


class StopShown(Struct, frozen=True, kw_only=True):
    """A stop on a route or in an offer."""

    kind: str
    lat: float
    lng: float
    orders: tuple[str, ...]
    ready_at: int = 0

    @property
    def point(self) -> Point:
        """Where it is."""
        return Point(lat=self.lat, lng=self.lng)


class CarriedShown(Struct, frozen=True, kw_only=True):
    """An order as its courier sees it."""

    order_id: str
    status: str
    shop: PlaceShown
    door: PlaceShown
    ready_at: int
    cash_due_halalas: int = 0


class OfferShown(Struct, frozen=True, kw_only=True):
    """An offer as its courier sees it."""

    offer_id: str
    order_ids: tuple[str, ...]
    stops: tuple[StopShown, ...]
    orders: tuple[CarriedShown, ...]
    expires_at: int


class WorkShown(Struct, frozen=True, kw_only=True):
    """A courier's work."""

    courier_id: str
    version: int
    duty: str
    route: tuple[StopShown, ...] = ()
    orders: tuple[CarriedShown, ...] = ()
    offer: OfferShown | None = None


class OrderShown(Struct, frozen=True, kw_only=True):
    """An order as its customer sees it."""

    order_id: str
    version: int
    status: str
    public_status: str
    pin: str
    shop: PlaceShown
    door: PlaceShown
    placed_at: int
    ready_at: int
    due_at: int = 0


class AgesShown(Struct, frozen=True, kw_only=True):
    """So many positions were at most so old when their cell had them; more counts than bounds."""

    at_most: tuple[int, ...] = ()
    counts: tuple[int, ...] = ()


class ZoneShown(Struct, frozen=True, kw_only=True):
    """A zone at work, as operators see it; the last five come with every tick."""

    waiting: int = 0
    offered: int = 0
    assigned: int = 0
    couriers: dict[str, int] = {}
    available: int = 0
    offers_made: int = 0
    tick_ms: float = 0.0
    positions_received: int = 0
    positions_age_ms: AgesShown = AgesShown()


class Frame(Struct, frozen=True, kw_only=True):
    """Any frame of the server; `body` is left undecoded until its channel is known."""

    type: str
    id: str = ""
    also: tuple[str, ...] = ()
    channel: str = ""
    kind: str = ""
    version: int = 0
    code: str = ""
    user_id: str = ""
    body: Raw = Raw(b"{}")
    bookmark: Bookmark | None = None
    updates: tuple["Frame", ...] = ()


class Told(Struct, frozen=True, kw_only=True):
    """What the service answered: a body, or the code of a refusal."""

    body: dict[str, Any] = {}
    refused: str = ""


# Refusals that say nothing about the wish, only about the moment.
AGAIN = frozenset({"temporarily_unavailable", "deadline_passed", "overloaded"})
