"""Who may do what: every route and every frame for every role, as the table of grants says."""

from contextlib import suppress
from typing import Any, get_args

import pytest
from websockets.exceptions import ConnectionClosed

from api.route_table import deeds_of, routes_of
from api.sockets.frames import Incoming
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
from engine.identity.access import GRANTS, Deed, Permission
from engine.kernel.messages import Role
from engine.money.cash import DepositCash
from engine.orders.messages import CancelOrder, ChangeOrder, PlaceOrder, PlaceOrders, UnassignOrder
from tests.api.town import ON_DUTY, QUOTE, Person, Town
from tests.builders import new_id

ID = "00000000-0000-7000-8000-00000000000f"
# What each route is about: whom the table does not name is told 403, and without a token 401.
ROUTES: list[tuple[str, str, object, Deed]] = [
    ("GET", "/v1/me", None, Permission.SEE_ONESELF),
    ("POST", "/v1/phone/codes", {"phone": "x"}, Permission.CHANGE_PHONE),
    ("PUT", "/v1/phone", {}, Permission.CHANGE_PHONE),
    ("POST", "/v1/auth/password/change", {}, Permission.CHANGE_PASSWORD),
    ("POST", "/v1/auth/step-up", {}, Permission.STEP_UP),
    ("POST", "/v1/auth/step-up/code", None, Permission.GET_STEP_UP_CODE),
    ("GET", "/v1/profile", None, Permission.SEE_ONESELF),
    ("PATCH", "/v1/profile", {}, Permission.EDIT_PROFILE),
    ("POST", "/v1/profile/email/verification", None, Permission.EDIT_PROFILE),
    ("POST", "/v1/staff/invitations", {}, Permission.INVITE_STAFF),
    ("GET", "/v1/staff/invitations", None, Permission.INVITE_STAFF),
    ("POST", f"/v1/staff/invitations/{ID}/resend", None, Permission.INVITE_STAFF),
    ("DELETE", f"/v1/staff/invitations/{ID}", None, Permission.INVITE_STAFF),
    ("PUT", f"/v1/staff/{ID}/status", {}, Permission.LIMIT_STAFF),
    ("PUT", f"/v1/operators/{ID}/zones", {"zones": None}, Permission.LIMIT_STAFF),
    (
        "PUT",
        f"/v1/couriers/{ID}/status",
        {"status": "active", "reason": "x"},
        Permission.JUDGE_COURIERS,
    ),
    ("GET", "/v1/audit-log", None, Permission.SEE_AUDIT_LOG),
    ("POST", "/v1/settlement-runs", {}, Permission.RECONCILE),
    ("GET", "/v1/settlement-runs", None, Permission.RECONCILE),
    ("GET", "/v1/settlement-feeds", None, Permission.RECONCILE),
    ("GET", "/v1/settlement-breaks", None, Permission.RECONCILE),
    ("GET", f"/v1/settlement-breaks/{ID}", None, Permission.RECONCILE),
    ("POST", f"/v1/settlement-breaks/{ID}/decision", {}, Permission.RECONCILE),
    ("POST", f"/v1/settlement-breaks/{ID}/approval", {}, Permission.RECONCILE),
    ("GET", "/v1/refused-tries", None, Permission.SEE_AUDIT_LOG),
    ("GET", "/v1/invoice-submissions", None, Permission.SEE_BOOKS),
    ("GET", "/v1/payment-search", None, Permission.SEE_BOOKS),
    ("GET", "/v1/payment-search.csv", None, Permission.SEE_BOOKS),
    ("GET", "/v1/payments.csv", None, Permission.PAY),
    ("GET", "/v1/payment-history", None, Permission.PAY),
    ("GET", "/v1/payment-history.csv", None, Permission.PAY),
    ("GET", f"/v1/customers/{ID}/payment-history", None, Permission.SEE_BOOKS),
    ("GET", f"/v1/customers/{ID}/payment-history.csv", None, Permission.SEE_BOOKS),
    ("POST", "/v1/privacy/exports", None, Permission.ASK_FOR_ONESELF),
    ("POST", "/v1/privacy/erasure", None, Permission.ASK_FOR_ONESELF),
    ("DELETE", "/v1/privacy/erasure", None, Permission.ASK_FOR_ONESELF),
    ("GET", "/v1/privacy/requests", None, Permission.ASK_FOR_ONESELF),
    ("GET", "/v1/privacy/consents", None, Permission.ASK_FOR_ONESELF),
    ("PUT", "/v1/privacy/consents/terms", {"wording": "1"}, Permission.ASK_FOR_ONESELF),
    ("DELETE", "/v1/privacy/consents/terms", None, Permission.ASK_FOR_ONESELF),
    ("POST", "/v1/privacy-requests", {}, Permission.ASK_FOR_OTHERS),
    ("GET", "/v1/privacy-requests", None, Permission.ASK_FOR_OTHERS),
    ("GET", f"/v1/privacy-requests/{ID}", None, Permission.ASK_FOR_OTHERS),
    ("GET", "/v1/sessions", None, Permission.SEE_SESSIONS),
    ("DELETE", f"/v1/sessions/{ID}", None, Permission.END_SESSIONS),
    ("POST", "/v1/quotes", QUOTE, Permission.ASK_QUOTE),
    ("GET", "/v1/company", None, Permission.PAY),
    ("PUT", "/v1/company", {}, Permission.PAY),
    ("DELETE", "/v1/company", None, Permission.PAY),
    ("POST", "/v1/sheets/orders", None, Permission.LIST_ORDERS),
    ("POST", "/v1/sheets/order-search", None, Permission.SEARCH_ORDERS),
    ("POST", "/v1/sheets/past-work", None, Permission.SEE_WORK),
    ("POST", "/v1/sheets/payments", None, Permission.PAY),
    ("POST", "/v1/sheets/payment-search", None, Permission.SEE_BOOKS),
    ("POST", "/v1/sheets/payment-history", None, Permission.PAY),
    ("GET", "/v1/sheets", None, Permission.KEEP_SHEETS),
    ("GET", f"/v1/sheets/{ID}", None, Permission.KEEP_SHEETS),
    ("POST", f"/v1/sheets/{ID}/cancel", None, Permission.KEEP_SHEETS),
    ("POST", "/v1/drafts", {}, Permission.KEEP_DRAFTS),
    ("GET", "/v1/drafts", None, Permission.KEEP_DRAFTS),
    ("GET", f"/v1/drafts/{ID}", None, Permission.KEEP_DRAFTS),
    ("PUT", f"/v1/drafts/{ID}", {}, Permission.KEEP_DRAFTS),
    ("DELETE", f"/v1/drafts/{ID}", None, Permission.KEEP_DRAFTS),
    ("POST", f"/v1/drafts/{ID}/quotes", None, Permission.KEEP_DRAFTS),
    ("POST", "/v1/orders", {}, PlaceOrder),
    ("POST", "/v1/group-quotes", {}, Permission.ASK_QUOTE),
    ("POST", "/v1/group-orders", {}, PlaceOrders),
    ("POST", "/v1/group-payments", {}, Permission.PAY),
    ("GET", f"/v1/orders/{ID}/group", None, Permission.SEE_ORDER),
    ("GET", f"/v1/orders/{ID}/group/cancellation", None, Permission.SEE_ORDER),
    ("POST", f"/v1/orders/{ID}/group/cancel", {"reason": "other"}, CancelOrder),
    ("GET", "/v1/orders", None, Permission.LIST_ORDERS),
    ("GET", "/v1/orders.csv", None, Permission.LIST_ORDERS),
    ("GET", "/v1/order-search", None, Permission.SEARCH_ORDERS),
    ("GET", "/v1/order-search.csv", None, Permission.SEARCH_ORDERS),
    ("GET", "/v1/past-work", None, Permission.SEE_WORK),
    ("GET", "/v1/past-work.csv", None, Permission.SEE_WORK),
    ("GET", f"/v1/orders/{ID}", None, Permission.SEE_ORDER),
    ("GET", f"/v1/orders/{ID}/timeline", None, Permission.SEE_ORDER),
    ("GET", f"/v1/orders/{ID}/offers", None, Permission.SEE_DISPATCH),
    ("GET", f"/v1/orders/{ID}/decisions", None, Permission.SEE_DISPATCH),
    ("POST", f"/v1/orders/{ID}/cancel", {"reason": "other"}, CancelOrder),
    ("POST", f"/v1/orders/{ID}/change-quotes", {"window": None}, ChangeOrder),
    ("POST", f"/v1/orders/{ID}/changes", {}, ChangeOrder),
    ("POST", f"/v1/orders/{ID}/change-payments", {}, Permission.PAY),
    ("GET", f"/v1/orders/{ID}/due", None, Permission.SEE_PAYMENT),
    ("POST", f"/v1/orders/{ID}/due/payments", {}, Permission.PAY),
    ("POST", f"/v1/orders/{ID}/due/write-off", {}, Permission.WRITE_OFF),
    ("POST", f"/v1/orders/{ID}/reorder", {}, Permission.ASK_QUOTE),
    ("POST", f"/v1/orders/{ID}/unassign", {"reason": "x"}, UnassignOrder),
    ("GET", f"/v1/orders/{ID}/cancellation", None, Permission.SEE_ORDER),
    ("GET", f"/v1/orders/{ID}/quote", None, Permission.SEE_ORDER),
    ("GET", f"/v1/orders/{ID}/handover", None, Permission.SEE_ORDER),
    ("GET", f"/v1/orders/{ID}/invoices", None, Permission.SEE_ORDER),
    ("GET", f"/v1/orders/{ID}/conversation", None, Permission.CONVERSE),
    ("GET", f"/v1/orders/{ID}/messages", None, Permission.CONVERSE),
    ("POST", f"/v1/orders/{ID}/messages", {"text": "x"}, Permission.CONVERSE),
    ("PUT", f"/v1/orders/{ID}/read-marker", {"number": 1}, Permission.CONVERSE),
    ("GET", f"/v1/orders/{ID}/money", None, Permission.REFUND),
    ("POST", f"/v1/orders/{ID}/links", {}, Permission.SHARE_ORDER),
    ("POST", f"/v1/invoices/{ID}/notes", {}, Permission.CORRECT_INVOICES),
    ("POST", "/v1/gift-links", {}, Permission.MAKE_GIFT_LINKS),
    ("GET", "/v1/gift-links", None, Permission.MAKE_GIFT_LINKS),
    ("POST", "/v1/gift-link-prices", {}, Permission.MAKE_GIFT_LINKS),
    ("POST", f"/v1/gift-links/{ID}/payments", {}, Permission.PAY),
    ("POST", f"/v1/gift-links/{ID}/withdraw", None, Permission.MAKE_GIFT_LINKS),
    ("POST", f"/v1/orders/{ID}/tip", {"halalas": 100}, Permission.TIP_COURIER),
    ("PUT", "/v1/wallet/bank-account", {}, Permission.BE_PAID_OUT),
    ("GET", "/v1/wallet/bank-account", None, Permission.BE_PAID_OUT),
    ("GET", "/v1/wallet/payouts", None, Permission.BE_PAID_OUT),
    ("POST", "/v1/wallet/payouts", {}, Permission.BE_PAID_OUT),
    ("GET", "/v1/wallet/points", None, Permission.USE_POINTS),
    ("POST", "/v1/wallet/points/redeem", {}, Permission.USE_POINTS),
    ("POST", f"/v1/customers/{ID}/gift-credit", {}, Permission.GIVE_CREDIT),
    ("POST", f"/v1/transfers/{ID}/reversal", {}, Permission.CORRECT_BOOKS),
    ("GET", "/v1/periods/2026-01/trial-balance", None, Permission.SEE_BOOKS),
    ("GET", "/v1/periods/2026-01/vat-return", None, Permission.SEE_BOOKS),
    ("GET", "/v1/periods/2026-01/trial-balance.csv", None, Permission.SEE_BOOKS),
    ("GET", "/v1/periods/2026-01/vat-return.csv", None, Permission.SEE_BOOKS),
    ("POST", "/v1/periods/2026-01/close", None, Permission.CLOSE_BOOKS),
    ("GET", "/v1/jobs", None, Permission.SEE_BOOKS),
    ("POST", "/v1/disputes", {}, Permission.JUDGE_DISPUTES),
    ("GET", "/v1/disputes", None, Permission.JUDGE_DISPUTES),
    ("POST", f"/v1/disputes/{ID}/close", {}, Permission.JUDGE_DISPUTES),
    ("POST", "/v1/payments", {}, Permission.PAY),
    ("GET", "/v1/payments", None, Permission.PAY),
    ("GET", f"/v1/payments/{ID}", None, Permission.SEE_PAYMENT),
    ("GET", "/v1/saved-methods", None, Permission.PAY),
    ("DELETE", f"/v1/saved-methods/{ID}", None, Permission.PAY),
    ("POST", f"/v1/payments/{ID}/refunds", {}, Permission.REFUND),
    ("POST", f"/v1/payments/{ID}/refunds/{ID}/decision", {}, Permission.APPROVE_REFUNDS),
    ("GET", "/v1/wallet", None, Permission.SEE_WALLET),
    ("GET", f"/v1/couriers/{ID}/cash", None, Permission.SEE_CASH),
    ("POST", f"/v1/couriers/{ID}/cash/deposits", {}, DepositCash),
    ("GET", "/v1/wallet/statement", None, Permission.SEE_WALLET),
    ("POST", "/v1/uploads", {}, Permission.SEND_FILES),
    ("GET", f"/v1/uploads/{ID}", None, Permission.SEND_FILES),
    ("GET", "/v1/courier", None, Permission.SEE_WORK),
    ("POST", "/v1/courier/duty", ON_DUTY, GoOnDuty),
    ("POST", f"/v1/courier/offers/{ID}/acknowledge", None, AcknowledgeOffer),
    ("POST", f"/v1/courier/offers/{ID}/accept", None, AcceptOffer),
    ("POST", f"/v1/courier/offers/{ID}/decline", {"reason": "x"}, DeclineOffer),
    ("POST", "/v1/courier/progress", {"order_id": ID, "step": "picked_up"}, ReportProgress),
    ("POST", "/v1/courier/waiting-point", {}, ReachWaitingPoint),
    ("GET", f"/v1/couriers/{ID}/trail", None, Permission.SEE_TRAIL),
    ("GET", "/v1/zones", None, Permission.SEE_ZONES),
    ("POST", "/v1/zones", {}, CreateZone),
    ("GET", f"/v1/zones/{ID}", None, Permission.SEE_ZONES),
    ("POST", f"/v1/zones/{ID}/move", {"own": True}, MoveZone),
    ("GET", f"/v1/zones/{ID}/shops", None, Permission.SEE_ZONES),
    ("PUT", f"/v1/zones/{ID}/shops", {"shops": []}, ChangeZoneShops),
    ("GET", f"/v1/zones/{ID}/parameters", None, Permission.SEE_PARAMETERS),
    ("POST", f"/v1/zones/{ID}/what-if", {"parameters": {}}, Permission.TRY_WHAT_IF),
    ("GET", f"/v1/zones/{ID}/what-if", None, Permission.TRY_WHAT_IF),
    ("GET", f"/v1/zones/{ID}/what-if/{ID}", None, Permission.TRY_WHAT_IF),
    ("POST", f"/v1/zones/{ID}/what-if/{ID}/cancel", None, Permission.TRY_WHAT_IF),
    ("GET", f"/v1/zones/{ID}/metrics", None, Permission.SEE_METRICS),
    ("PUT", f"/v1/zones/{ID}/parameters", {"parameters": {}, "reason": "x"}, ChangeZoneParameters),
    ("POST", f"/v1/zones/{ID}/parameters/1/restore", {"reason": "x"}, ChangeZoneParameters),
    # The last, for it ends who asks.
    ("POST", "/v1/auth/logout", None, Permission.END_SESSIONS),
]
OPEN_POSTS = {
    "/v1/auth/otp",
    "/v1/auth/token",
    "/v1/auth/refresh",
    "/v1/auth/password",
    "/v1/auth/password/forgotten",
    "/v1/auth/password/reset",
    "/v1/auth/email",
    "/v1/auth/enrolment",
    "/v1/auth/enrolment/accept",
    "/v1/phone/undo",
    "/v1/phone/undo/code",
}
# The address itself says what may be seen by whoever has it.
BY_LINK = {
    "/v1/shared/{token}",
    "/v1/invoice-files/{token}",
    "/v1/gift/{token}",
    "/v1/gift/{token}/decline",
    "/v1/files/{token}",
    "/v1/privacy-files/{token}",
    "/v1/sheet-files/{token}",
}
# Who knows the address may ask the gateway, or must show its secret.
BY_GATEWAY = {"/v1/payments/{payment_id}/return", "/v1/webhooks/{gateway}"}
OPEN = {
    "/v1/clock",
    "/v1/cards",
    "/v1/payment-methods",
    "/healthz",
    "/readyz",
    "/.well-known/jwks.json",
    *OPEN_POSTS,
}


