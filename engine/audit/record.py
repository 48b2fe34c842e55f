"""A record of the audit log: what was done for ever, and the circumstances as long as allowed."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from msgspec import Struct

from engine.kernel.ids import UserId
from engine.kernel.messages import Caller, Role
from engine.kernel.timing import Instant


class Action(StrEnum):
    """What is recorded when it is done by, or to, somebody in charge."""

    CREATE_ZONE = "create_zone"
    CHANGE_PARAMETERS = "change_parameters"
    CHANGE_SHOPS = "change_shops"
    MOVE_ZONE = "move_zone"
    PLACE_ORDER = "place_order"
    CANCEL_ORDER = "cancel_order"
    UNASSIGN_ORDER = "unassign_order"
    CORRECT_INVOICE = "correct_invoice"
    CERTIFY_UNIT = "certify_unit"
    JUDGE_PROFILE = "judge_profile"
    LIMIT_OPERATOR = "limit_operator"
    INVITE = "invite"
    RESEND_INVITATION = "resend_invitation"
    REVOKE_INVITATION = "revoke_invitation"
    ACCEPT_INVITATION = "accept_invitation"
    LOG_IN = "log_in"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - what was done
    CHANGE_PASSWORD = "change_password"  # noqa: S105 - what was done
    MOVE_PHONE = "move_phone"
    UNDO_PHONE_MOVE = "undo_phone_move"
    SEE_TRAIL = "see_trail"
    OPEN_DISPUTE = "open_dispute"
    CLOSE_DISPUTE = "close_dispute"
    GIVE_CREDIT = "give_credit"
    CORRECT_BOOKS = "correct_books"
    WRITE_OFF = "write_off"
    JUDGE_BREAK = "judge_break"
    DEPOSIT_CASH = "deposit_cash"
    CLOSE_PERIOD = "close_period"
    ASK_EXPORT = "ask_export"
    ASK_ERASURE = "ask_erasure"
    WITHDRAW_ERASURE = "withdraw_erasure"
    EXPORT_PERSON = "export_person"
    FETCH_EXPORT = "fetch_export"
    ERASE_PERSON = "erase_person"


class Act(Struct, frozen=True, kw_only=True):
    """Who did what to whom or what, kept for ever: nothing but ids may point to a person.

    `role` is None for who has proven himself by a link or a code that leaves his role open.
    `subject` is `kind:id`; `before` and `after` are what changed, where that matters.
    """

    at: Instant
    action: Action
    actor: UserId
    role: Role | None = None
    subject: str
    before: Mapping[str, Any] = {}
    after: Mapping[str, Any] = {}


class Circumstances(Struct, frozen=True, kw_only=True):
    """From where, and why: personal, and so the part that can be forgotten."""

    place: str = ""
    reason: str = ""


class AuditRecord(Struct, frozen=True, kw_only=True):
    """An act and its circumstances, on their way into the audit log."""

    act: Act
    circumstances: Circumstances


def acted(
    caller: Caller,
    action: Action,
    subject: str,
    *,
    at: Instant,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
) -> AuditRecord:
    """The record of what a caller did."""
    act = Act(
        at=at,
        action=action,
        actor=caller.user_id,
        role=caller.role,
        subject=subject,
        before=before or {},
        after=after or {},
    )
    return AuditRecord(act=act, circumstances=Circumstances(place=caller.place, reason=reason))


def acted_on_oneself(
    user_id: UserId, action: Action, *, role: Role | None, place: str, at: Instant
) -> AuditRecord:
    """The record of what somebody did to his own way in."""
    act = Act(at=at, action=action, actor=user_id, role=role, subject=f"user:{user_id}")
    return AuditRecord(act=act, circumstances=Circumstances(place=place))
