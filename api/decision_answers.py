"""What is answered to the question why an order has its courier, or none yet."""

from typing import Literal

from api.answer import Answer


class CourierReasonShown(Answer):
    """What speaks against a courier; with `cost_more` how much dearer he would have been."""

    courier_id: str
    cost_more: int | None
    reason: str
    text: str
    text_ar: str


class GoneShown(Answer):
    """Who left a broadcast before it ended."""

    courier_id: str
    reason: Literal["declined", "expired", "withdrawn"]
    at: int


class OfferDecision(Answer):
    """An offer: who was asked, why he, and why not the others."""

    kind: Literal["offer"]
    at: int
    offer_id: str
    courier_id: str
    others: list[str]
    gone: list[GoneShown]
    mode: Literal["direct", "ranked", "broadcast"]
    place_in_line: int
    status: str
    order_ids: list[str]
    expires_at: int
    answered_at: int | None
    decline_reason: str
    parameters_version: int
    candidates: int
    reach_s: int
    pickup_at: int
    deliveries_at: list[int]
    couriers: list[CourierReasonShown]


class WaitDecision(Answer):
    """A reason to wait; with a courier who is planned for it, and when he would leave."""

    kind: Literal["wait"]
    at: int
    reason: str
    text: str
    text_ar: str
    courier_id: str | None
    leaves_at: int | None
    reach_s: int
    parameters_version: int
    couriers: list[CourierReasonShown]


class DecisionsShown(Answer):
    """All that was decided about who carries an order, oldest first, and why it waits now."""

    order_id: str
    status: str
    waiting: WaitDecision | None
    decisions: list[OfferDecision | WaitDecision]
