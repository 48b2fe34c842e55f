"""What a courier can ask and report, and what he may be refused."""

from engine.couriers.courier import ProgressStep
from engine.geo.travel import VehicleKind
from engine.kernel.ids import CourierId, OfferId, OrderId, ZoneId
from engine.kernel.messages import Command
from engine.kernel.place import Point
from engine.kernel.refusals import RefusalKind, declare
from engine.kernel.skills import Skill
from engine.kernel.timing import Instant
from engine.orders.handover import HandoverTold


class GoOnDuty(Command, frozen=True, kw_only=True, tag=True):
    """Begin to work in a zone, at a place, until a shift ends (or until further notice).

    Without `capacity_g` it is what his vehicle carries. With a `shift_begins_at` that is still to
    come it announces the shift: he is planned for from then on, and asked nothing much before.
    """

    courier_id: CourierId
    zone_id: ZoneId
    name: str
    vehicle: VehicleKind
    capacity_units: int
    capacity_g: int | None = None
    skills: tuple[Skill, ...] = ()
    point: Point
    shift_begins_at: Instant | None = None
    shift_ends_at: Instant | None = None


class HandOver(Command, frozen=True, kw_only=True, tag=True):
    """A courier on duty goes on in another zone; said for him to the zone that he leaves."""

    courier_id: CourierId
    zone_id: ZoneId
    point: Point


class Welcome(Command, frozen=True, kw_only=True, tag=True):
    """A courier was handed over to a zone of this cell."""

    courier_id: CourierId


class LendCouriers(Command, frozen=True, kw_only=True, tag=True):
    """Let idle couriers work for a neighbour until `ends_at`, one for each of the shops.

    Said to the zone that has them; who is lent is at most `travel_s_max` from his shop.
    """

    zone_id: ZoneId
    to_zone_id: ZoneId
    shops: tuple[Point, ...]
    travel_s_max: int
    ends_at: Instant


class EndLoan(Command, frozen=True, kw_only=True, tag=True):
    """A borrowed courier goes back; said by the clock."""

    courier_id: CourierId


class GoOffDuty(Command, frozen=True, kw_only=True, tag=True):
    """Stop working: at once without a route, else after it."""

    courier_id: CourierId


class TakeBreak(Command, frozen=True, kw_only=True, tag=True):
    """Rest, for so long if that is said.

    With `begins_at` it is an announcement: he rests then, or when he is done with what he has.
    """

    courier_id: CourierId
    begins_at: Instant | None = None
    lasts_s: int | None = None


class EndBreak(Command, frozen=True, kw_only=True, tag=True):
    """Work again, or rest not after all."""

    courier_id: CourierId


class BeginBreak(Command, frozen=True, kw_only=True, tag=True):
    """An announced break begins; said by the clock."""

    courier_id: CourierId


class FinishBreak(Command, frozen=True, kw_only=True, tag=True):
    """A break is as long as it was to be; said by the clock."""

    courier_id: CourierId


class BeginShift(Command, frozen=True, kw_only=True, tag=True):
    """The begin of an announced shift has come; said by the clock."""

    courier_id: CourierId


class EndShift(Command, frozen=True, kw_only=True, tag=True):
    """The shift's end has come; said by the clock."""

    courier_id: CourierId


class ReportProgress(Command, frozen=True, kw_only=True, tag=True):
    """Something happened to an order on the route, at `device_at` by the phone's clock.

    `handover` says how it was delivered; its files may follow later.
    """

    courier_id: CourierId
    order_id: OrderId
    step: ProgressStep
    device_at: Instant | None = None
    pin: str = ""
    reason: str = ""
    handover: HandoverTold = HandoverTold()


class ReachWaitingPoint(Command, frozen=True, kw_only=True, tag=True):
    """The courier is where he was asked to wait, since `device_at` by the phone's clock."""

    courier_id: CourierId
    device_at: Instant | None = None


