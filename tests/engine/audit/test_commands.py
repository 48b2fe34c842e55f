"""What the audit log is told of decisions about live things."""

from msgspec.structs import replace

from engine.audit.commands import records_of
from engine.audit.record import Action, AuditRecord
from engine.dispatch import cancellation
from engine.geo import zone as zones
from engine.geo.moving import MoveZone, move
from engine.geo.shops import ChangeZoneShops, change_shops
from engine.geo.zone import ChangeZoneParameters
from engine.kernel.ids import CellId, CommandId
from engine.kernel.messages import Caller, Command, Decision, Envelope
from engine.kernel.refusals import UNAVAILABLE
from engine.orders.messages import CancelOrder, CancelReason
from tests.builders import DOOR, NOON, SHOP, a_zone, an_order, customer, must, new_id, operator


def told(caller: Caller, command: Command, decision: Decision) -> tuple[AuditRecord, ...]:
    envelope = Envelope(
        id=CommandId(new_id()), command=command, caller=caller, deadline=NOON + 1_000
    )
    return records_of(envelope, decision, at=NOON)


def a_change(*, effective_at: int) -> tuple[ChangeZoneParameters, Decision]:
    zone = a_zone()
    command = ChangeZoneParameters(
        zone_id=zone.id,
        parameters=replace(zone.parameters, tick_s=zone.parameters.tick_s + 1),
        author=operator().user_id,
        reason="rain",
        effective_at=effective_at,
        after_version=1,
    )
    return command, must(zones.change_parameters(zone, command, now=NOON))


def test_changed_parameters_are_told_with_what_they_were() -> None:
    somebody = replace(operator(), place="192.0.2.7")
    tick_s = a_zone().parameters.tick_s
    for effective_at in (NOON, NOON + 60_000):
        command, decision = a_change(effective_at=effective_at)
        (record,) = told(somebody, command, decision)
        act = record.act
        assert (act.action, act.at) == (Action.CHANGE_PARAMETERS, NOON)
        assert (act.actor, act.role) == (somebody.user_id, somebody.role)
        assert act.subject == f"zone:{command.zone_id}"
        assert act.before == {"parameters_version": 1, "tick_s": tick_s}
        assert act.after == {
            "parameters_version": 2,
            "effective_at": effective_at,
            "tick_s": tick_s + 1,
        }
        assert (record.circumstances.place, record.circumstances.reason) == ("192.0.2.7", "rain")


def test_only_those_in_charge_are_recorded() -> None:
    order = an_order()
    command = CancelOrder(order_id=order.id, reason=CancelReason.OTHER)
    decision = must(
        cancellation.cancel(
            order, command, operator(), offer=None, others=(), couriers=(), now=NOON + 1
        )
    )
    (record,) = told(operator(), command, decision)
    assert (record.act.action, record.act.subject) == (Action.CANCEL_ORDER, f"order:{order.id}")
    assert record.act.after == {"status": "cancelled"}
    assert record.circumstances.reason == "other"
    assert told(customer(), command, decision) == ()
    assert records_of(None, decision, at=NOON) == ()


def test_a_zone_that_moves_is_told_with_both_cells() -> None:
    zone, there = a_zone(), CellId("elsewhere")
    command = MoveZone(zone_id=zone.id, cell=there, author=operator().user_id)
    decision = move(zone, command, before=CellId("here"), now=NOON)
    (record,) = told(operator(), command, decision)
    assert (record.act.action, record.act.subject) == (Action.MOVE_ZONE, f"zone:{zone.id}")
    assert (record.act.before, record.act.after) == ({"cell": "here"}, {"cell": there})


def test_a_zone_that_is_told_other_shops_is_told_with_their_numbers() -> None:
    zone = a_zone(shops=(SHOP,))
    command = ChangeZoneShops(zone_id=zone.id, shops=(SHOP, DOOR), author=operator().user_id)
    (record,) = told(operator(), command, must(change_shops(zone, command, now=NOON)))
    assert (record.act.action, record.act.subject) == (Action.CHANGE_SHOPS, f"zone:{zone.id}")
    assert (record.act.before, record.act.after) == ({"shops": 1}, {"shops": 2})


def test_what_was_refused_is_not_recorded() -> None:
    command, decision = a_change(effective_at=NOON)
    assert told(operator(), command, replace(decision, refusal=UNAVAILABLE())) == ()
