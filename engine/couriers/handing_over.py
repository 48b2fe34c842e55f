"""A courier passes from one zone to another without going off duty."""

from engine.couriers import courier as couriers
from engine.couriers.courier import Courier, CourierHandedOver, Duty
from engine.couriers.messages import COURIER_BUSY, COURIER_STATE, HandOver
from engine.kernel.ids import EffectId, derived_id
from engine.kernel.messages import Change, Decision
from engine.kernel.ownership import TellOwner
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
    moved = couriers.evolve(
        courier,
        event,
        zone_id=command.zone_id,
        last_point=command.point,
        leaves_at=now,
        route=(),
    )
    effect = TellOwner(
        id=EffectId(derived_id("handed over", courier.id, str(moved.version))),
        thing=f"courier:{courier.id}",
    )
    return Decision(
        changes=(Change(moved, (event,)),), effects=(effect,), reply={"duty": moved.duty.value}
    )


def is_free(courier: Courier) -> bool:
    """Neither carrying nor asked."""
    return courier.offer_id is None and not couriers.has_errands(courier.route)
