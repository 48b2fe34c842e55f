"""What can be asked of an order, what it may refuse, and what it asks of the world."""

from enum import StrEnum

from engine.kernel.ids import OrderId, PaymentId, ZoneId
from engine.kernel.messages import Command, Effect
from engine.kernel.place import Place
from engine.kernel.refusals import RefusalKind, declare
from engine.kernel.timing import Instant
from engine.orders.fees import Supplement
from engine.orders.order import Gift, Recipient, Window
from engine.orders.quote import Quote


class CancelReason(StrEnum):
    """Why an order is cancelled."""

    CHANGED_MIND = "changed_mind"
    WRONG_ADDRESS = "wrong_address"
    TOO_SLOW = "too_slow"
    UNDELIVERABLE = "undeliverable"
    OTHER = "other"


class PlaceOrder(Command, frozen=True, kw_only=True, tag=True):
    """Place the gift that was quoted; `order_id` and `pin` are handed in by the host.

    `payment_id` is what it is paid with, None where orders are placed without; with `is_cash` that
    is cash at the door. `group` are the orders that are placed together, itself among them; none
    when it is alone.
    """

    order_id: OrderId
    zone_id: ZoneId
    quote: Quote
    gift: Gift
    recipient: Recipient
    shop: Place
    door: Place
    pin: str
    ready_at: Instant
    window: Window | None = None
    payment_id: PaymentId | None = None
    is_cash: bool = False
    group: tuple[OrderId, ...] = ()


class PlaceOrders(Command, frozen=True, kw_only=True, tag=True):
    """Place several gifts of one zone together: all of them, or none."""

    zone_id: ZoneId
    orders: tuple[PlaceOrder, ...]


class CancelOrder(Command, frozen=True, kw_only=True, tag=True):
    """End an order that nobody has picked up yet, if it costs no more than was agreed to."""

    order_id: OrderId
    reason: CancelReason
    charge_halalas_max: int | None = None


class ChangeOrder(Command, frozen=True, kw_only=True, tag=True):
    """Another door or window, as quoted, for no more than was agreed to.

    `former` is the quote that holds until then; `supplement` is what pays for the difference.
    """

    order_id: OrderId
    quote: Quote
    former: Quote
    door: Place
    window: Window | None = None
    charge_halalas_max: int | None = None
    supplement: Supplement | None = None


class ReleaseOrder(Command, frozen=True, kw_only=True, tag=True):
    """The time of a scheduled order has come."""

    order_id: OrderId


class UnassignOrder(Command, frozen=True, kw_only=True, tag=True):
    """Take an order from its courier before the pick-up: by himself, or by an operator."""

    order_id: OrderId
    reason: str


class SendSms(Effect, frozen=True, kw_only=True, tag=True):
    """A text message to a phone in E.164."""

    phone: str
    text: str


UNKNOWN_ORDER = declare(
    "unknown_order",
    RefusalKind.NOT_FOUND,
    en="There is no such order, or it is not yours to see.",
    ar="لا يوجد طلب بهذا الرقم أو لا يحق لك الاطلاع عليه.",
)
ORDER_STATE = declare(
    "order_state",
    RefusalKind.CONFLICT,
    en="This cannot happen to the order in its present state.",
    ar="لا يمكن تنفيذ هذا الإجراء على الطلب في حالته الحالية.",
)
TOO_LATE_TO_CANCEL = declare(
    "too_late_to_cancel",
    RefusalKind.CONFLICT,
    en="The gift is already on the road and can no longer be cancelled.",
    ar="الهدية في الطريق ولا يمكن إلغاء الطلب الآن.",
)
TOO_LATE_TO_CHANGE = declare(
    "too_late_to_change",
    RefusalKind.CONFLICT,
    en="This can no longer be changed: the gift is too far on its way.",
    ar="لم يعد التعديل ممكنًا لأن الهدية قطعت شوطًا كبيرًا في طريقها.",
)
CHARGE_RISEN = declare(
    "charge_risen",
    RefusalKind.CONFLICT,
    en="This costs more by now. Look at the new terms and confirm them.",
    ar="ارتفعت الرسوم. راجع الشروط الجديدة ثم أكّدها.",
)
MORE_THAN_PAID = declare(
    "more_than_paid",
    RefusalKind.CONFLICT,
    en="This costs more than was paid. Pay the difference with `POST "
    "/v1/orders/{order_id}/change-payments`, or choose what costs no more.",
    ar="يكلّف هذا أكثر مما دُفع. ادفع الفرق عبر `POST /v1/orders/{order_id}/change-payments`، "
    "أو اختر ما لا يكلّف أكثر.",
)
QUOTE_EXPIRED = declare(
    "quote_expired",
    RefusalKind.GONE,
    en="The quote is no longer valid. Ask for a new one.",
    ar="انتهت صلاحية عرض السعر. اطلب عرضًا جديدًا.",
)
QUOTE_MISMATCH = declare(
    "quote_mismatch",
    RefusalKind.INVALID,
    en="The order differs from what was quoted. Ask for a new quote.",
    ar="تفاصيل الطلب تختلف عن عرض السعر. اطلب عرضًا جديدًا.",
)
QUOTE_USED = declare(
    "quote_used",
    RefusalKind.CONFLICT,
    en="This quote has become an order already. Ask for a new one to order again.",
    ar="استُخدم عرض السعر هذا في طلب سابق. اطلب عرضًا جديدًا لإنشاء طلب آخر.",
)
BAD_WINDOW = declare(
    "bad_window",
    RefusalKind.INVALID,
    en="The delivery window must lie in the future and end after it starts.",
    ar="يجب أن تكون فترة التوصيل في المستقبل وأن تنتهي بعد بدايتها.",
)
WINDOW_UNREACHABLE = declare(
    "window_unreachable",
    RefusalKind.INVALID,
    en="The gift cannot be at the door before the window ends. Choose a later window.",
    ar="لا يمكن إيصال الهدية قبل نهاية فترة التوصيل. اختر فترة لاحقة.",
)
NOT_ONE_ZONE = declare(
    "not_one_zone",
    RefusalKind.INVALID,
    en="What is ordered together comes from shops of one zone. Order the rest by itself.",
    ar="ما يُطلب معًا يكون من متاجر منطقة واحدة. اطلب الباقي على حدة.",
)
GROUP_TOO_LARGE = declare(
    "group_too_large",
    RefusalKind.INVALID,
    en="So many gifts cannot be ordered together. Split them into several orders.",
    ar="لا يمكن طلب هذا العدد من الهدايا معًا. قسّمها على عدة طلبات.",
)
ZONE_FULL = declare(
    "zone_full",
    RefusalKind.TOO_MANY,
    en="This zone has all the orders that it can serve. Try again a little later.",
    ar="بلغت هذه المنطقة طاقتها من الطلبات. حاول مرة أخرى بعد قليل.",
)
WINDOW_FULL = declare(
    "window_full",
    RefusalKind.CONFLICT,
    en="This delivery window is fully booked. Choose another one.",
    ar="فترة التوصيل هذه محجوزة بالكامل. اختر فترة أخرى.",
)
WRONG_PIN = declare(
    "wrong_pin",
    RefusalKind.INVALID,
    en="The PIN is wrong. Ask the recipient again.",
    ar="الرمز غير صحيح. اسأل المستلم مرة أخرى.",
)
PIN_LOCKED = declare(
    "pin_locked",
    RefusalKind.TOO_MANY,
    en="Too many wrong PINs. Report a failed attempt or call support.",
    ar="محاولات خاطئة كثيرة للرمز. سجّل محاولة فاشلة أو اتصل بالدعم.",
)