class EndWayToWait(Command, frozen=True, kw_only=True, tag=True):
    """By the timetable he is where he was asked to wait; said by the clock."""

    courier_id: CourierId


class AcknowledgeOffer(Command, frozen=True, kw_only=True, tag=True):
    """The phone has shown the offer."""

    courier_id: CourierId
    offer_id: OfferId


class AcceptOffer(Command, frozen=True, kw_only=True, tag=True):
    """The courier takes the trip."""

    courier_id: CourierId
    offer_id: OfferId


class DeclineOffer(Command, frozen=True, kw_only=True, tag=True):
    """The courier does not take it, and is not asked about these orders again."""

    courier_id: CourierId
    offer_id: OfferId
    reason: str


class ExpireOffer(Command, frozen=True, kw_only=True, tag=True):
    """The time to answer is over; said by the clock."""

    offer_id: OfferId


UNKNOWN_COURIER = declare(
    "unknown_courier",
    RefusalKind.NOT_FOUND,
    en="This courier has never been on duty.",
    ar="لم يسبق لهذا المندوب أن بدأ مناوبة.",
)
COURIER_STATE = declare(
    "courier_state",
    RefusalKind.CONFLICT,
    en="This cannot be done in the present state of duty.",
    ar="لا يمكن تنفيذ هذا الإجراء في حالة المناوبة الحالية.",
)
COURIER_BUSY = declare(
    "courier_busy",
    RefusalKind.CONFLICT,
    en="Finish the route first.",
    ar="أكمل مسارك أولًا.",
)
BREAK_TIME = declare(
    "break_time",
    RefusalKind.INVALID,
    en="A break can be announced {hours} hours ahead at most, and lasts 1 to {minutes} minutes.",
    ar="يمكن إعلان الاستراحة قبل {hours} ساعة على الأكثر، ومدتها من دقيقة إلى {minutes} دقيقة.",
)
SHIFT_OVER = declare(
    "shift_over",
    RefusalKind.INVALID,
    en="The shift's end must lie in the future.",
    ar="يجب أن تكون نهاية المناوبة في المستقبل.",
)
SHIFT_BEGIN = declare(
    "shift_begin",
    RefusalKind.INVALID,
    en="A shift can be announced {minutes} minutes ahead at most, and begins before it ends.",
    ar="يمكن إعلان المناوبة قبل بدايتها بمدة لا تتجاوز {minutes} دقيقة، وتبدأ قبل نهايتها.",
)
BUSY_ELSEWHERE = declare(
    "busy_elsewhere",
    RefusalKind.CONFLICT,
    en="You are at work in another zone. Finish there first.",
    ar="أنت تعمل في منطقة أخرى. أكمل عملك هناك أولًا.",
)
NOT_YOUR_ORDER = declare(
    "not_your_order",
    RefusalKind.CONFLICT,
    en="This order is not on your route (any more).",
    ar="هذا الطلب ليس ضمن مسارك أو لم يعد كذلك.",
)
TOO_MANY_EARLY = declare(
    "too_many_early_reports",
    RefusalKind.TOO_MANY,
    en="Too many reports came before the ones they follow. Send the missing ones first.",
    ar="وصلت تقارير كثيرة قبل أوانها. أرسل التقارير الناقصة أولًا.",
)
UNKNOWN_OFFER = declare(
    "unknown_offer",
    RefusalKind.NOT_FOUND,
    en="There is no such offer, or it was not made to you.",
    ar="لا يوجد عرض بهذا الرقم أو أنه ليس موجّهًا إليك.",
)
OFFER_EXPIRED = declare(
    "offer_expired",
    RefusalKind.GONE,
    en="The time to answer this offer is over.",
    ar="انتهى وقت الرد على هذا العرض.",
)
OFFER_CLOSED = declare(
    "offer_closed",
    RefusalKind.GONE,
    en="This offer is no longer open.",
    ar="هذا العرض لم يعد متاحًا.",
)
