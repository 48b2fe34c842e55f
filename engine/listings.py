"""Every list that can be asked for over REST: its orders and its filters, declared here alone."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from engine.audit.refused import RefusedKind
from engine.invoices.submission import SubmissionStatus
from engine.kernel.filters import Column, Kind
from engine.kernel.listing import Listing
from engine.money.breaks import BreakStatus
from engine.money.reconciliation import BreakKind
from engine.orders.gift_link import GiftLinkStatus
from engine.orders.order import OrderStatus
from engine.payments.gateways import GatewayName
from engine.payments.history import HistoryKind
from engine.payments.payment import PaymentStatus
from engine.payouts.dispute import DisputeStatus
from engine.payouts.payout import PayoutStatus
from engine.privacy.consents import ConsentPurpose
from engine.privacy.requests import RequestKind, RequestStatus


def _status(choices: Iterable[StrEnum], says: str) -> Column:
    names = tuple(one.value for one in choices)
    return Column(name="status", kind=Kind.CHOICE, says=says, choices=names)


def _at(name: str, says: str, *, path: str = "") -> Column:
    return Column(name=name, kind=Kind.INSTANT, says=says, path=path)


def _number(name: str, says: str = "") -> Column:
    return Column(name=name, kind=Kind.NUMBER, says=says)


_PLACED_AT: Final = _at("placed_at", "When it was placed.")
_MADE_AT: Final = _at("made_at", "When it was made.")
_OPENED_AT: Final = _at("opened_at", "When it was opened.")
_SENT_AT: Final = _at("sent_at", "When it was last sent.")
_HALALAS: Final = _number("halalas", "What is held.")
_ASKED_AT: Final = _at("asked_at", "When it was asked.", path="asked.at")
_NUMBER: Final = _number("number", "Its place in the log.")
_DONE_AT: Final = _at("at", "When it was done.", path="act.at")

ORDERS: Final = Listing(
    name="orders",
    orders=(_PLACED_AT,),
    filters=(
        _status(OrderStatus, "In one of these steps."),
        _PLACED_AT,
        _number("total_halalas", "What it costs."),
    ),
)
CHAT_MESSAGES: Final = Listing(
    name="chat_messages", orders=(_number("number", "Its place in the conversation."),), tie=None
)
PAST_WORK: Final = Listing(
    name="past_work",
    orders=(_PLACED_AT,),
    filters=(_status(OrderStatus, "In one of these steps."), _PLACED_AT),
)
ORDER_SEARCH: Final = Listing(
    name="order_search",
    orders=(_PLACED_AT,),
    filters=(
        *PAST_WORK.filters,
        Column(name="zone_id", kind=Kind.ID, says="Of this zone alone."),
    ),
)
_GATEWAY: Final = Column(
    name="gateway",
    kind=Kind.CHOICE,
    says="Through one of these.",
    choices=tuple(one.value for one in GatewayName),
)
PAYMENTS: Final = Listing(
    name="payments",
    orders=(_MADE_AT,),
    filters=(
        _status(PaymentStatus, "Those that stand so."),
        _GATEWAY,
        Column(name="order_id", kind=Kind.ID, says="For this order.", path="for_order_id"),
        _MADE_AT,
        _number("amount_halalas", "What was to be paid."),
    ),
)
PAYMENT_SEARCH: Final = Listing(
    name="payment_search",
    orders=(_MADE_AT,),
    filters=(
        *PAYMENTS.filters,
        Column(name="customer_id", kind=Kind.ID, says="Of this customer."),
        Column(name="reference", kind=Kind.TEXT, says="Known to its gateway by this."),
    ),
)
PAYOUTS: Final = Listing(
    name="payouts",
    orders=(_MADE_AT,),
    filters=(_status(PayoutStatus, "Those that stand so."), _MADE_AT),
)
GIFT_LINKS: Final = Listing(
    name="gift_links",
    orders=(_MADE_AT,),
    filters=(_status(GiftLinkStatus, "Those that stand so."), _MADE_AT),
)
SETTLEMENT_RUNS: Final = Listing(
    name="settlement_runs", orders=(_MADE_AT,), filters=(_GATEWAY, _MADE_AT)
)
_SINCE_AT: Final = _at("since_at", "When the oldest of it was booked, or it was first seen.")
# The oldest first: what is not explained soon never is.
SETTLEMENT_BREAKS: Final = Listing(
    name="settlement_breaks",
    orders=(_SINCE_AT,),
    filters=(
        _status(BreakStatus, "Those that stand so."),
        _GATEWAY,
        Column(
            name="kind",
            kind=Kind.CHOICE,
            says="Of one of these.",
            choices=tuple(one.value for one in BreakKind),
        ),
        Column(name="about", kind=Kind.TEXT, says="About this, as `order:id`."),
        _SINCE_AT,
    ),
    descending=False,
)
DISPUTES: Final = Listing(
    name="disputes",
    orders=(_OPENED_AT, _HALALAS),
    filters=(
        Column(
            name="status",
            kind=Kind.CHOICE,
            says="Those that stand so.",
            choices=tuple(one.value for one in DisputeStatus),
            is_single=True,
            default=DisputeStatus.OPEN.value,
        ),
        Column(name="courier_id", kind=Kind.ID, says="Against this courier."),
        _OPENED_AT,
        _HALALAS,
    ),
)
_REQUEST_KIND: Final = Column(
    name="kind",
    kind=Kind.CHOICE,
    says="That ask for one of these.",
    choices=tuple(one.value for one in RequestKind),
)
_REQUESTED_AT: Final = _at("asked_at", "When it was asked.")
PRIVACY_REQUESTS: Final = Listing(
    name="privacy_requests",
    orders=(_REQUESTED_AT,),
    filters=(_REQUEST_KIND, _status(RequestStatus, "Those that stand so."), _REQUESTED_AT),
)
# The oldest first: each has a month by law.
OPEN_PRIVACY_REQUESTS: Final = Listing(
    name="open_privacy_requests",
    orders=(_REQUESTED_AT,),
    filters=(_REQUEST_KIND, _REQUESTED_AT),
    descending=False,
)
_PURPOSE: Final = Column(
    name="purpose",
    kind=Kind.CHOICE,
    says="To one of these.",
    choices=tuple(one.value for one in ConsentPurpose),
)
CONSENTS: Final = Listing(
    name="consents",
    orders=(_at("given_at", "When it was given."),),
    filters=(_PURPOSE,),
    tie=_PURPOSE,
)
INVITATIONS: Final = Listing(name="invitations", orders=(_SENT_AT,), filters=(_SENT_AT,))
AUDIT_LOG: Final = Listing(
    name="audit_log",
    orders=(_NUMBER, _DONE_AT),
    filters=(
        Column(name="subject", kind=Kind.TEXT, says="To this, as `kind:id`.", path="act.subject"),
        Column(name="actor", kind=Kind.ID, says="By this user.", path="act.actor"),
        _DONE_AT,
    ),
    tie=_NUMBER,
)
_ISSUED_AT: Final = _at("issued_at", "When it was issued.")
SUBMISSIONS: Final = Listing(
    name="submissions",
    orders=(_ISSUED_AT,),
    filters=(_status(SubmissionStatus, "Those that stand so."), _ISSUED_AT),
)
_LAST_AT: Final = _at("last_at", "When it was refused last.")
REFUSED_TRIES: Final = Listing(
    name="refused_tries",
    orders=(_LAST_AT,),
    filters=(
        Column(
            name="kind",
            kind=Kind.CHOICE,
            says="Of one of these.",
            choices=tuple(one.value for one in RefusedKind),
        ),
        Column(name="code", kind=Kind.TEXT, says="With this code."),
        Column(name="subject", kind=Kind.TEXT, says="To this one, as it is told."),
        Column(name="place", kind=Kind.TEXT, says="From this network, as it is told."),
        _LAST_AT,
    ),
)
SHEETS: Final = Listing(name="sheets", orders=(_ASKED_AT,), filters=(_ASKED_AT,))
WHAT_IFS: Final = Listing(
    name="what_ifs",
    orders=(_ASKED_AT,),
    filters=(_ASKED_AT,),
)
STATEMENT: Final = Listing(name="statement", orders=(_number("number"),), tie=None)
PAYMENT_HISTORY: Final = Listing(
    name="payment_history",
    orders=(_number("number"),),
    filters=(
        Column(
            name="kind",
            kind=Kind.CHOICE,
            says="Of one of these.",
            choices=tuple(one.value for one in HistoryKind),
        ),
        _at("at", "When it was entered."),
    ),
    tie=None,
)
ZONES: Final = Listing(
    name="zones", orders=(Column(name="name_en", kind=Kind.TEXT),), descending=False
)
PARAMETERS: Final = Listing(name="parameters", orders=(_number("version"),), tie=None)
TIMELINE: Final = Listing(
    name="timeline", orders=(_number("version"),), tie=_number("position"), descending=False
)
OFFERS: Final = Listing(name="offers", orders=(_at("made_at", ""),), descending=False)
