"""Who receives a gift, as the edge takes it."""

from api.bodies import RecipientBody
from api.errors import Refused
from engine.identity.phone import BAD_PHONE, mobile_in_e164
from engine.orders.order import Recipient


def recipient_of(body: RecipientBody) -> Recipient:
    """With the phone in one spelling; raises `Refused` when it is none."""
    if not body.phone:
        return Recipient(name=body.name)
    phone = mobile_in_e164(body.phone)
    if phone is None:
        raise Refused(BAD_PHONE(pointer="/recipient/phone"))
    return Recipient(name=body.name, phone=phone)
