"""What is answered over REST, for the description of the interface; the rules make the answers."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from api.pay_answers import PayShown


class _Answer(BaseModel):
    model_config = ConfigDict(extra="allow")


class ClockShown(_Answer):
    """The service's time; `speed` is above 1 only while a day is replayed."""

    now: int
    speed: float


class OrderPlacedAnswer(_Answer):
    """It is stored."""

    order_id: str
    code: str
    status: str


class OrderChanged(_Answer):
    """How the order stands now."""

    order_id: str
    status: str


class GiftShown(_Answer):
    """What is given."""

    description: str
    message: str
    occasion: str
    card: str
    sender_name: str
    hide_price: bool
    hide_sender: bool
    surprise: bool
    photo_consent: bool
    neighbour: str
    size_units: int
    weight_g: int
    skills: list[str]
    vehicles: list[str]


class RecipientShown(_Answer):
    """Who receives it."""

    name: str
    phone: str


class PlaceShown(_Answer):
    """Where, and how to find it."""

    lat: float
    lng: float
    name: str
    address: str
    notes: str


class WindowShown(_Answer):
    """When it should be at the door."""

    start: int
    end: int


class CarrierShown(_Answer):
    """Who carries it."""

    courier_id: str
    name: str
    vehicle: str


class OrderShown(_Answer):
    """An order as its customer and operators see it."""

    order_id: str
    code: str
    version: int
    status: str
    public_status: Literal[
        "pending", "preparing", "delivering", "delivered", "returned", "cancelled"
    ]
    gift: GiftShown
    recipient: RecipientShown
    shop: PlaceShown
    door: PlaceShown
    pin: str
    total_halalas: int
    placed_at: int
    ready_at: int
    due_at: int
    window: WindowShown | None
    courier: CarrierShown | None
    eta: int | None
    picked_up_at: int | None
    ended_at: int | None


class Chosen(_Answer):
    """A row of which only some fields were asked for."""


class _Page(_Answer):
    """`next` and `previous` are the cursors of the pages on either side, if there are any."""

    next: str | None
    previous: str | None


class OrdersShown(_Page):
    """A page of orders."""

    orders: list[OrderShown | Chosen]


class EventShown(_Answer):
    """Something that happened: `at` by our clock, `device_at` by the phone's."""

    type: str
    at: int
    device_at: int | None
    version: int
    data: dict[str, Any]


class TimelineShown(_Page):
    """All that happened to an order, oldest first."""

    events: list[EventShown]


class OfferMadeShown(_Answer):
    """An offer with its explanation."""

    offer_id: str
    courier_id: str
    order_ids: list[str]
    status: str
    made_at: int
    expires_at: int
    acknowledged_at: int | None
    answered_at: int | None
    decline_reason: str
    explanation: dict[str, Any]


class OffersShown(_Page):
    """Every offer made for an order, oldest first."""

    offers: list[OfferMadeShown]


class StopShown(_Answer):
    """One place on a route."""

    kind: Literal["pickup", "dropoff", "return", "wait"]
    lat: float
    lng: float
    orders: list[str]
    ready_at: int
    arrived_at: int | None


class CarriedGiftShown(_Answer):
    """A gift as its courier sees it: never a price.

    What is said of the recipient and the door is empty until he has accepted; who receives a
    surprise has no phone in it, for he is not called.
    """

    description: str
    size_units: int
    weight_g: int
    skills: list[str]
    surprise: bool
    photo_consent: bool
    neighbour: str


class CarriedShown(_Answer):
    """An order as its courier sees it: never a PIN."""

    order_id: str
    code: str
    version: int
    status: str
    recipient: RecipientShown
    gift: CarriedGiftShown
    shop: PlaceShown
    door: PlaceShown
    ready_at: int
    due_at: int
    pay: PayShown | None
    proof_needed: dict[str, list[str]]


