"""Who sees what of an order, and when: one table, from which every view is made."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

from engine.orders.order import Order, OrderStatus


class Viewer(StrEnum):
    """In which part somebody looks at an order."""

    SENDER = "sender"
    OPERATOR = "operator"
    ASKED_COURIER = "asked_courier"
    COURIER = "courier"
    RECIPIENT = "recipient"
    LINK = "link"


class When(StrEnum):
    """When a viewer sees something; what the table does not name is never seen."""

    ALWAYS = "always"
    DELIVERED = "delivered"
    NO_SURPRISE = "no_surprise"
    NO_SURPRISE_UNTIL_DELIVERED = "no_surprise_until_delivered"
    SENDER_SHOWN = "sender_shown"
    PRICE_SHOWN = "price_shown"
    CALLS_ALLOWED = "calls_allowed"


_AT_THE_DOOR: Final = frozenset(
    {OrderStatus.AT_DOOR, OrderStatus.ATTEMPT_FAILED, OrderStatus.DELIVERED}
)


def _is_delivered(order: Order) -> bool:
    return order.status is OrderStatus.DELIVERED


_HOLDS: Final[Mapping[When, Callable[[Order], bool]]] = {
    When.ALWAYS: lambda _: True,
    When.DELIVERED: _is_delivered,
    When.NO_SURPRISE: lambda order: not order.gift.surprise or order.status in _AT_THE_DOOR,
    When.NO_SURPRISE_UNTIL_DELIVERED: lambda order: not order.gift.surprise or _is_delivered(order),
    When.SENDER_SHOWN: lambda order: (
        _is_delivered(order) or not (order.gift.hide_sender or order.gift.surprise)
    ),
    When.PRICE_SHOWN: lambda order: (
        not order.gift.hide_price and (_is_delivered(order) or not order.gift.surprise)
    ),
    When.CALLS_ALLOWED: lambda order: not order.gift.surprise,
}

V, W = Viewer, When
_ALL: Final = dict.fromkeys(Viewer, W.ALWAYS)
_SENDER_AND_OPERATOR: Final = {V.SENDER: W.ALWAYS, V.OPERATOR: W.ALWAYS}
_WHO_CARRIES: Final = {V.ASKED_COURIER: W.ALWAYS, V.COURIER: W.ALWAYS}
_WHO_BRINGS: Final = {**_SENDER_AND_OPERATOR, V.COURIER: W.ALWAYS}
_WHO_WAITS: Final = {V.RECIPIENT: W.NO_SURPRISE, V.LINK: W.NO_SURPRISE}

SEEN: Final[Mapping[str, Mapping[Viewer, When]]] = {
    "code": _ALL,
    "public_status": {**_SENDER_AND_OPERATOR, **_WHO_CARRIES, **_WHO_WAITS},
    "description": {
        **_SENDER_AND_OPERATOR,
        **_WHO_CARRIES,
        V.RECIPIENT: W.NO_SURPRISE_UNTIL_DELIVERED,
    },
    "handling": {**_SENDER_AND_OPERATOR, **_WHO_CARRIES},
    "occasion": {**_SENDER_AND_OPERATOR, V.RECIPIENT: W.NO_SURPRISE_UNTIL_DELIVERED},
    "card": {**_SENDER_AND_OPERATOR, V.RECIPIENT: W.DELIVERED},
    "message": {**_SENDER_AND_OPERATOR, V.RECIPIENT: W.DELIVERED},
    "sender_name": {**_SENDER_AND_OPERATOR, V.RECIPIENT: W.SENDER_SHOWN},
    "price": {**_SENDER_AND_OPERATOR, V.RECIPIENT: W.PRICE_SHOWN},
    "cash_due": {**_SENDER_AND_OPERATOR, **_WHO_CARRIES, V.RECIPIENT: W.NO_SURPRISE},
    "pin": _SENDER_AND_OPERATOR,
    "recipient_name": _WHO_BRINGS,
    "recipient_phone": {**_SENDER_AND_OPERATOR, V.COURIER: W.CALLS_ALLOWED},
    "is_surprise": _WHO_BRINGS,
    "photo_consent": _WHO_BRINGS,
    "neighbour": _WHO_BRINGS,
    "shop": {**_SENDER_AND_OPERATOR, **_WHO_CARRIES},
    "door_point": {**_SENDER_AND_OPERATOR, **_WHO_CARRIES},
    "door_address": _WHO_BRINGS,
    "times": {**_SENDER_AND_OPERATOR, **_WHO_CARRIES, **_WHO_WAITS},
    "handover": {V.SENDER: W.DELIVERED, V.OPERATOR: W.ALWAYS},
    "left_with": {V.RECIPIENT: W.DELIVERED},
    "handover_place": {V.OPERATOR: W.ALWAYS},
    "proof_needed": {V.OPERATOR: W.ALWAYS, V.COURIER: W.ALWAYS},
    "courier_name": {**_SENDER_AND_OPERATOR, **_WHO_WAITS},
}


def sees(order: Order, viewer: Viewer, what: str) -> bool:
    """Whether this viewer sees that of this order now."""
    when = SEEN[what].get(viewer)
    return when is not None and _HOLDS[when](order)
