"""Who may do what: deny by default, declared once for every command and every question."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct

from engine.couriers.messages import (
    AcceptOffer,
    AcknowledgeOffer,
    DeclineOffer,
    EndBreak,
    GoOffDuty,
    GoOnDuty,
    ReachWaitingPoint,
    ReportProgress,
    TakeBreak,
)
from engine.geo.moving import MoveZone
from engine.geo.shops import ChangeZoneShops
from engine.geo.zone import ChangeZoneParameters, CreateZone
from engine.kernel.messages import Caller, Command, Role
from engine.money.cash import DepositCash
from engine.orders.messages import CancelOrder, ChangeOrder, PlaceOrder, PlaceOrders, UnassignOrder


class Permission(StrEnum):
    """What is asked or done without a command of the engine."""

    SEE_ONESELF = "see_oneself"
    EDIT_PROFILE = "edit_profile"
    CHANGE_PHONE = "change_phone"
    CHANGE_PASSWORD = "change_password"  # noqa: S105 - what is done
    STEP_UP = "step_up"
    GET_STEP_UP_CODE = "get_step_up_code"
    SEE_SESSIONS = "see_sessions"
    END_SESSIONS = "end_sessions"
    ASK_QUOTE = "ask_quote"
    LIST_ORDERS = "list_orders"
    KEEP_SHEETS = "keep_sheets"
    SEARCH_ORDERS = "search_orders"
    SEE_ORDER = "see_order"
    SEE_DISPATCH = "see_dispatch"
    SEE_WORK = "see_work"
    SEND_POSITIONS = "send_positions"
    SEE_TRAIL = "see_trail"
    SEE_ZONES = "see_zones"
    WATCH_ZONE = "watch_zone"
    SEE_PARAMETERS = "see_parameters"
    SEE_METRICS = "see_metrics"
    TRY_WHAT_IF = "try_what_if"
    JUDGE_COURIERS = "judge_couriers"
    KEEP_DRAFTS = "keep_drafts"
    SHARE_ORDER = "share_order"
    MAKE_GIFT_LINKS = "make_gift_links"
    CORRECT_INVOICES = "correct_invoices"
    PAY = "pay"
    SEE_PAYMENT = "see_payment"
    REFUND = "refund"
    APPROVE_REFUNDS = "approve_refunds"
    WRITE_OFF = "write_off"
    RECONCILE = "reconcile"
    SEE_WALLET = "see_wallet"
    SEE_CASH = "see_cash"
    TIP_COURIER = "tip_courier"
    BE_PAID_OUT = "be_paid_out"
    USE_POINTS = "use_points"
    GIVE_CREDIT = "give_credit"
    SEE_BOOKS = "see_books"
    CLOSE_BOOKS = "close_books"
    CORRECT_BOOKS = "correct_books"
    JUDGE_DISPUTES = "judge_disputes"
    INVITE_STAFF = "invite_staff"
    LIMIT_STAFF = "limit_staff"
    SEE_AUDIT_LOG = "see_audit_log"
    SEND_FILES = "send_files"
    CONVERSE = "converse"
    ASK_FOR_ONESELF = "ask_for_oneself"
    ASK_FOR_OTHERS = "ask_for_others"


class Grant(Struct, frozen=True, kw_only=True):
    """In which roles it is allowed; `everywhere`: only to who is limited to no zones."""

    roles: frozenset[Role]
    everywhere: bool = False


def _to(*roles: Role, everywhere: bool = False) -> Grant:
    return Grant(roles=frozenset(roles), everywhere=everywhere)


Deed = type[Command] | Permission
_PEOPLE = (Role.CUSTOMER, Role.COURIER, Role.OPERATOR, Role.ADMIN)

GRANTS: Final[Mapping[Deed, Grant]] = {
    PlaceOrder: _to(Role.CUSTOMER, Role.OPERATOR),
    PlaceOrders: _to(Role.CUSTOMER),
    CancelOrder: _to(Role.CUSTOMER, Role.OPERATOR),
    ChangeOrder: _to(Role.CUSTOMER, Role.OPERATOR),
    UnassignOrder: _to(Role.COURIER, Role.OPERATOR),
    GoOnDuty: _to(Role.COURIER),
    GoOffDuty: _to(Role.COURIER),
    TakeBreak: _to(Role.COURIER),
    EndBreak: _to(Role.COURIER),
    AcknowledgeOffer: _to(Role.COURIER),
    AcceptOffer: _to(Role.COURIER),
    DeclineOffer: _to(Role.COURIER),
    ReportProgress: _to(Role.COURIER),
    ReachWaitingPoint: _to(Role.COURIER),
    DepositCash: _to(Role.OPERATOR),
    CreateZone: _to(Role.OPERATOR, everywhere=True),
    ChangeZoneParameters: _to(Role.OPERATOR),
    ChangeZoneShops: _to(Role.OPERATOR),
    MoveZone: _to(Role.OPERATOR, Role.ADMIN, everywhere=True),
    Permission.SEE_ONESELF: _to(*_PEOPLE),
    Permission.EDIT_PROFILE: _to(*_PEOPLE),
    Permission.CHANGE_PHONE: _to(Role.CUSTOMER, Role.COURIER),
    Permission.CHANGE_PASSWORD: _to(Role.OPERATOR, Role.ADMIN),
    Permission.STEP_UP: _to(*_PEOPLE),
    Permission.GET_STEP_UP_CODE: _to(Role.CUSTOMER, Role.COURIER),
    Permission.SEE_SESSIONS: _to(*_PEOPLE),
    Permission.END_SESSIONS: _to(*_PEOPLE),
    Permission.ASK_QUOTE: _to(Role.CUSTOMER, Role.OPERATOR),
    Permission.KEEP_SHEETS: _to(*_PEOPLE),
    Permission.LIST_ORDERS: _to(Role.CUSTOMER, Role.OPERATOR),
    Permission.SEARCH_ORDERS: _to(Role.OPERATOR, Role.ADMIN),
    Permission.SEE_ORDER: _to(Role.CUSTOMER, Role.OPERATOR),
    Permission.SEE_DISPATCH: _to(Role.OPERATOR),
    Permission.SEE_WORK: _to(Role.COURIER),
    Permission.SEND_POSITIONS: _to(Role.COURIER),
    Permission.SEE_TRAIL: _to(Role.OPERATOR),
    Permission.SEE_ZONES: _to(Role.OPERATOR),
    Permission.WATCH_ZONE: _to(Role.OPERATOR),
    Permission.SEE_PARAMETERS: _to(Role.OPERATOR),
    Permission.SEE_METRICS: _to(Role.OPERATOR),
    Permission.TRY_WHAT_IF: _to(Role.OPERATOR),
    Permission.JUDGE_COURIERS: _to(Role.OPERATOR, everywhere=True),
    Permission.SHARE_ORDER: _to(Role.CUSTOMER, Role.OPERATOR),
    Permission.MAKE_GIFT_LINKS: _to(Role.CUSTOMER, Role.OPERATOR),
    Permission.CORRECT_INVOICES: _to(Role.OPERATOR, everywhere=True),
    Permission.KEEP_DRAFTS: _to(Role.CUSTOMER),
    Permission.PAY: _to(Role.CUSTOMER),
    Permission.SEE_PAYMENT: _to(Role.CUSTOMER, Role.OPERATOR),
    Permission.REFUND: _to(Role.OPERATOR),
    Permission.APPROVE_REFUNDS: _to(Role.OPERATOR, everywhere=True),
    Permission.WRITE_OFF: _to(Role.OPERATOR),
    Permission.RECONCILE: _to(Role.OPERATOR, Role.ADMIN, everywhere=True),
    Permission.SEE_WALLET: _to(Role.CUSTOMER, Role.COURIER),
    Permission.SEE_CASH: _to(Role.COURIER, Role.OPERATOR),
    Permission.TIP_COURIER: _to(Role.CUSTOMER),
    Permission.BE_PAID_OUT: _to(Role.COURIER),
    Permission.USE_POINTS: _to(Role.CUSTOMER),
    Permission.SEE_BOOKS: _to(Role.ADMIN),
    Permission.CORRECT_BOOKS: _to(Role.ADMIN),
    Permission.CLOSE_BOOKS: _to(Role.ADMIN),
    Permission.GIVE_CREDIT: _to(Role.OPERATOR, Role.ADMIN, everywhere=True),
    Permission.JUDGE_DISPUTES: _to(Role.OPERATOR, Role.ADMIN, everywhere=True),
    Permission.INVITE_STAFF: _to(Role.ADMIN),
    Permission.LIMIT_STAFF: _to(Role.ADMIN),
    Permission.SEE_AUDIT_LOG: _to(Role.ADMIN),
    Permission.SEND_FILES: _to(Role.CUSTOMER, Role.COURIER, Role.OPERATOR),
    Permission.CONVERSE: _to(Role.CUSTOMER, Role.COURIER, Role.OPERATOR),
    Permission.ASK_FOR_ONESELF: _to(*_PEOPLE),
    Permission.ASK_FOR_OTHERS: _to(Role.ADMIN),
}
# What is said of a courier by somebody else.
_OF_OTHERS: Final = frozenset({DepositCash})
SENDABLE: Final = frozenset(deed for deed in GRANTS if isinstance(deed, type))


def may(caller: Caller, deed: Deed) -> bool:
    """Whether it is allowed to him at all: whose thing it is, is another question.

    Commands that are not in the table come from the clock, never from a caller.
    """
    grant = GRANTS.get(deed)
    if grant is None or caller.role not in grant.roles:
        return False
    return not grant.everywhere or caller.zones is None


def may_send(caller: Caller, command: Command) -> bool:
    """Whether he may send this command, in nobody else's name and in his zones."""
    if not may(caller, type(command)):
        return False
    zone_id = getattr(command, "zone_id", None)
    if zone_id is not None and not caller.may_act_in(zone_id):
        return False
    courier_id, author = getattr(command, "courier_id", None), getattr(command, "author", None)
    if type(command) in _OF_OTHERS:
        courier_id = None
    himself = (None, caller.user_id)
    return courier_id in himself and author in himself
