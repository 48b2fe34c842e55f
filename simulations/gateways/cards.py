"""Cards that mean something: which number makes the local payment server do what."""

from enum import StrEnum
from typing import Final

from msgspec import Struct

from engine.payments.gateways import Network


class Silence(StrEnum):
    """When the server falls silent instead of answering."""

    BEFORE = "before"
    AFTER = "after"


class MagicCard(Struct, frozen=True, kw_only=True):
    """How a charge of this card goes.

    `silence` breaks the connection before or after the charge has happened.
    """

    number: str
    network: Network
    meaning: str
    declined: str = ""
    challenged: bool = False
    silence: Silence | None = None


CARDS: Final = (
    MagicCard(number="4201320111111010", network=Network.MADA, meaning="approved"),
    MagicCard(number="4111111111111111", network=Network.VISA, meaning="approved"),
    MagicCard(number="5421080101000000", network=Network.MASTERCARD, meaning="approved"),
    MagicCard(number="340000000900000", network=Network.AMEX, meaning="approved"),
    MagicCard(
        number="4201320000013020",
        network=Network.MADA,
        meaning="approved after 3-D Secure",
        challenged=True,
    ),
    MagicCard(
        number="4000000000003220",
        network=Network.VISA,
        meaning="approved after 3-D Secure",
        challenged=True,
    ),
    MagicCard(
        number="4201320000311101",
        network=Network.MADA,
        meaning="declined, insufficient funds",
        declined="INSUFFICIENT_FUNDS",
    ),
    MagicCard(
        number="4000000000000002",
        network=Network.VISA,
        meaning="declined",
        declined="DECLINED",
    ),
    MagicCard(
        number="4000000000000069",
        network=Network.VISA,
        meaning="declined, expired card",
        declined="EXPIRED_CARD",
    ),
    MagicCard(
        number="4000000000000119",
        network=Network.VISA,
        meaning="approved, but no answer comes",
        silence=Silence.AFTER,
    ),
    MagicCard(
        number="4000000000000127",
        network=Network.VISA,
        meaning="never charged, and no answer comes",
        silence=Silence.BEFORE,
    ),
)
# Whoever approves an order at the local PayPal says by such an account how it goes on.
ACCOUNTS: Final = (
    MagicCard(number="buyer@paypal.example", network=Network.PAYPAL, meaning="approved"),
    MagicCard(
        number="declined@paypal.example",
        network=Network.PAYPAL,
        meaning="approved by the customer, declined by his bank",
        declined="INSTRUMENT_DECLINED",
    ),
    MagicCard(
        number="mute@paypal.example",
        network=Network.PAYPAL,
        meaning="approved, but no answer comes when the money is held or taken",
        silence=Silence.AFTER,
    ),
    MagicCard(
        number="deaf@paypal.example",
        network=Network.PAYPAL,
        meaning="approved, but at first nothing is held or taken, and no answer comes",
        silence=Silence.BEFORE,
    ),
)
BY_NUMBER: Final = {one.number: one for one in (*CARDS, *ACCOUNTS)}
