"""Why an order has its courier, why another courier has it not, and why it waits: one word each.

The optimizer's reasons are among them under the same codes.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.couriers import breaks
from engine.couriers.courier import Courier, Duty
from engine.geo.parameters import ZoneParameters
from engine.kernel.ids import CourierId
from engine.kernel.timing import SECOND_MS, Instant
from engine.orders.cash import cash_due
from engine.orders.order import Lapse, Lapsed, Order


class Why(StrEnum):
    """A reason; the codes are a public contract."""

    NO_COURIER = "no_courier"
    NO_CANDIDATE = "no_candidate"
    TOO_FAR = "too_far"
    FULL = "full"
    TOO_HEAVY = "too_heavy"
    VEHICLE = "vehicle"
    SKILL = "skill"
    CASH_LIMIT = "cash_limit"
    DECLINED = "declined"
    NOT_ANSWERED = "not_answered"
    ASKED = "asked"
    ON_BREAK = "on_break"
    ENDING = "ending"
    SHIFT_ENDS = "shift_ends"
    NOT_AMONG_NEAREST = "not_among_nearest"
    WAITING_IS_BETTER = "waiting_is_better"
    TOO_LATE = "too_late"
    BETTER_ELSEWHERE = "better_elsewhere"
    OUT_OF_TIME = "out_of_time"
    BUSY = "busy"
    FARTHER = "farther"
    SHORTER_IDLE = "shorter_idle"
    KEPT = "kept"
    NOT_CHOSEN = "not_chosen"
    SOLVER_AWAY = "solver_away"


TEXTS: Final[dict[Why, tuple[str, str]]] = {
    Why.NO_COURIER: ("No courier is on duty and free.", "لا يوجد مندوب متاح في المناوبة."),
    Why.NO_CANDIDATE: ("No courier may be asked.", "لا يوجد مندوب يمكن سؤاله."),
    Why.TOO_FAR: ("Too far from the shop for now.", "بعيد جدًا عن المتجر في الوقت الحالي."),
    Why.FULL: ("The gift does not fit in.", "لا تتسع مركبته للهدية."),
    Why.TOO_HEAVY: ("The gift is too heavy.", "الهدية أثقل مما يستطيع حمله."),
    Why.VEHICLE: ("This vehicle is not allowed for it.", "هذه المركبة غير مسموح بها للهدية."),
    Why.SKILL: ("He lacks what the gift needs.", "ينقصه ما تحتاجه الهدية من تجهيز."),
    Why.CASH_LIMIT: (
        "He would hold more cash than he may. He has to pay in first.",
        "سيتجاوز النقد الذي معه الحد المسموح. عليه توريد ما معه أولًا.",
    ),
    Why.DECLINED: ("He said no to this order.", "رفض هذا الطلب من قبل."),
    Why.NOT_ANSWERED: ("He did not answer a moment ago.", "لم يرد على العرض قبل قليل."),
    Why.ASKED: ("He is being asked about a trip.", "لديه عرض لم يرد عليه بعد."),
    Why.ON_BREAK: ("He is on a break.", "في استراحة."),
    Why.ENDING: ("He is ending his duty.", "ينهي مناوبته."),
    Why.SHIFT_ENDS: ("His shift ends before.", "تنتهي ورديته قبل ذلك."),
    Why.NOT_AMONG_NEAREST: ("Enough others are nearer.", "يوجد عدد كافٍ من المندوبين الأقرب."),
    Why.WAITING_IS_BETTER: (
        "A courier is planned and need not leave yet.",
        "خُطِّط لمندوب ولا حاجة إلى انطلاقه الآن.",
    ),
    Why.TOO_LATE: ("It would be far too late.", "سيكون الوصول متأخرًا جدًا."),
    Why.BETTER_ELSEWHERE: ("Other orders need him more.", "طلبات أخرى أحوج إليه."),
    Why.OUT_OF_TIME: ("There was no time to plan it.", "لم يكفِ الوقت لتخطيطه."),
    Why.BUSY: ("He would be free too late.", "سيتفرغ متأخرًا."),
    Why.FARTHER: ("He is farther away.", "أبعد عن المتجر."),
    Why.SHORTER_IDLE: ("He has waited for work less long.", "انتظر العمل مدة أقصر."),
    Why.KEPT: ("The earlier plan is kept.", "أُبقي على الخطة السابقة."),
    Why.NOT_CHOSEN: ("Another courier is better for it.", "مندوب آخر أنسب له."),
    Why.SOLVER_AWAY: ("The planner does not answer.", "المخطط لا يستجيب."),
}


def why_not(order: Order, courier: Courier, parameters: ZoneParameters, now: Instant) -> Why | None:
    """Why this courier may not be asked about this order, wherever he is; None when he may."""
    gift = order.gift
    if courier.capacity_units < gift.size_units:
        return Why.FULL
    if courier.capacity_g < gift.weight_g:
        return Why.TOO_HEAVY
    if gift.vehicles and courier.vehicle not in gift.vehicles:
        return Why.VEHICLE
    if gift.skills and not set(gift.skills) <= set(courier.skills):
        return Why.SKILL
    if order.is_cash and not may_collect(order, courier, parameters):
        return Why.CASH_LIMIT
    return _why_not_again(order, courier, parameters, now) if order.lapsed else None


def may_collect(order: Order, courier: Courier, parameters: ZoneParameters) -> bool:
    """Whether he stays within his limit of cash with what is due at its door."""
    at_stake = courier.cash_at_stake_halalas + cash_due(order)
    return at_stake <= parameters.cash_held_halalas_max


def why_unavailable(courier: Courier, now: Instant) -> Why | None:
    """Why a courier who is on duty can be asked nothing at this moment; None when he can."""
    if courier.duty is Duty.BREAK or breaks.is_due(courier, now):
        return Why.ON_BREAK
    if courier.duty is not Duty.ON:
        return Why.ENDING
    if courier.offer_id is not None:
        return Why.ASKED
    if courier.works_until is not None and courier.works_until <= now:
        return Why.SHIFT_ENDS
    return None


def reach_s(order: Order, parameters: ZoneParameters, now: Instant) -> int:
    """How far from the shop a courier may be who is asked: the longer it waits, the farther."""
    released_at = order.placed_at if order.release_at is None else order.release_at
    return int(reaches_s(np.array([released_at]), parameters, now)[0])


def reaches_s(
    released_at: NDArray[np.int64], parameters: ZoneParameters, now: Instant
) -> NDArray[np.int64]:
    """The same of orders that wait since these instants."""
    waited_s = np.maximum(0, now - released_at) // SECOND_MS
    wider_s = waited_s // parameters.search_every_s * parameters.search_widen_s
    reach_s: NDArray[np.int64] = np.minimum(
        parameters.approach_s_max, parameters.search_start_s + wider_s
    )
    return reach_s


def may_not_again(order: Order, parameters: ZoneParameters, now: Instant) -> Iterator[CourierId]:
    """Who said no to it, or let it expire a moment ago."""
    return (one.courier_id for one in order.lapsed if _why_not_yet(one, parameters, now))


def _why_not_again(
    order: Order, courier: Courier, parameters: ZoneParameters, now: Instant
) -> Why | None:
    found = (
        _why_not_yet(one, parameters, now) for one in order.lapsed if one.courier_id == courier.id
    )
    return next((why for why in found if why is not None), None)


def _why_not_yet(lapsed: Lapsed, parameters: ZoneParameters, now: Instant) -> Why | None:
    if lapsed.reason is Lapse.DECLINED:
        return Why.DECLINED
    if lapsed.reason is Lapse.EXPIRED and lapsed.at + parameters.offer_again_s * SECOND_MS > now:
        return Why.NOT_ANSWERED
    return None
