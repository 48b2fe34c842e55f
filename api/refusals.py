"""What the edge itself refuses, before any rule is asked."""

from engine.kernel.refusals import RefusalKind, declare

INVALID_REQUEST = declare(
    "invalid_request",
    RefusalKind.INVALID,
    en="The request is not as it should be.",
    ar="الطلب غير صحيح الصياغة.",
)
ORIGIN_NOT_ALLOWED = declare(
    "origin_not_allowed",
    RefusalKind.FORBIDDEN,
    en="The socket may not be opened from this web page.",
    ar="لا يُسمح بفتح الاتصال من صفحة الويب هذه.",
)
NOT_AUTHENTICATED = declare(
    "not_authenticated",
    RefusalKind.FORBIDDEN,
    en="Log in first: the access token is missing, wrong or expired.",
    ar="سجّل الدخول أولًا: رمز الوصول مفقود أو خاطئ أو منتهي الصلاحية.",
)
TOKEN_EXPIRED = declare(
    "token_expired",
    RefusalKind.FORBIDDEN,
    en="The access token has expired. Refresh it.",
    ar="انتهت صلاحية رمز الوصول. جدّده.",
)
NO_SUCH_PAGE = declare(
    "no_such_page",
    RefusalKind.NOT_FOUND,
    en="There is nothing at this address.",
    ar="لا يوجد شيء في هذا العنوان.",
)
METHOD_NOT_ALLOWED = declare(
    "method_not_allowed",
    RefusalKind.INVALID,
    en="This address does not know this method.",
    ar="هذا العنوان لا يقبل هذه الطريقة.",
)
TOO_LARGE = declare(
    "too_large",
    RefusalKind.INVALID,
    en="The request is too large.",
    ar="حجم الطلب كبير جدًا.",
)
TOO_SLOW = declare(
    "too_slow",
    RefusalKind.INVALID,
    en="The request took too long to arrive.",
    ar="استغرق وصول الطلب وقتًا طويلًا.",
)
IF_MATCH_MISSING = declare(
    "if_match_missing",
    RefusalKind.INVALID,
    en="Send If-Match with the version that you saw, so that nobody's change is lost.",
    ar="أرسل If-Match مع النسخة التي رأيتها حتى لا يضيع تعديل أحد.",
)
INTERNAL_ERROR = declare(
    "internal_error",
    RefusalKind.UNAVAILABLE,
    en="Something is broken on our side; it has been recorded.",
    ar="حدث خلل من جانبنا وقد سُجّل.",
)
QUOTA_EXCEEDED = declare(
    "quota_exceeded",
    RefusalKind.TOO_MANY,
    en="That was too often. Wait as long as Retry-After says.",
    ar="طلبات كثيرة جدًا. انتظر المدة المذكورة في Retry-After.",
)
TOO_MANY_AT_ONCE = declare(
    "too_many_at_once",
    RefusalKind.TOO_MANY,
    en="Too many of your requests are being carried out at once.",
    ar="عدد كبير من طلباتك قيد التنفيذ في الوقت نفسه.",
)
OVERLOADED = declare(
    "overloaded",
    RefusalKind.UNAVAILABLE,
    en="There is too much to do just now. Ask again in a moment.",
    ar="الضغط مرتفع حاليًا. أعد المحاولة بعد لحظات.",
)
STILL_RUNNING = declare(
    "still_running",
    RefusalKind.CONFLICT,
    en="The same request is still being carried out. Ask again in a moment.",
    ar="لا يزال الطلب نفسه قيد التنفيذ. أعد المحاولة بعد لحظات.",
)
BAD_POSITION = declare(
    "bad_position",
    RefusalKind.INVALID,
    en="Positions were dropped: out of range, from the future, or older than the last.",
    ar="أُهملت مواقع: خارج النطاق أو من المستقبل أو أقدم من آخر موقع.",
)
NO_SUCH_CHANNEL = declare(
    "no_such_channel",
    RefusalKind.NOT_FOUND,
    en="There is no such channel, or it is not yours to see.",
    ar="لا توجد قناة بهذا الاسم أو لا يحق لك متابعتها.",
)
TOO_MANY_CHANNELS = declare(
    "too_many_channels",
    RefusalKind.TOO_MANY,
    en="This socket is subscribed to too many channels.",
    ar="هذا الاتصال مشترك في قنوات كثيرة جدًا.",
)
