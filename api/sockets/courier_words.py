"""What a courier says, over REST or the socket: the same words are the same command."""

from api.parts import Parts
from api.refusals import INVALID_REQUEST
from api.route_classes import Weight
from api.sending import execute, id_of_command
from api.sockets.frames import (
    Accept,
    Acknowledge,
    CourierFrame,
    Decline,
    Duty,
    HandoverWords,
    Progress,
    ReachedWaitingPoint,
)
from api.zones_of import zone_of
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
from engine.geo.zone import OUTSIDE_ZONES
from engine.identity.profiles import NOT_VERIFIED, objection
from engine.kernel.ids import CourierId, OfferId, OrderId, ZoneId
from engine.kernel.messages import Caller, Command, Role
from engine.kernel.place import Point
from engine.kernel.refusals import UNAVAILABLE, Refusal
from engine.orders.handover import HandoverTold
from storage.store import Answer, StoreUnavailable

_ROUTE = "courier"


def weight_of(frame: CourierFrame) -> Weight:
    """Who only begins to work does not stand before a door yet."""
    begins = isinstance(frame, Duty) and frame.duty == "on"
    return Weight.NORMAL if begins else Weight.VITAL


async def execute_words(
    parts: Parts, caller: Caller, frame: CourierFrame, *, waited_s: float = 0.0
) -> Answer:
    """Carry out what a courier said `waited_s` ago; a repetition is harmless however it comes."""
    command_id = id_of_command(caller, _ROUTE, frame.id)
    try:
        command = await _command(parts, caller.user_id, frame)
    except StoreUnavailable:
        command = UNAVAILABLE()
    if isinstance(command, Refusal):
        return Answer(command_id=command_id, fingerprint="", refusal=command)
    return await execute(
        parts, command, caller, command_id=command_id, asked=frame, waited_s=waited_s
    )


async def _command(parts: Parts, courier_id: CourierId, frame: CourierFrame) -> Command | Refusal:
    match frame:
        case Duty(duty="on"):
            return await _on_duty(parts, courier_id, frame)
        case Duty():
            return _OTHER_DUTIES[frame.duty](courier_id=courier_id)
        case Progress():
            return ReportProgress(
                courier_id=courier_id,
                order_id=OrderId(frame.order_id),
                step=frame.step,
                device_at=frame.device_at,
                pin=frame.pin,
                reason=frame.reason,
                handover=_handover(frame.handover),
            )
        case ReachedWaitingPoint():
            return ReachWaitingPoint(courier_id=courier_id, device_at=frame.device_at)
        case Decline():
            return DeclineOffer(
                courier_id=courier_id, offer_id=OfferId(frame.offer_id), reason=frame.reason
            )
        case Acknowledge():
            return AcknowledgeOffer(courier_id=courier_id, offer_id=OfferId(frame.offer_id))
        case Accept():
            return AcceptOffer(courier_id=courier_id, offer_id=OfferId(frame.offer_id))


def _handover(words: HandoverWords | None) -> HandoverTold:
    if words is None:
        return HandoverTold()
    point = None
    if words.lat is not None and words.lng is not None:
        point = Point(lat=words.lat, lng=words.lng)
    return HandoverTold(
        to=words.to,
        taken_by=words.taken_by,
        photo=words.photo,
        signature=words.signature,
        point=point,
        accuracy_m=words.accuracy_m,
        fix_at=words.fix_at,
        cash_halalas=words.cash_halalas,
    )


_OTHER_DUTIES = {"off": GoOffDuty, "break": TakeBreak, "resume": EndBreak}


async def _on_duty(parts: Parts, courier_id: CourierId, frame: Duty) -> Command | Refusal:
    if frame.lat is None or frame.lng is None:
        return INVALID_REQUEST(message="lat and lng are needed to go on duty")
    if frame.vehicle is None or frame.capacity_units is None or not frame.name:
        return INVALID_REQUEST(message="name, vehicle and capacity_units are needed to go on duty")
    if (refusal := await _may_not_work(parts, courier_id)) is not None:
        return refusal
    point = Point(lat=frame.lat, lng=frame.lng)
    zone_id = ZoneId(frame.zone_id) if frame.zone_id else await zone_of(parts.store, point)
    if zone_id is None:
        return OUTSIDE_ZONES()
    return GoOnDuty(
        courier_id=courier_id,
        zone_id=zone_id,
        name=frame.name,
        vehicle=frame.vehicle,
        capacity_units=frame.capacity_units,
        capacity_g=frame.capacity_g,
        skills=tuple(sorted(set(frame.skills))),
        point=point,
        shift_begins_at=frame.shift_begins_at,
        shift_ends_at=frame.shift_ends_at,
    )


async def _may_not_work(parts: Parts, courier_id: CourierId) -> Refusal | None:
    """Who lost or never had the permission may finish what he carries, but not begin to work."""
    if not parts.settings.identity.verify_couriers:
        return None
    profile = await parts.identity.find_profile(courier_id, Role.COURIER)
    return NOT_VERIFIED() if profile is None else objection(profile)
