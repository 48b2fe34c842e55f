"""Which commands to live things are recorded, and what of them."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import to_builtins

from engine.audit.record import Action, AuditRecord, acted
from engine.geo.moving import MoveZone
from engine.geo.parameters import ZoneParameters
from engine.geo.shops import ChangeZoneShops
from engine.geo.zone import ChangeZoneParameters, CreateZone, Zone
from engine.kernel.messages import Command, Decision, Envelope, Role
from engine.kernel.timing import Instant
from engine.money.cash import DepositCash
from engine.orders.messages import CancelOrder, PlaceOrder, UnassignOrder
from engine.orders.order import Order

_IN_CHARGE: Final = frozenset({Role.OPERATOR, Role.ADMIN})
_ACTIONS: Final[Mapping[type[Command], Action]] = {
    CreateZone: Action.CREATE_ZONE,
    ChangeZoneParameters: Action.CHANGE_PARAMETERS,
    ChangeZoneShops: Action.CHANGE_SHOPS,
    MoveZone: Action.MOVE_ZONE,
    PlaceOrder: Action.PLACE_ORDER,
    CancelOrder: Action.CANCEL_ORDER,
    UnassignOrder: Action.UNASSIGN_ORDER,
    DepositCash: Action.DEPOSIT_CASH,
}


def records_of(
    envelope: Envelope | None, decision: Decision, *, at: Instant
) -> tuple[AuditRecord, ...]:
    """What the audit log is told of a decision: nothing of what customers and couriers do."""
    if envelope is None or envelope.caller.role not in _IN_CHARGE or decision.refusal:
        return ()
    command = envelope.command
    action = _ACTIONS.get(type(command))
    if action is None:
        return ()
    subject, before, after = _changed(command, decision)
    reason = str(getattr(command, "reason", ""))
    return (
        acted(envelope.caller, action, subject, at=at, before=before, after=after, reason=reason),
    )


def _changed(command: Command, decision: Decision) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Whom it is about, and how that was before and is after."""
    things = [one.thing for one in decision.changes]
    if isinstance(command, PlaceOrder | CancelOrder | UnassignOrder):
        (order,) = (one for one in things if isinstance(one, Order) and one.id == command.order_id)
        return f"order:{order.id}", {}, {"status": order.status.value}
    if isinstance(command, DepositCash):
        after = {"receipt": command.receipt, **decision.reply}
        before = {"held_halalas": decision.reply["held_halalas"] + command.halalas}
        return f"courier:{command.courier_id}", before, after
    (zone,) = (one for one in things if isinstance(one, Zone))
    if isinstance(command, MoveZone):
        return f"zone:{zone.id}", {"cell": decision.reply["before"]}, {"cell": command.cell}
    if isinstance(command, ChangeZoneShops):
        return f"zone:{zone.id}", {"shops": decision.reply["before"]}, {"shops": len(zone.shops)}
    return (f"zone:{zone.id}", *_parameters(zone, command))


def _parameters(zone: Zone, command: Command) -> tuple[dict[str, Any], dict[str, Any]]:
    """What differs between the parameters that act, or acted until now, and those that will."""
    if not isinstance(command, ChangeZoneParameters):
        return {}, {"parameters_version": zone.parameters_version}
    made = max((zone.current, *zone.upcoming), key=lambda one: one.version)
    replaced = zone.fallback if made == zone.current and zone.fallback else zone.current
    old, new = _told(replaced.parameters), _told(made.parameters)
    changed = [name for name in new if new[name] != old[name]]
    before = {"parameters_version": replaced.version} | {name: old[name] for name in changed}
    after = {"parameters_version": made.version, "effective_at": made.effective_at}
    return before, after | {name: new[name] for name in changed}


def _told(parameters: ZoneParameters) -> dict[str, Any]:
    told: dict[str, Any] = to_builtins(parameters)
    return told
