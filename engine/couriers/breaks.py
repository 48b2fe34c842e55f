"""The rules of breaks: taken at once or announced, and over when it was said or when one goes on.

Who has announced a break is given nothing that begins after it, and rests as soon as he has nothing
left to do then.
"""

from typing import Final

from msgspec.structs import replace

from engine.couriers import courier as couriers
from engine.couriers.courier import (
    Break,
    BreakAnnounced,
    BreakEnded,
    BreakRevoked,
    BreakTaken,
    Courier,
    Duty,
)
from engine.couriers.messages import (
    BREAK_TIME,
    COURIER_BUSY,
    COURIER_STATE,
    EndBreak,
    FinishBreak,
    TakeBreak,
)
from engine.kernel.messages import Decision
from engine.kernel.refusals import Refusal
from engine.kernel.timing import HOUR_MS, Instant

AHEAD_MAX_MS: Final = 12 * HOUR_MS
LASTS_S_MIN: Final = 60
LASTS_S_MAX: Final = 4 * 3600


def take(courier: Courier, command: TakeBreak, *, now: Instant) -> Decision | Refusal:
    """Rest at once, or say when.

    Who is carrying or asked can only say when: a time that has come means after that. Saying it
    again renews the announcement; while he rests it says how long.
    """
    if not _is_fit(command, now):
        hours, minutes = AHEAD_MAX_MS // HOUR_MS, LASTS_S_MAX // 60
        return BREAK_TIME(hours=hours, minutes=minutes)
    if courier.duty is Duty.BREAK:
        return _going_on(courier, command, now)
    if courier.duty is not Duty.ON:
        return COURIER_STATE(duty=courier.duty.value)
    at = command.begins_at
    is_busy = couriers.has_errands(courier.route) or courier.offer_id is not None
    if at is not None and (is_busy or at > now):
        return _announced(courier, Break(begins_at=max(at, now), lasts_s=command.lasts_s), now)
    if is_busy:
        return COURIER_BUSY()
    return begun(courier, command.lasts_s, now=now)


def _is_fit(command: TakeBreak, now: Instant) -> bool:
    at, lasts_s = command.begins_at, command.lasts_s
    return (at is None or at <= now + AHEAD_MAX_MS) and (
        lasts_s is None or LASTS_S_MIN <= lasts_s <= LASTS_S_MAX
    )


def _going_on(courier: Courier, command: TakeBreak, now: Instant) -> Decision:
    if command.lasts_s is None or courier.rest is None:
        return Decision(reply={"duty": courier.duty.value})
    return _announced(courier, replace(courier.rest, lasts_s=command.lasts_s), now)


def _announced(courier: Courier, rest: Break, now: Instant) -> Decision:
    if rest == courier.rest:
        return Decision(reply={"duty": courier.duty.value})
    event = BreakAnnounced(at=now, begins_at=rest.begins_at, lasts_s=rest.lasts_s)
    return couriers.told(couriers.evolve(courier, event, rest=rest), event)


def begun(courier: Courier, lasts_s: int | None, *, now: Instant) -> Decision:
    """He rests from now on; whoever offers him something takes it back before."""
    assert courier.offer_id is None
    rest = Break(begins_at=now, lasts_s=lasts_s)
    event = BreakTaken(at=now, ends_at=rest.ends_at)
    shift = replace(courier.shift, begins_at=None)
    return couriers.told(couriers.evolve(courier, event, route=(), shift=shift, rest=rest), event)


def is_due(courier: Courier, now: Instant) -> bool:
    """Whether a break that was announced begins now."""
    begins_at = begins_when(courier)
    return begins_at is not None and begins_at <= now


def begins_when(courier: Courier) -> Instant | None:
    """When what he announced begins, if he has nothing to do until then; None while he has."""
    if courier.rest is None or courier.duty is not Duty.ON or couriers.has_errands(courier.route):
        return None
    return max(courier.rest.begins_at, courier.shift.begins_at or 0)


def end(courier: Courier, _command: EndBreak, *, now: Instant) -> Decision | Refusal:
    """Work again, or take back that he will rest."""
    if courier.duty is Duty.BREAK:
        return _ended(courier, now)
    if courier.duty is not Duty.ON:
        return COURIER_STATE(duty=courier.duty.value)
    if courier.rest is None:
        return Decision(reply={"duty": courier.duty.value})
    event = BreakRevoked(at=now)
    return couriers.told(couriers.evolve(courier, event, rest=None), event)


def finish(courier: Courier, _command: FinishBreak, *, now: Instant) -> Decision:
    """The clock says that it is over; nothing when it was prolonged or ended meanwhile."""
    ends_at = ends_when(courier)
    return Decision() if ends_at is None or now < ends_at else _ended(courier, now)


def ends_when(courier: Courier) -> Instant | None:
    """When he works again; None when he does not rest, or has not said it."""
    if courier.duty is not Duty.BREAK or courier.rest is None:
        return None
    return courier.rest.ends_at


def _ended(courier: Courier, now: Instant) -> Decision:
    event = BreakEnded(at=now)
    return couriers.told(couriers.evolve(courier, event, free_since=now, rest=None), event)
