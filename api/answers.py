"""What is answered over REST, for the description of the interface; the rules make the answers."""

from typing import Any, Literal

from api.answer import Answer, PageAnswer

PublicWord = Literal["pending", "preparing", "delivering", "delivered", "returned", "cancelled"]


class ClockShown(Answer):
    """The service's time; `speed` is above 1 only while a day is replayed."""

    now: int
    speed: float


class OrderPlacedAnswer(Answer):
    """It is stored."""

    order_id: str
    code: str
    status: str


class OrderChanged(Answer):
    """How the order stands now."""

    order_id: str
    status: str


class GiftShown(Answer):
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


class RecipientShown(Answer):
    """Who receives it."""

    name: str
    phone: str


class PointShown(Answer):
    """WGS 84 degrees."""

    lat: float
    lng: float


class PlaceShown(PointShown):
    """Where, and how to find it."""

    name: str
    address: str
    notes: str


class WindowShown(Answer):
    """When it should be at the door."""

    start: int
    end: int


class CarrierShown(Answer):
    """Who carries it."""

    courier_id: str
    name: str
    vehicle: str


class FeeShown(Answer):
    """What was added to an order's price after it was placed, VAT included."""

    kind: str
    halalas: int
    at: int


class OrderShown(Answer):
    """An order as its customer and operators see it."""

    order_id: str
    code: str
    version: int
    status: str
    public_status: PublicWord
    gift: GiftShown
    recipient: RecipientShown
    shop: PlaceShown
    door: PlaceShown
    pin: str
    total_halalas: int
    cash_due_halalas: int
    fees: list[FeeShown]
    redelivers: str | None
    group: list[str]
    placed_at: int
    ready_at: int
    due_at: int
    window: WindowShown | None
    courier: CarrierShown | None
    eta: int | None
    picked_up_at: int | None
    ended_at: int | None


class OrdersShown(PageAnswer):
    """A page of orders."""

    orders: list[OrderShown]


class EventShown(Answer):
    """Something that happened: `at` by our clock, `device_at` by the phone's."""

    type: str
    at: int
    device_at: int | None
    version: int
    data: dict[str, Any]


class TimelineShown(PageAnswer):
    """All that happened to an order, oldest first."""

    events: list[EventShown]


class OfferMadeShown(Answer):
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


class OffersShown(PageAnswer):
    """Every offer made for an order, oldest first."""

    offers: list[OfferMadeShown]


class ParameterSetShown(Answer):
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


class ZoneShown(Answer):
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


class ZonesShown(PageAnswer):
    """All zones by name."""

    zones: list[ZoneShown]


class ParameterSetsShown(PageAnswer):
    """Every parameter set a zone ever had, newest first."""

    versions: list[VersionShown]


class ZoneChanged(Answer):
    """The version that the new parameters have."""

    zone_id: str
    parameters_version: int


class ZoneShopsShown(Answer):
    """The shops that a zone knows, by place."""

    zone_id: str
    shops: list[PointShown]


class ZoneShopsTold(Answer):
    """How many shops the zone knows now, and how many it knew before."""

    zone_id: str
    shops: int
    before: int


class ZoneMovedTo(Answer):
    """The cell that runs the zone now, and the one that did before."""

    zone_id: str
    cell: str
    before: str
    repeated: bool = False


class Alive(Answer):
    """The process answers."""

    status: Literal["alive"]


class Ready(Answer):
    """Whether each part serves: `ok`, or what is wrong."""

    status: Literal["ready", "degraded", "not_ready"]
    database: str
    live_stream: str
    cells: dict[str, str]


class ComparedShown(Answer):
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


class ComparisonShown(Answer):
    """What could be shown: A is what is in force, B what was tried."""

    leading: str
    verdict: Literal["a_better", "b_better", "not_shown", "no_data"]
    summary: str
    notes: list[str]
    metrics: list[ComparedShown]


class WhatIfShown(Answer):
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


class WhatIfsShown(PageAnswer):
    """The what-ifs of a zone, newest first."""

    what_ifs: list[WhatIfShown]
