"""The rules of waiting elsewhere: an idle courier is sent to a place and is free on his way."""

from engine.couriers import courier as couriers
from engine.couriers.courier import (
    Courier,
    CourierSentToWait,
    CourierStatus,
    Stop,
    StopKind,
    WaitingPointReached,
)
from engine.couriers.messages import ReachWaitingPoint
from engine.kernel.messages import Change, Decision
from engine.kernel.place import Point
from engine.kernel.timing import Instant


def is_idle(courier: Courier, now: Instant) -> bool:
    """On duty and standing about: no stop, no offer, and gone from where he was last."""
    return (
        courier.status is CourierStatus.ON
        and not courier.route
        and courier.leaves_at <= now
        and (courier.shift_ends_at is None or courier.shift_ends_at > now)
    )


def send_to_wait(
    courier: Courier, point: Point, *, origin: Point, arrives_at: Instant, now: Instant
) -> Decision | None:
    """Ask him to go from `origin`, where he is now, to `point`; None when he is no longer idle.

    Nothing holds him to it: where he really is, his positions tell.
    """
    if not is_idle(courier, now):
        return None
    stop = Stop(kind=StopKind.WAIT, point=point, orders=(), ready_at=arrives_at)
    event = CourierSentToWait(at=now, point=point, arrives_at=arrives_at)
    sent = couriers.evolve(courier, event, route=(stop,), last_point=origin, leaves_at=now)
    return Decision(changes=(Change(sent, (event,)),))


def reach(courier: Courier, command: ReachWaitingPoint, *, now: Instant) -> Decision:
    """He is there and waits; saying so again, or of a place he need not go to, changes nothing."""
    at = now if command.device_at is None else min(command.device_at, now)
    return _arrive(courier, max(at, courier.leaves_at), command.device_at, now)


def end_way(courier: Courier, *, now: Instant) -> Decision:
    """The clock says that he must be there; nothing when he is not on such a way, or not yet."""
    arrives_at = arrival_at_wait(courier)
    if arrives_at is None or now < arrives_at:
        return Decision()
    return _arrive(courier, arrives_at, None, now)


def arrival_at_wait(courier: Courier) -> Instant | None:
    """When he should be where he was asked to wait; None when he is not on his way there."""
    return next((one.ready_at for one in courier.route if one.kind is StopKind.WAIT), None)


def _arrive(
    courier: Courier, arrived_at: Instant, device_at: Instant | None, now: Instant
) -> Decision:
    stop = next((one for one in courier.route if one.kind is StopKind.WAIT), None)
    if stop is not None:
        event = WaitingPointReached(at=now, device_at=device_at)
        courier = couriers.evolve(
            courier,
            event,
            route=couriers.errands(courier.route),
            last_point=stop.point,
            leaves_at=arrived_at,
        )
        changes: tuple[Change[Courier], ...] = (Change(courier, (event,)),)
    else:
        changes = ()
    return Decision(changes=changes, reply={"status": courier.status.value})
