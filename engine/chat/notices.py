"""What somebody is sent whose phone has not got a message: that there is one, not what it says."""

from engine.identity.profiles import Language
from engine.orders.order import Order


def notice_text(order: Order, language: Language) -> str:
    """In his own language."""
    if language is Language.ENGLISH:
        return f"You have a new message about order {order.code}. Open the app to read it."
    return f"لديك رسالة جديدة بخصوص الطلب {order.code}. افتح التطبيق لقراءتها."
