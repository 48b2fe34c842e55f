"""What a courier says, over REST or the socket: the same words are the same command."""

from msgspec.structs import replace

from actors.bus import Begun
from api.parts import Parts
from api.refusals import INVALID_REQUEST
from api.route_classes import Weight
from api.sending import envelope_of, id_of_command
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
_UNKNOWN_YET = ZoneId("")


def weight_of(frame: CourierFrame) -> Weight:
    """Who only begins to work does not stand before a door yet."""
    begins = isinstance(frame, Duty) and frame.duty == "on"
    return Weight.NORMAL if begins else Weight.VITAL


async def execute_words(
    parts: Parts, caller: Caller, frame: CourierFrame, *, waited_s: float = 0.0
) -> Answer:
    """Carry out what a courier said `waited_s` ago; a repetition is harmless however it comes."""
    try:
        command = await _looked_up(parts, _command(caller.user_id, frame))
    except StoreUnavailable:
        command = UNAVAILABLE()
    command_id = id_of_command(caller, _ROUTE, frame.id)
    if isinstance(command, Refusal):
        return Answer(command_id=command_id, fingerprint="", refusal=command)
    return await parts.bus.execute(
        envelope_of(parts, command, caller, command_id=command_id, asked=frame, waited_s=waited_s)
    )


def begin_words(
    parts: Parts, caller: Caller, frame: CourierFrame, *, waited_s: float
) -> Begun | None:
    """The same without a task, if nothing is to be looked up first."""
    command = _command(caller.user_id, frame)
    if isinstance(command, Refusal) or _is_to_be_looked_up(parts, command):
        return None
    command_id = id_of_command(caller, _ROUTE, frame.id)
    return parts.bus.begin(
        envelope_of(parts, command, caller, command_id=command_id, asked=frame, waited_s=waited_s)
    )


def _command(courier_id: CourierId, frame: CourierFrame) -> Command | Refusal:
    match frame:
        case Duty():
            return _duty(courier_id, frame)
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


def _duty(courier_id: CourierId, frame: Duty) -> Command | Refusal:
    match frame.duty:
        case "on":
            return _on_duty(courier_id, frame)
        case "off":
            return GoOffDuty(courier_id=courier_id)
        case "break":
            return TakeBreak(
                courier_id=courier_id, begins_at=frame.break_begins_at, lasts_s=frame.break_s
            )
        case "resume":
            return EndBreak(courier_id=courier_id)


def _on_duty(courier_id: CourierId, frame: Duty) -> GoOnDuty | Refusal:
    """What he asks for; without a zone if he leaves that to us."""
    if frame.lat is None or frame.lng is None:
        return INVALID_REQUEST(message="lat and lng are needed to go on duty")
    if frame.vehicle is None or frame.capacity_units is None or not frame.name:
        return INVALID_REQUEST(message="name, vehicle and capacity_units are needed to go on duty")
    return GoOnDuty(
        courier_id=courier_id,
        zone_id=ZoneId(frame.zone_id or _UNKNOWN_YET),
        name=frame.name,
        vehicle=frame.vehicle,
        capacity_units=frame.capacity_units,
        capacity_g=frame.capacity_g,
        skills=tuple(sorted(set(frame.skills))),
        point=Point(lat=frame.lat, lng=frame.lng),
        shift_begins_at=frame.shift_begins_at,
        shift_ends_at=frame.shift_ends_at,
    )


def _is_to_be_looked_up(parts: Parts, command: Command) -> bool:
    return isinstance(command, GoOnDuty) and (
        parts.settings.identity.verify_couriers or command.zone_id == _UNKNOWN_YET
    )


async def _looked_up(parts: Parts, command: Command | Refusal) -> Command | Refusal:
    """With its zone, if he may work at all."""
    if not isinstance(command, GoOnDuty):
        return command
    if (refusal := await _may_not_work(parts, command.courier_id)) is not None:
        return refusal
    if command.zone_id != _UNKNOWN_YET:
        return command
    zone_id = await zone_of(parts.store, command.point)
    return OUTSIDE_ZONES() if zone_id is None else replace(command, zone_id=zone_id)


async def _may_not_work(parts: Parts, courier_id: CourierId) -> Refusal | None:
    """Who lost or never had the permission may finish what he carries, but not begin to work."""
    if not parts.settings.identity.verify_couriers:
        return None
    profile = await parts.identity.find_profile(courier_id, Role.COURIER)
    return NOT_VERIFIED() if profile is None else objection(profile)
