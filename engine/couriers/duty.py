"""The rules of duty: going on, resting, ending."""

from engine.couriers import courier as couriers
from engine.couriers.courier import (
    CAPACITY_G,
    BreakEnded,
    BreakTaken,
    Courier,
    Duty,
    DutyEnding,
    Shift,
    WentOffDuty,
    WentOnDuty,
)
from engine.couriers.messages import (
    BUSY_ELSEWHERE,
    COURIER_BUSY,
    COURIER_STATE,
    SHIFT_OVER,
    GoOnDuty,
)
from engine.kernel.messages import Change, Decision, Event
from engine.kernel.refusals import Refusal
from engine.kernel.timing import Instant


def go_on(
    courier: Courier | None,
    command: GoOnDuty,
    *,
    guarantee_per_h_halalas: int = 0,
    now: Instant,
) -> Decision | Refusal:
    """Begin to work; saying it again renews the shift's end.

    Who works in another zone has to be handed over first.
    """
    if command.shift_ends_at is not None and command.shift_ends_at <= now:
        return SHIFT_OVER()
    if courier is None:
        courier = Courier(
            id=command.courier_id,
            name=command.name,
            vehicle=command.vehicle,
            capacity_units=command.capacity_units,
            zone_id=command.zone_id,
            last_point=command.point,
        )
    if courier.duty is not Duty.OFF and courier.zone_id != command.zone_id:
        return BUSY_ELSEWHERE(zone_id=courier.zone_id)
    if courier.duty is Duty.BREAK:
        return COURIER_STATE(duty=courier.duty.value)
    event = WentOnDuty(at=now, zone_id=command.zone_id, shift_ends_at=command.shift_ends_at)
    was_off = courier.duty is Duty.OFF
    changed = couriers.evolve(
        courier,
        event,
        name=command.name,
        vehicle=command.vehicle,
        capacity_units=command.capacity_units,
        capacity_g=_capacity_g(command),
        skills=command.skills,
        zone_id=command.zone_id,
        last_point=command.point if was_off else courier.last_point,
        leaves_at=now if was_off else courier.leaves_at,
        free_since=now if was_off else courier.free_since,
        shift=Shift(guarantee_per_h_halalas=guarantee_per_h_halalas) if was_off else courier.shift,
        shift_ends_at=command.shift_ends_at,
    )
    return _told(changed, event)


def _capacity_g(command: GoOnDuty) -> int:
    return CAPACITY_G[command.vehicle] if command.capacity_g is None else command.capacity_g


def go_off(courier: Courier, *, now: Instant) -> Decision:
    """Stop: at once without a route, else when it is finished.

    An open offer is the host's to withdraw first.
    """
    assert courier.offer_id is None
    if courier.duty in {Duty.OFF, Duty.ENDING}:
        return Decision(reply={"duty": courier.duty.value})
    if couriers.has_errands(courier.route):
        ending = DutyEnding(at=now)
        return _told(couriers.evolve(courier, ending), ending)
    event = WentOffDuty(at=now)
    return _told(couriers.evolve(courier, event, route=()), event)


def take_break(courier: Courier, *, now: Instant) -> Decision | Refusal:
    """Rest; refused while something is carried or asked."""
    if courier.duty is Duty.BREAK:
        return Decision(reply={"duty": courier.duty.value})
    if courier.duty is not Duty.ON:
        return COURIER_STATE(duty=courier.duty.value)
    if couriers.has_errands(courier.route) or courier.offer_id is not None:
        return COURIER_BUSY()
    event = BreakTaken(at=now)
    return _told(couriers.evolve(courier, event, route=()), event)


def end_break(courier: Courier, *, now: Instant) -> Decision | Refusal:
    """Work again."""
    if courier.duty is Duty.ON:
        return Decision(reply={"duty": courier.duty.value})
    if courier.duty is not Duty.BREAK:
        return COURIER_STATE(duty=courier.duty.value)
    event = BreakEnded(at=now)
    return _told(couriers.evolve(courier, event, free_since=now), event)


def _told(courier: Courier, event: Event) -> Decision:
    return Decision(changes=(Change(courier, (event,)),), reply={"duty": courier.duty.value})