async def everybody(town: Town) -> dict[Role, Person]:
    courier, _ = await town.courier()
    return {
        Role.CUSTOMER: await town.log_in("customer"),
        Role.COURIER: courier,
        Role.OPERATOR: await town.operator(),
        Role.ADMIN: await town.admin(),
    }


async def test_every_route_lets_in_whom_it_should_and_nobody_else(town: Town) -> None:
    people = await everybody(town)
    assert {*people, Role.SYSTEM} == set(Role)
    for method, path, body, deed in ROUTES:
        keyed = {"Idempotency-Key": new_id()}
        nobody = await town.client.request(method, path, json=body, headers=keyed)
        assert nobody.status_code == 401, (method, path)
        for role, person in people.items():
            answer = await town.client.request(
                method, path, json=body, headers={**keyed, **person.headers}
            )
            is_let_in = answer.status_code not in {401, 403}
            assert is_let_in == (role in GRANTS[deed].roles), (method, path, role, answer.text)


def spelled(shape: str) -> str:
    """As `ROUTES` has what is no id."""
    for word, value in (("parameters", "1"), ("periods", "2026-01"), ("consents", "terms")):
        shape = shape.replace(f"{word}/*", f"{word}/{value}")
    return shape


async def test_every_route_asks_the_table_for_what_it_does(town: Town) -> None:
    expected = {(method, path.replace(ID, "*")): deed for method, path, _, deed in ROUTES}
    seen = 0
    for route in routes_of(town.app.router):
        if (path := route.path) in OPEN | BY_LINK | BY_GATEWAY:
            continue
        shape = spelled("/".join("*" if part.startswith("{") else part for part in path.split("/")))
        for method in route.methods or ():
            assert expected[method, shape] in deeds_of(route), (method, path)
            seen += 1
    assert seen == len(expected)


