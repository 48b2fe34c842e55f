"""STC Pay as Moyasar offers it: a mobile is charged when its owner tells the code that he was sent.

Mobiles and codes that mean something are those of Moyasar's own sandbox.
"""

from typing import Final

from msgspec import Struct

from engine.payments.gateways import Network
from simulations.gateways.cards import MagicCard
from simulations.gateways.server import Request
from simulations.gateways.till import Charge, Refused


class MagicCode(Struct, frozen=True, kw_only=True):
    """What becomes of a charge when its owner tells this code; `declined` is why it fails."""

    code: str
    meaning: str
    declined: str = ""


def _mobile(number: str, meaning: str, declined: str) -> MagicCard:
    return MagicCard(
        number=number, network=Network.STC_PAY, meaning=meaning, declined=declined, challenged=False
    )


MOBILES: Final = (
    _mobile(
        "0515555555",
        "declined, no account of STC Pay",
        "Mobile number is not registered to use the STC Pay service.",
    ),
    _mobile(
        "0515555557",
        "declined, the account is not in order",
        "The customer account status is invalid, please contact STC Pay support.",
    ),
)
RIGHT: Final = "123456"
WRONG: Final = "999999"
CODES: Final = (
    MagicCode(code=RIGHT, meaning="approved"),
    MagicCode(
        code="111111", meaning="declined, too little there", declined="Insufficient Balance."
    ),
    MagicCode(
        code="333333",
        meaning="declined, more than may be paid at once",
        declined="You have exceeded the maximum allowed transaction amount.",
    ),
    MagicCode(code=WRONG, meaning="declined, as every other code is", declined="Invalid OTP"),
)


def account_of(mobile: str) -> MagicCard:
    """The account behind a mobile; raises `Refused` for what is none."""
    if not (mobile.startswith("05") and len(mobile) == 10 and mobile.isdigit()):
        raise Refused("invalid_request_error")
    known = next((one for one in MOBILES if one.number == mobile), None)
    return known or MagicCard(
        number=mobile, network=Network.STC_PAY, meaning="approved by its code", challenged=True
    )


def is_told(charge: Charge, request: Request) -> bool:
    """Whether its owner told the right code; why not is kept with the charge."""
    told = request.query.get("otp_value") or _in_body(request)
    known = next((one for one in CODES if one.code == told), CODES[-1])
    charge.more["message"] = known.declined
    return not charge.more["message"]


def _in_body(request: Request) -> str:
    is_json = request.headers.get("content-type", "").startswith("application/json")
    return str((request.json() if is_json else request.form()).get("otp_value", ""))
