"""What a courier is told: his work, the offers that he is asked about, and what came of it."""

from typing import Literal

from api.answer import Answer
from api.answers import PlaceShown, RecipientShown
from api.pay_answers import PayShown


class StopShown(Answer):
    """One place on a route."""

    kind: Literal["pickup", "dropoff", "return", "wait"]
    lat: float
    lng: float
    orders: list[str]
    ready_at: int
    arrived_at: int | None


class CarriedGiftShown(Answer):
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


class CarriedShown(Answer):
    """An order as its courier sees it: never a PIN; a price only as what is to be taken in cash."""

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
    cash_due_halalas: int


class OfferShown(Answer):
    """The question whether a courier takes a trip; of a broadcast the first yes has it."""

    offer_id: str
    mode: Literal["direct", "ranked", "broadcast"]
    order_ids: list[str]
    stops: list[StopShown]
    orders: list[CarriedShown]
    pay_halalas: int
    made_at: int
    expires_at: int


class WorkShown(Answer):
    """A courier's work, and what he holds of our cash."""

    courier_id: str
    version: int
    duty: str
    status: str
    position_interval_s: int
    zone_id: str
    shift_begins_at: int | None
    shift_ends_at: int | None
    break_begins_at: int | None
    break_ends_at: int | None
    cash_held_halalas: int
    route: list[StopShown]
    orders: list[CarriedShown]
    offer: OfferShown | None


class DutyChanged(Answer):
    """What the courier's duty is now."""

    duty: str


class OfferAnswered(Answer):
    """What became of the offer."""

    offer_id: str
    status: str


class ProgressTaken(Answer):
    """Done; or, with `kept`, waiting for the report that it follows."""

    order_id: str


class WaitingPointTaken(Answer):
    """What the courier's status is now."""

    status: str
