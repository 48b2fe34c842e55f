"""What payments ask of the world, and what they refuse."""

from engine.kernel.ids import OrderId, PaymentId
from engine.kernel.messages import Effect
from engine.kernel.refusals import RefusalKind, declare
from engine.payments.owed import Lapse


class FollowOrder(Effect, frozen=True, kw_only=True, tag=True):
    """An order that is paid for has come further: its payment is to follow.

    With a `lapse` it is the order's first payment that hears what a supplement does not bring.
    """

    order_id: OrderId
    payment_id: PaymentId
    lapse: Lapse | None = None


class TakePointsBack(Effect, frozen=True, kw_only=True, tag=True):
    """So much of an order was given back by now, after it had given points."""

    order_id: OrderId
    refunded_halalas: int


class ReleaseWallet(Effect, frozen=True, kw_only=True, tag=True):
    """A payment has come to nothing: what was set aside for it in the wallet is free again."""

    payment_id: PaymentId


SPLIT_REFUSED = declare(
    "split_refused",
    RefusalKind.INVALID,
    en="The wallet can pay a part beside a card or PayPal that leaves at least the least amount "
    "to be charged. Ask for less of it, or pay all of it with the wallet.",
    ar="يمكن للمحفظة أن تدفع جزءًا مع بطاقة أو PayPal على ألا يقل الباقي عن الحد الأدنى للخصم. "
    "اطلب مبلغًا أقل منها أو ادفع الكل بالمحفظة.",
)
UNKNOWN_PAYMENT = declare(
    "unknown_payment",
    RefusalKind.NOT_FOUND,
    en="There is no such payment, or it is not yours to see.",
    ar="لا توجد عملية دفع بهذا الرقم أو لا يحق لك الاطلاع عليها.",
)
SOURCE_REFUSED = declare(
    "source_refused",
    RefusalKind.INVALID,
    en="The gateway does not know this token. Let the customer enter the card again.",
    ar="بوابة الدفع لا تعرف هذا الرمز. اطلب من العميل إدخال البطاقة مرة أخرى.",
)
PAYMENT_REQUIRED = declare(
    "payment_required",
    RefusalKind.CONFLICT,
    en="Orders are paid when they are placed. Send the order with a payment.",
    ar="تُدفع الطلبات عند إنشائها. أرسل الطلب مع وسيلة دفع.",
)
PAYMENTS_OFF = declare(
    "payments_off",
    RefusalKind.CONFLICT,
    en="Payments are not taken here. Place the order without one.",
    ar="الدفع غير مفعّل هنا. أنشئ الطلب دون وسيلة دفع.",
)
ORDER_PAID = declare(
    "order_paid",
    RefusalKind.CONFLICT,
    en="This quote is being paid for already. Look at that payment.",
    ar="يجري دفع عرض السعر هذا بالفعل. راجع عملية الدفع تلك.",
)
NOTICE_NOT_GENUINE = declare(
    "notice_not_genuine",
    RefusalKind.FORBIDDEN,
    en="This notice does not carry the secret of our account at the gateway.",
    ar="هذا الإشعار لا يحمل الرمز السري لحسابنا لدى بوابة الدفع.",
)
REFUND_EXCEEDS = declare(
    "refund_exceeds",
    RefusalKind.CONFLICT,
    en="This is more than can still be given back of this payment.",
    ar="المبلغ أكبر مما يمكن استرداده من عملية الدفع هذه.",
)
ONLY_TO_WALLET = declare(
    "only_to_wallet",
    RefusalKind.INVALID,
    en="What was paid in cash goes back into the customer's wallet. Refund it to `wallet`.",
    ar="ما دُفع نقدًا يُعاد إلى محفظة العميل. اختر الاسترداد إلى `wallet`.",
)
NOTHING_OWED = declare(
    "nothing_owed",
    RefusalKind.CONFLICT,
    en="There is nothing to pay for this: it costs no more than was paid, or that is settled.",
    ar="لا يوجد مبلغ مستحق: التكلفة لا تزيد عمّا دُفع، أو تمت تسوية المبلغ.",
)
UNKNOWN_REFUND = declare(
    "unknown_refund",
    RefusalKind.NOT_FOUND,
    en="There is no such refund.",
    ar="لا توجد عملية استرداد بهذا الرقم.",
)
NOT_YOUR_APPROVAL = declare(
    "not_your_approval",
    RefusalKind.FORBIDDEN,
    en="A refund is approved by somebody other than who asked for it.",
    ar="يجب أن يوافق على الاسترداد شخص غير من طلبه.",
)
REFUND_DECIDED = declare(
    "refund_decided",
    RefusalKind.CONFLICT,
    en="This refund was decided on already.",
    ar="تم البت في عملية الاسترداد هذه من قبل.",
)
