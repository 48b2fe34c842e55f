"""Who is told what by text message, in both languages."""

from engine.kernel.ids import EffectId, derived_id
from engine.kernel.messages import Decision, Effect, Event
from engine.kernel.riyals import riyals
from engine.orders.cash import cash_due
from engine.orders.messages import SendSms
from engine.orders.order import CourierReachedDoor, Order, OrderDelivered, OrderPickedUp


def notices_for(decision: Decision) -> tuple[Effect, ...]:
    """The messages that a decision causes; the same decision gives the same ids.

    What happens to an order twice in one decision is told once.
    """
    return tuple(
        notice
        for change in decision.changes
        if isinstance(change.thing, Order)
        for event in {type(one): one for one in change.events}.values()
        for notice in _for_recipient(change.thing, event)
    )


def _for_recipient(order: Order, event: Event) -> tuple[Effect, ...]:
    """The recipient learns the PIN when the gift sets out, and who next door has taken it.

    Of a surprise he learns only when it is at the door.
    """
    announcing = CourierReachedDoor if order.gift.surprise else OrderPickedUp
    if isinstance(event, announcing):
        text = _announcement(order)
    elif isinstance(event, OrderDelivered):
        text = _whereabouts(order)
    else:
        return ()
    if not text or not order.recipient.phone:
        return ()
    notice_id = EffectId(derived_id("notice", order.id, type(event).__name__, str(order.version)))
    return (SendSms(id=notice_id, phone=order.recipient.phone, text=text),)


def _announcement(order: Order) -> str:
    """That it comes, with the PIN and what is to be paid; neither what it is nor from whom."""
    text = (
        f"هدية في طريقها إليك. رمز الاستلام: {order.pin}\n"
        f"A gift is on its way to you. Your PIN for the courier: {order.pin}"
    )
    due = cash_due(order)
    if due:
        amount = riyals(due)
        text += (
            f"\nالمبلغ المطلوب نقدًا عند الاستلام: {amount} ريال\n"
            f"To be paid in cash at the door: SAR {amount}"
        )
    return text


def _whereabouts(order: Order) -> str:
    """Nothing, when it is in the recipient's own hands."""
    who = order.handover.told.left_with if order.handover else ""
    return who and f"هديتك لدى: {who}\nYour gift was left with: {who}"