# What each frame is about; the others are about nothing that is anybody's.
FRAMES: list[tuple[dict[str, Any], Deed]] = [
    ({"type": "subscribe", "channel": f"order:{ID}"}, Permission.SEE_ORDER),
    ({"type": "subscribe", "channel": "orders:{user_id}"}, Permission.LIST_ORDERS),
    ({"type": "subscribe", "channel": "courier:{user_id}"}, Permission.SEE_WORK),
    ({"type": "subscribe", "channel": f"zone:{ID}"}, Permission.WATCH_ZONE),
    (
        {
            "type": "look",
            "channel": f"fleet:{ID}",
            "south": 24,
            "west": 46,
            "north": 25,
            "east": 47,
        },
        Permission.WATCH_ZONE,
    ),
    ({"type": "duty", **ON_DUTY}, GoOnDuty),
    ({"type": "acknowledge", "offer_id": ID}, AcknowledgeOffer),
    ({"type": "accept", "offer_id": ID}, AcceptOffer),
    ({"type": "decline", "offer_id": ID, "reason": "x"}, DeclineOffer),
    ({"type": "progress", "order_id": ID, "step": "picked_up"}, ReportProgress),
    ({"type": "reached_waiting_point"}, ReachWaitingPoint),
    ({"type": "subscribe", "channel": f"conversation:{ID}"}, Permission.CONVERSE),
    ({"type": "message", "order_id": ID, "text": "x"}, Permission.CONVERSE),
    ({"type": "read", "order_id": ID, "number": 1}, Permission.CONVERSE),
    ({"type": "typing", "order_id": ID}, Permission.CONVERSE),
    ({"type": "position", "lat": 24.7, "lng": 46.6, "at": 0}, Permission.SEND_POSITIONS),
]
ABOUT_NOTHING = {"authenticate", "ping", "unsubscribe", "received"}
WITHOUT_ID = {"subscribe", "look", "position", "read", "typing"}


