"""Who is told what of a gift link by text message, in both languages; never what the gift is."""

from engine.kernel.ids import EffectId, derived_id
from engine.orders.gift_link import REMINDERS, GiftLink, GiftLinkStatus
from engine.orders.messages import SendSms

_TO_SENDER = {
    GiftLinkStatus.PLACED: (
        "وصل عنوان هديتك وبدأ تجهيزها.",
        "Your gift has an address now and is on its way into the world.",
    ),
    GiftLinkStatus.DECLINED: (
        "اعتذر المستلم عن قبول هديتك، وسيُعاد إليك ما دفعته.",
        "Your gift was declined with thanks. What you paid goes back to you.",
    ),
    GiftLinkStatus.EXPIRED: (
        "انتهت صلاحية رابط هديتك دون عنوان، وسيُعاد إليك ما دفعته.",
        "Your gift link has expired without an address. What you paid goes back to you.",
    ),
    GiftLinkStatus.OPEN: (
        "ما زالت هديتك بانتظار عنوان المستلم. ذكّره بالرابط.",
        "Your gift still waits for an address. You may want to mention the link.",
    ),
}


def notices_of(link: GiftLink, *, url: str, sender_phone: str) -> tuple[SendSms, ...]:
    """What a link that has just become this tells whom; the same link gives the same ids.

    Its recipient is reminded `REMINDERS` times, and its sender with the last of them. Of a surprise
    only its sender is, each time: he knows how to ask for an address without spoiling it.
    """
    found = []
    is_surprise = link.gift.surprise
    if link.status is GiftLinkStatus.OPEN and link.recipient.phone and not is_surprise:
        text = f"هدية بانتظار عنوانك: {url}\nA gift waits for your address: {url}"
        found.append(_sms(link, "recipient", link.recipient.phone, text))
    is_early = link.status is GiftLinkStatus.OPEN and link.reminded < REMINDERS and not is_surprise
    if sender_phone and link.status in _TO_SENDER and not is_early:
        found.append(_sms(link, "sender", sender_phone, "\n".join(_TO_SENDER[link.status])))
    return tuple(found)


def _sms(link: GiftLink, to: str, phone: str, text: str) -> SendSms:
    name = derived_id("gift link notice", link.id, to, str(link.version))
    return SendSms(id=EffectId(name), phone=phone, text=text)
