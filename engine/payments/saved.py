"""Saved methods: what a customer pays with again, known by the gateway's token alone."""

from typing import Final

from msgspec import Struct

from engine.kernel.ids import UserId, derived_id
from engine.kernel.refusals import RefusalKind, declare
from engine.kernel.timing import Instant
from engine.payments.gateways import Card, GatewayName, Network

SAVED_MAX: Final = 20


class SavedMethod(Struct, frozen=True, kw_only=True):
    """A token with what people know its card by; never the card."""

    id: str
    customer_id: UserId
    gateway: GatewayName
    network: Network
    token: str
    card: Card
    saved_at: Instant


UNKNOWN_METHOD = declare(
    "unknown_method",
    RefusalKind.NOT_FOUND,
    en="There is no such saved method, or it is not yours.",
    ar="لا توجد وسيلة دفع محفوظة بهذا الرقم أو أنها ليست لك.",
)


def method_id(customer_id: UserId, gateway: GatewayName, token: str) -> str:
    """The same for the same token: saving it again changes nothing."""
    return derived_id("saved method", customer_id, gateway.value, token)