class OfferShown(_Answer):
    """The question whether a courier takes a trip; of a broadcast the first yes has it."""

    offer_id: str
    mode: Literal["direct", "ranked", "broadcast"]
    order_ids: list[str]
    stops: list[StopShown]
    orders: list[CarriedShown]
    pay_halalas: int
    made_at: int
    expires_at: int


class WorkShown(_Answer):
    """A courier's work."""

    courier_id: str
    version: int
    duty: str
    status: str
    position_interval_s: int
    zone_id: str
    shift_ends_at: int | None
    route: list[StopShown]
    orders: list[CarriedShown]
    offer: OfferShown | None


class DutyChanged(_Answer):
    """What the courier's duty is now."""

    duty: str


class OfferAnswered(_Answer):
    """What became of the offer."""

    offer_id: str
    status: str


class ProgressTaken(_Answer):
    """Done; or, with `kept`, waiting for the report that it follows."""

    order_id: str


class WaitingPointTaken(_Answer):
    """What the courier's status is now."""

    status: str


class ParameterSetShown(_Answer):
    """One version of a zone's parameters."""

    version: int
    author: str
    reason: str
    effective_at: int
    parameters: dict[str, Any]
    restores: int | None
    reverts: int | None
    guard: dict[str, Any] | None


class VersionShown(ParameterSetShown):
    """A parameter set with what it turned (from what to what) and what its guard came to."""

    changes: dict[str, tuple[Any, Any]]
    guard_state: Literal["upcoming", "watching", "passed", "reverted", "superseded"] | None


class ZoneShown(_Answer):
    """A zone with the parameters in force, and those whose time has not come."""

    zone_id: str
    name_en: str
    name_ar: str
    anchor: str
    cells: list[str]
    parameters_version: int
    last_version: int
    parameters: dict[str, Any]
    upcoming: list[ParameterSetShown]


class ZonesShown(_Page):
    """All zones by name."""

    zones: list[ZoneShown | Chosen]


class ParameterSetsShown(_Page):
    """Every parameter set a zone ever had, newest first."""

    versions: list[VersionShown]


class ZoneChanged(_Answer):
    """The version that the new parameters have."""

    zone_id: str
    parameters_version: int


class ZoneMovedTo(_Answer):
    """The cell that runs the zone now, and the one that did before."""

    zone_id: str
    cell: str
    before: str
    repeated: bool = False


class Alive(_Answer):
    """The process answers."""

    status: Literal["alive"]


class Ready(_Answer):
    """Whether each part serves: `ok`, or what is wrong."""

    status: Literal["ready", "degraded", "not_ready"]
    database: str
    live_stream: str
    cells: dict[str, str]


class ComparedShown(_Answer):
    """One metric under both sets; `low` to `high` holds the mean of B - A as sure as `level`."""

    name: str
    label: str
    unit: str
    lower_is_better: bool
    a: float | None
    b: float | None
    difference: float | None
    low: float | None
    high: float | None
    level: float
    days: int
    days_needed: int | None
    verdict: Literal["a_better", "b_better", "not_shown", "no_data"]
    by_day: list[float]


class ComparisonShown(_Answer):
    """What could be shown: A is what is in force, B what was tried."""

    leading: str
    verdict: Literal["a_better", "b_better", "not_shown", "no_data"]
    summary: str
    notes: list[str]
    metrics: list[ComparedShown]


class WhatIfShown(_Answer):
    """A what-if: what is tried, how far it is, and in the end what could be shown."""

    what_if_id: str
    zone_id: str
    version: int
    status: Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]
    author: str
    asked_at: int
    started_at: int | None
    ended_at: int | None
    since: int
    until: int
    runs: int
    metric: str
    parameters: dict[str, Any]
    done: int
    total: int
    problem: str
    result: ComparisonShown | None


class WhatIfsShown(_Page):
    """The what-ifs of a zone, newest first."""

    what_ifs: list[WhatIfShown]
