"""The rules of duty: going on and ending."""

from typing import Final

from msgspec.structs import replace

from engine.couriers import courier as couriers
from engine.couriers.courier import (
    CAPACITY_G,
    Courier,
    Duty,
    DutyEnding,
    Shift,
    ShiftAnnounced,
    WentOffDuty,
    WentOnDuty,
)
from engine.couriers.handing_over import is_free
from engine.couriers.messages import (
    BUSY_ELSEWHERE,
    COURIER_STATE,
    SHIFT_BEGIN,
    SHIFT_OVER,
    BeginShift,
    GoOnDuty,
)
from engine.kernel.messages import Change, Decision
from engine.kernel.refusals import Refusal
from engine.kernel.timing import HOUR_MS, MINUTE_MS, Instant

# Further ahead than this nobody knows whether he will really come.
AHEAD_MAX_MS: Final = 2 * HOUR_MS


def go_on(
    courier: Courier | None,
    command: GoOnDuty,
    *,
    guarantee_per_h_halalas: int = 0,
    now: Instant,
) -> Decision | Refusal:
    """Begin to work, or announce it; saying it again renews the shift's end.

    Who works in another zone has to be handed over first. Who is at work already announces nothing.
    """
    if (refusal := _objection(command, now)) is not None:
        return refusal
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
    return couriers.told(*_gone_on(courier, command, guarantee_per_h_halalas, now))


def _objection(command: GoOnDuty, now: Instant) -> Refusal | None:
    """What is wrong with begin or end of the shift."""
    ends_at = command.shift_ends_at
    begins_at = now if command.shift_begins_at is None else max(now, command.shift_begins_at)
    if ends_at is not None and ends_at <= now:
        return SHIFT_OVER()
    if begins_at > now + AHEAD_MAX_MS or (ends_at is not None and ends_at <= begins_at):
        return SHIFT_BEGIN(minutes=AHEAD_MAX_MS // MINUTE_MS)
    return None


def _gone_on(
    courier: Courier, command: GoOnDuty, guarantee_per_h_halalas: int, now: Instant
) -> tuple[Courier, WentOnDuty | ShiftAnnounced]:
    """Who is at work keeps place and route; who is not begins where and when he says."""
    was_announced = courier.duty is Duty.ON and courier.shift.begins_at is not None
    begins_at = command.shift_begins_at
    if courier.duty is not Duty.OFF and not was_announced:
        begins_at = None
    if begins_at is not None and begins_at <= now:
        begins_at = None
    changed = replace(
        courier,
        name=command.name,
        vehicle=command.vehicle,
        capacity_units=command.capacity_units,
        capacity_g=_capacity_g(command),
        skills=command.skills,
        zone_id=command.zone_id,
        shift_ends_at=command.shift_ends_at,
        shift=replace(courier.shift, begins_at=begins_at),
    )
    if courier.duty is Duty.OFF or (was_announced and is_free(courier)):
        from_when = now if begins_at is None else begins_at
        changed = replace(
            changed,
            last_point=command.point,
            leaves_at=from_when,
            free_since=from_when,
            shift=Shift(guarantee_per_h_halalas=guarantee_per_h_halalas, begins_at=begins_at),
        )
    event = _begun(changed, now)
    return couriers.evolve(changed, event), event


def _begun(courier: Courier, now: Instant) -> WentOnDuty | ShiftAnnounced:
    ends_at, begins_at = courier.shift_ends_at, courier.shift.begins_at
    if begins_at is None:
        return WentOnDuty(at=now, zone_id=courier.zone_id, shift_ends_at=ends_at)
    return ShiftAnnounced(
        at=now, zone_id=courier.zone_id, shift_begins_at=begins_at, shift_ends_at=ends_at
    )


def begin_shift(courier: Courier, _command: BeginShift, *, now: Instant) -> Decision:
    """What he announced has come: from now on it counts as duty; nothing before, or after that."""
    begins_at = courier.shift.begins_at
    if begins_at is None or begins_at > now or courier.duty is not Duty.ON:
        return Decision()
    begun = replace(courier, shift=replace(courier.shift, begins_at=None))
    event = _begun(begun, now)
    return Decision(changes=(Change(couriers.evolve(begun, event), (event,)),))


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
        return couriers.told(couriers.evolve(courier, ending, rest=None), ending)
    event = WentOffDuty(at=now)
    return couriers.told(couriers.evolve(courier, event, route=()), event)