def test_no_frame_is_forgotten_here() -> None:
    tags = {str(one.__struct_config__.tag) for one in get_args(Incoming)}
    assert {frame["type"] for frame, _ in FRAMES} | ABOUT_NOTHING == tags


async def is_heard(person: Person, frame: dict[str, Any]) -> bool:
    """Whether a frame comes to anything but a no to his role."""
    sent = {
        key: str(one).format(user_id=person.user_id) if key == "channel" else one
        for key, one in frame.items()
    }
    kind = frame["type"]
    if kind not in WITHOUT_ID:
        sent["id"] = person.town.key()
    socket = await person.socket()
    await socket.send(sent)
    if kind == "position":
        await socket.send({"type": "ping"})
        with suppress(ConnectionClosed):
            await socket.next("pong")
            return True
        return socket.connection.close_code != 4403
    named = {key: sent[key] for key in ("id", "channel") if key in sent}
    told = await socket.next("reply", "refused", "snapshot", "error", "fleet", **named)
    await socket.connection.close()
    return told.get("code") != "not_allowed"


async def test_every_frame_is_heard_from_whom_it_should_be_and_from_nobody_else(
    town: Town,
) -> None:
    people = await everybody(town)
    for frame, deed in FRAMES:
        for role, person in people.items():
            assert await is_heard(person, frame) == (role in GRANTS[deed].roles), (frame, role)


def test_every_deed_of_the_table_is_done_by_a_route_or_a_frame() -> None:
    tried = {deed for _, _, _, deed in ROUTES} | {deed for _, deed in FRAMES}
    # The frame and the route of duty say in their bodies which of these is meant.
    assert {*tried, GoOffDuty, TakeBreak, EndBreak} == set(GRANTS)


async def test_no_route_is_forgotten_here(town: Town) -> None:
    document = (await town.client.get("/openapi.json")).json()
    known = {(method, path.replace(ID, "*")) for method, path, _, _ in ROUTES}
    for path, methods in document["paths"].items():
        shape = "/".join("*" if part.startswith("{") else part for part in path.split("/"))
        shape = spelled(shape)
        for method in methods:
            assert path in OPEN | BY_LINK | BY_GATEWAY or (method.upper(), shape) in known, (
                method,
                path,
            )


@pytest.mark.parametrize("path", sorted(OPEN - OPEN_POSTS))
async def test_what_is_open_to_all_needs_no_token(town: Town, path: str) -> None:
    assert (await town.client.get(path)).status_code == 200
