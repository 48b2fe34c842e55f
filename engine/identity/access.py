"""Who may send what: deny by default, declared once per command."""

from collections.abc import Mapping
from typing import Final

from engine.couriers.messages import (
    AcceptOffer,
    AcknowledgeOffer,
    DeclineOffer,
    EndBreak,
    GoOffDuty,
    GoOnDuty,
    ReachWaitingPoint,
    ReportProgress,
    TakeBreak,
)
from engine.geo.zone import ChangeZoneParameters, CreateZone
from engine.kernel.messages import Caller, Command, Role
from engine.orders.messages import CancelOrder, PlaceOrder, UnassignOrder

_COURIER = frozenset({Role.COURIER})
_OPERATOR = frozenset({Role.OPERATOR})

ALLOWED: Final[Mapping[type[Command], frozenset[Role]]] = {
    PlaceOrder: frozenset({Role.CUSTOMER, Role.OPERATOR}),
    CancelOrder: frozenset({Role.CUSTOMER, Role.OPERATOR}),
    UnassignOrder: frozenset({Role.COURIER, Role.OPERATOR}),
    GoOnDuty: _COURIER,
    GoOffDuty: _COURIER,
    TakeBreak: _COURIER,
    EndBreak: _COURIER,
    AcknowledgeOffer: _COURIER,
    AcceptOffer: _COURIER,
    DeclineOffer: _COURIER,
    ReportProgress: _COURIER,
    ReachWaitingPoint: _COURIER,
    CreateZone: _OPERATOR,
    ChangeZoneParameters: _OPERATOR,
}


def may_send(caller: Caller, command: Command) -> bool:
    """Whether this role may send this command at all, in nobody else's name and in his zones.

    Commands that are not in the table come from the clock, never from a caller.
    """
    if caller.role not in ALLOWED.get(type(command), frozenset()):
        return False
    zone_id = getattr(command, "zone_id", None)
    if zone_id is not None and not caller.may_act_in(zone_id):
        return False
    courier_id, author = getattr(command, "courier_id", None), getattr(command, "author", None)
    return {courier_id, author} <= {caller.user_id, None}
