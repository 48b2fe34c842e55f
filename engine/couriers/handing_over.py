"""A courier passes from one zone to another without going off duty: he goes, or he is lent."""

from collections.abc import Iterable, Mapping

from engine.couriers import courier as couriers
from engine.couriers.courier import Courier, CourierHandedOver, CourierLent, Duty, Loan
from engine.couriers.messages import COURIER_BUSY, COURIER_STATE, EndLoan, HandOver, LendCouriers
from engine.couriers.prepositioning import is_idle
from engine.kernel.ids import CourierId, EffectId, derived_id
from engine.kernel.messages import Change, Decision
from engine.kernel.ownership import TellOwner
from engine.kernel.place import Point
from engine.kernel.refusals import Refusal
from engine.kernel.timing import Instant


def hand_over(courier: Courier, command: HandOver, *, now: Instant) -> Decision | Refusal:
    """His zone lets him go, and from this moment the other one owns him.

    Refused while he carries something or is asked: what was promised stays where it was promised.
    """
    if courier.zone_id == command.zone_id:
        return Decision(reply={"duty": courier.duty.value})
    if courier.duty is not Duty.ON:
        return COURIER_STATE(duty=courier.duty.value)
    if not is_free(courier):
        return COURIER_BUSY()
    event = CourierHandedOver(at=now, zone_id=command.zone_id, before=courier.zone_id)
    moved = _moved(courier, event, point=command.point, loan=None)
    return Decision(
        changes=(Change(moved, (event,)),),
        effects=(_news_of(moved),),
        reply={"duty": moved.duty.value},
    )


def lend(
    chosen: Iterable[Courier],
    command: LendCouriers,
    *,
    points: Mapping[CourierId, Point],
    now: Instant,
) -> Decision:
    """All of them who can still be lent work for the neighbour; `points` are where they are."""
    changes = []
    for one in chosen:
        if is_lendable(one, command, now=now):
            event = CourierLent(
                at=now, zone_id=command.to_zone_id, before=one.zone_id, ends_at=command.ends_at
            )
            loan = Loan(home_zone_id=one.zone_id, ends_at=command.ends_at)
            moved = _moved(one, event, point=points[one.id], loan=loan)
            changes.append(Change(moved, (event,)))
    return Decision(
        changes=tuple(changes),
        effects=tuple(_news_of(one.thing) for one in changes),
        reply={"lent": [one.thing.id for one in changes]},
    )


def is_lendable(courier: Courier, command: LendCouriers, *, now: Instant) -> bool:
    """Standing about in the zone that is asked, his own, and at work for longer than the loan."""
    ends_at = courier.shift_ends_at
    return (
        is_idle(courier, now)
        and courier.zone_id == command.zone_id != command.to_zone_id
        and courier.loan is None
        and now < command.ends_at
        and (ends_at is None or ends_at >= command.ends_at)
    )


def loan_over_at(courier: Courier) -> Instant | None:
    """When he has to be given back; None while he is not lent, or cannot be given yet."""
    if courier.loan is None or courier.duty is not Duty.ON or not is_free(courier):
        return None
    return courier.loan.ends_at


def end_loan(courier: Courier, _command: EndLoan, *, now: Instant) -> Decision:
    """His own zone owns him again; nothing before the loan's end, or while he has an errand."""
    over_at, loan = loan_over_at(courier), courier.loan
    if loan is None or over_at is None or now < over_at:
        return Decision()
    event = CourierHandedOver(at=now, zone_id=loan.home_zone_id, before=courier.zone_id)
    moved = _moved(courier, event, point=courier.last_point, loan=None)
    return Decision(changes=(Change(moved, (event,)),), effects=(_news_of(moved),))


def is_free(courier: Courier) -> bool:
    """Neither carrying nor asked."""
    return courier.offer_id is None and not couriers.has_errands(courier.route)


def _moved(
    courier: Courier, event: CourierHandedOver | CourierLent, *, point: Point, loan: Loan | None
) -> Courier:
    return couriers.evolve(
        courier,
        event,
        zone_id=event.zone_id,
        last_point=point,
        leaves_at=max(event.at, courier.shift.begins_at or 0),
        route=(),
        loan=loan,
    )


def _news_of(moved: Courier) -> TellOwner:
    return TellOwner(
        id=EffectId(derived_id("handed over", moved.id, str(moved.version))),
        thing=f"courier:{moved.id}",
    )
