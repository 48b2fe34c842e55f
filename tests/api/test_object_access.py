"""Whose things are whose: every route and frame that names a thing, on one's own and others'."""

import re
from dataclasses import dataclass
from typing import Any, get_args

from msgspec.structs import replace

from api.sockets.frames import Incoming
from engine.kernel.pages import LAST_INSTANT
from tests.api.test_access import ID, OPEN, ROUTES
from tests.api.town import ON_DUTY, Person, Socket, Town
from tests.builders import new_id
from tests.engine.test_sheets import a_sheet

CUSTOMER, STRANGER, COURIER, OTHER, OPERATOR = (
    "customer",
    "stranger",
    "courier",
    "other",
    "operator",
)

# They have nothing to do with the order.
NOBODYS = (STRANGER, OTHER)


@dataclass
class Scene:
    """An order of the customer that is offered to the courier, and others who look on."""

    town: Town
    people: dict[str, Person]
    sockets: dict[str, Socket]
    order_id: str
    offer_id: str
    sheet_id: str

    def filled(self, text: str) -> str:
        """Names of things in braces, replaced by the things."""
        return text.format(
            order_id=self.order_id,
            offer_id=self.offer_id,
            sheet_id=self.sheet_id,
            zone_id=self.town.zone_id,
            customer_id=self.people[CUSTOMER].user_id,
            session_id=self.people[CUSTOMER].session_id,
            courier_id=self.people[COURIER].user_id,
        )


async def a_scene(town: Town) -> Scene:
    customer = await town.log_in("customer")
    courier, phone = await town.courier()
    order_id = await customer.order()
    offer = await phone.offer(courier)
    people = {
        CUSTOMER: customer,
        STRANGER: await town.log_in("customer"),
        COURIER: courier,
        OTHER: await town.log_in("courier"),
        OPERATOR: await town.operator(),
    }
    sockets = {
        name: phone if name == COURIER else await person.socket() for name, person in people.items()
    }
    assert (await sockets[OTHER].tell("duty", **ON_DUTY))["type"] == "reply"
    sheet = replace(a_sheet(customer.user_id), due_at=LAST_INSTANT)
    assert await town.parts.sheets.begin(sheet)
    return Scene(town, people, sockets, order_id, str(offer["offer_id"]), sheet.id)


NOTE = {
    "kind": "credit_note",
    "lines": [{"name": "Roses", "quantity": 1, "unit_halalas": 100}],
    "reason": "withered",
}
PAID_WITH = {"network": "visa", "source": {"kind": "token", "value": "t"}}
WITH_A_CARD = {"network": "visa", "source": {"kind": "token", "value": "x"}}
REFUND = {"amount_halalas": 100, "reason": "late", "note": "an hour"}
# What is told to those whom the role lets in, whose thing it is not; and to those whose it is.
ROUTES_WITH_A_THING: list[tuple[str, str, object, dict[str, set[int]]]] = [
    ("GET", "/v1/orders/{order_id}", None, {CUSTOMER: {200}, STRANGER: {404}, OPERATOR: {200}}),
    (
        "GET",
        "/v1/orders/{order_id}/timeline",
        None,
        {CUSTOMER: {200}, STRANGER: {404}, OPERATOR: {200}},
    ),
    ("GET", "/v1/orders/{order_id}/offers", None, {CUSTOMER: {403}, OPERATOR: {200}}),
    ("GET", "/v1/orders/{order_id}/money", None, {CUSTOMER: {403}, OPERATOR: {200}}),
    (
        "GET",
        "/v1/orders/{order_id}/cancellation",
        None,
        {CUSTOMER: {200}, STRANGER: {404}, OPERATOR: {200}},
    ),
    (
        "GET",
        "/v1/orders/{order_id}/quote",
        None,
        {CUSTOMER: {200}, STRANGER: {404}, OPERATOR: {200}},
    ),
    (
        "GET",
        "/v1/orders/{order_id}/invoices",
        None,
        {CUSTOMER: {200}, STRANGER: {404}, OPERATOR: {200}},
    ),
    *(
        ("GET", path, None, {CUSTOMER: {200}, STRANGER: {404}, OTHER: {404}, OPERATOR: {200}})
        for path in ("/v1/orders/{order_id}/conversation", "/v1/orders/{order_id}/messages")
    ),
    (
        "POST",
        "/v1/orders/{order_id}/messages",
        {"text": "x"},
        {CUSTOMER: {409}, STRANGER: {404}, OTHER: {404}, OPERATOR: {409}},
    ),
    (
        "PUT",
        "/v1/orders/{order_id}/read-marker",
        {"number": 1},
        {CUSTOMER: {200}, STRANGER: {404}, OTHER: {404}, OPERATOR: {200}},
    ),
    (
        "GET",
        "/v1/orders/{order_id}/handover",
        None,
        {CUSTOMER: {404}, STRANGER: {404}, OPERATOR: {404}, COURIER: {403}},
    ),
    (
        "POST",
        "/v1/orders/{order_id}/links",
        {},
        {CUSTOMER: {201}, STRANGER: {404}, COURIER: {403}},
    ),
    ("POST", "/v1/invoices/{order_id}/notes", NOTE, {CUSTOMER: {403}, OPERATOR: {404}}),
    ("GET", "/v1/payments/{order_id}", None, {CUSTOMER: {404}, STRANGER: {404}, OPERATOR: {404}}),
    (
        "GET",
        "/v1/sheets/{sheet_id}",
        None,
        {CUSTOMER: {200}, STRANGER: {404}, COURIER: {404}, OPERATOR: {404}},
    ),
    (
        "POST",
        "/v1/sheets/{sheet_id}/cancel",
        None,
        {STRANGER: {404}, COURIER: {404}, OPERATOR: {404}, CUSTOMER: {200}},
    ),
    ("GET", "/v1/drafts/{order_id}", None, {CUSTOMER: {404}, COURIER: {403}, OPERATOR: {403}}),
    ("PUT", "/v1/drafts/{order_id}", {}, {CUSTOMER: {428}, COURIER: {403}, OPERATOR: {403}}),
    ("DELETE", "/v1/drafts/{order_id}", None, {CUSTOMER: {404}, OPERATOR: {403}}),
    ("POST", "/v1/drafts/{order_id}/quotes", None, {CUSTOMER: {404}, OPERATOR: {403}}),
    ("DELETE", "/v1/saved-methods/{order_id}", None, {CUSTOMER: {404}, OPERATOR: {403}}),
    ("POST", "/v1/payments/{order_id}/refunds", REFUND, {CUSTOMER: {403}, OPERATOR: {404}}),
    (
        "POST",
        "/v1/payments/{order_id}/refunds/{order_id}/decision",
        {"approved": True},
        {CUSTOMER: {403}, OPERATOR: {404}},
    ),
    (
        "GET",
        "/v1/couriers/{courier_id}/cash",
        None,
        {CUSTOMER: {403}, COURIER: {200}, OTHER: {404}, OPERATOR: {200}},
    ),
    (
        "POST",
        "/v1/couriers/{courier_id}/cash/deposits",
        {"halalas": 1, "receipt": "A-1"},
        {CUSTOMER: {403}, COURIER: {403}, OPERATOR: {409}},
    ),
    ("POST", "/v1/gift-links/{order_id}/withdraw", None, {CUSTOMER: {404}, COURIER: {403}}),
    ("POST", "/v1/gift-links/{order_id}/payments", PAID_WITH, {CUSTOMER: {404}, OPERATOR: {403}}),
    ("POST", "/v1/orders/{order_id}/tip", {"halalas": 1}, {CUSTOMER: {409}, STRANGER: {404}}),
    ("GET", "/v1/uploads/{order_id}", None, {CUSTOMER: {404}, OPERATOR: {404}}),
    ("GET", "/v1/orders/{order_id}/decisions", None, {CUSTOMER: {403}, OPERATOR: {200}}),
    (
        "POST",
        "/v1/orders/{order_id}/change-quotes",
        {"window": None},
        {CUSTOMER: {201}, STRANGER: {404}, COURIER: {403}, OPERATOR: {201}},
    ),
    (
        "POST",
        "/v1/orders/{order_id}/changes",
        {"window": None, "quote_id": ID},
        {STRANGER: {404}, COURIER: {403}},
    ),
    (
        "POST",
        "/v1/orders/{order_id}/change-payments",
        {"window": None, "quote_id": ID, **WITH_A_CARD},
        {STRANGER: {404}, COURIER: {403}, OPERATOR: {403}},
    ),
    ("GET", "/v1/orders/{order_id}/due", None, {CUSTOMER: {200}, STRANGER: {404}, OTHER: {403}}),
    (
        "POST",
        "/v1/orders/{order_id}/due/payments",
        WITH_A_CARD,
        {CUSTOMER: {409}, STRANGER: {404}, COURIER: {403}, OPERATOR: {403}},
    ),
    (
        "POST",
        "/v1/orders/{order_id}/due/write-off",
        {"kind": "waived", "reason": "our fault"},
        {CUSTOMER: {403}, STRANGER: {403}, COURIER: {403}, OPERATOR: {409}},
    ),
    (
        "POST",
        "/v1/orders/{order_id}/reorder",
        {},
        {CUSTOMER: {201}, STRANGER: {404}, COURIER: {403}, OPERATOR: {201}},
    ),
    ("POST", "/v1/orders/{order_id}/cancel", {"reason": "other"}, {STRANGER: {404}, OTHER: {403}}),
    ("GET", "/v1/orders/{order_id}/group", None, {CUSTOMER: {200}, STRANGER: {404}, OTHER: {403}}),
    ("GET", "/v1/orders/{order_id}/group/cancellation", None, {STRANGER: {404}, OTHER: {403}}),
    (
        "POST",
        "/v1/orders/{order_id}/group/cancel",
        {"reason": "other"},
        {STRANGER: {404}, OTHER: {403}},
    ),
    ("POST", "/v1/orders/{order_id}/unassign", {"reason": "x"}, {OTHER: {409}, CUSTOMER: {403}}),
    ("POST", "/v1/courier/offers/{offer_id}/acknowledge", None, {OTHER: {404}, COURIER: {200}}),
    ("POST", "/v1/courier/offers/{offer_id}/decline", {"reason": "x"}, {OTHER: {404}}),
    ("POST", "/v1/courier/offers/{offer_id}/accept", None, {OTHER: {404}, COURIER: {200}}),
    ("DELETE", "/v1/sessions/{session_id}", None, {STRANGER: {404}, OTHER: {404}, CUSTOMER: {200}}),
]
# Routes whose thing is the caller's own by its address, or which operators alone may call.
OF_ONESELF = re.compile(
    r"/v1/(?:me|sessions|quotes|orders|courier|auth|profile|phone|drafts|gift-links"
    r"|gift-link-prices|group-quotes|group-orders|group-payments|wallet|uploads"
    r"|payments|payment-history|saved-methods|privacy|past-work|company|sheets)"
    r"\b[^{]*$"
)
OF_OPERATORS = re.compile(
    r"/v1/(?:zones|couriers|customers|operators|disputes|periods|jobs|staff|audit-log|refused-tries"
    r"|privacy-requests|order-search|payment-search|settlement-runs|settlement-feeds"
    r"|settlement-breaks|invoice-submissions|transfers)\b"
)


def test_no_route_that_names_a_thing_is_forgotten_here() -> None:
    named = {(method, re.sub(r"\{\w+\}", "*", path)) for method, path, _, _ in ROUTES_WITH_A_THING}
    for method, path, _, _ in ROUTES:
        shape = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "*", path)
        if path in OPEN or OF_OPERATORS.match(path) or OF_ONESELF.match(shape.replace("*", "{")):
            continue
        assert (method, shape) in named, (method, path)


async def test_every_route_knows_whose_thing_it_is(town: Town) -> None:
    scene = await a_scene(town)
    for method, path, body, told in ROUTES_WITH_A_THING:
        for name, statuses in told.items():
            person = scene.people[name]
            answer = await town.client.request(
                method,
                scene.filled(path),
                json=body,
                headers={**person.headers, "Idempotency-Key": new_id()},
            )
            assert answer.status_code in statuses, (method, path, name, answer.text)
    order = (await scene.people[OPERATOR].get(f"/v1/orders/{scene.order_id}")).json()
    assert order["status"] == "assigned"


# What each frame comes to: a reply, the code of a refusal, or the number of a close.
FRAMES: list[tuple[str, dict[str, Any], dict[str, str | int]]] = [
    (
        "subscribe",
        {"channel": "order:{order_id}"},
        {CUSTOMER: "snapshot", OPERATOR: "snapshot", STRANGER: "no_such_channel"},
    ),
    (
        "subscribe",
        {"channel": "courier:{courier_id}"},
        {CUSTOMER: "not_allowed", OTHER: "not_allowed", OPERATOR: "not_allowed"},
    ),
    (
        "subscribe",
        {"channel": "orders:{customer_id}"},
        {
            CUSTOMER: "snapshot",
            STRANGER: "not_allowed",
            COURIER: "not_allowed",
            OPERATOR: "not_allowed",
        },
    ),
    (
        "subscribe",
        {"channel": "zone:{zone_id}"},
        {CUSTOMER: "not_allowed", COURIER: "not_allowed", OPERATOR: "snapshot"},
    ),
    (
        "subscribe",
        {"channel": "conversation:{order_id}"},
        {
            CUSTOMER: "snapshot",
            OPERATOR: "snapshot",
            STRANGER: "no_such_channel",
            OTHER: "no_such_channel",
        },
    ),
    (
        "look",
        {"channel": "fleet:{zone_id}", "south": 24, "west": 46, "north": 25, "east": 47},
        {CUSTOMER: "not_allowed", COURIER: "not_allowed", OPERATOR: "fleet"},
    ),
    (
        "received",
        {"channel": "order:{order_id}", "bookmark": {"epoch": "x", "offset": 1}},
        {STRANGER: "pong", OPERATOR: "pong"},
    ),
    (
        "message",
        {"order_id": "{order_id}", "text": "x"},
        {
            CUSTOMER: "conversation_closed",
            OPERATOR: "conversation_closed",
            STRANGER: "unknown_order",
            OTHER: "unknown_order",
        },
    ),
    ("read", {"order_id": "{order_id}", "number": 1}, dict.fromkeys(NOBODYS, "unknown_order")),
    ("typing", {"order_id": "{order_id}"}, dict.fromkeys(NOBODYS, "unknown_order")),
    ("unsubscribe", {"channel": "order:{order_id}"}, {STRANGER: "pong", OPERATOR: "pong"}),
    ("ping", {}, dict.fromkeys((CUSTOMER, STRANGER, COURIER, OTHER, OPERATOR), "pong")),
    (
        "duty",
        ON_DUTY,
        {CUSTOMER: "not_allowed", OPERATOR: "not_allowed", COURIER: "reply"},
    ),
    (
        "acknowledge",
        {"offer_id": "{offer_id}"},
        {CUSTOMER: "not_allowed", OPERATOR: "not_allowed", OTHER: "unknown_offer"},
    ),
    (
        "decline",
        {"offer_id": "{offer_id}", "reason": "x"},
        {CUSTOMER: "not_allowed", OPERATOR: "not_allowed", OTHER: "unknown_offer"},
    ),
    (
        "accept",
        {"offer_id": "{offer_id}"},
        {CUSTOMER: "not_allowed", OPERATOR: "not_allowed", OTHER: "unknown_offer"},
    ),
    (
        "progress",
        {"order_id": "{order_id}", "step": "picked_up"},
        {CUSTOMER: "not_allowed", OPERATOR: "not_allowed", OTHER: "not_your_order"},
    ),
    (
        "reached_waiting_point",
        {},
        {CUSTOMER: "not_allowed", OPERATOR: "not_allowed"},
    ),
    (
        "position",
        {"lat": 24.7, "lng": 46.6, "at": 0},
        {STRANGER: 4403, OPERATOR: 4403},
    ),
    ("authenticate", {"token": "forged"}, {CUSTOMER: 4401, OTHER: 4401}),
]
COMMANDS = {
    "duty",
    "acknowledge",
    "decline",
    "accept",
    "progress",
    "reached_waiting_point",
    "message",
}


def test_no_frame_is_forgotten_here() -> None:
    tags = {str(one.__struct_config__.tag) for one in get_args(Incoming)}
    assert {kind for kind, _, _ in FRAMES} == tags


async def come_to(scene: Scene, name: str, kind: str, fields: dict[str, Any]) -> str | int | None:
    """What a frame of this person comes to."""
    socket = scene.sockets[name]
    said = {key: scene.filled(one) if isinstance(one, str) else one for key, one in fields.items()}
    if kind in COMMANDS:
        told = await socket.tell(kind, **said)
        return str(told.get("code", told["type"]))
    await socket.send({"type": kind, **said})
    if kind in {"position", "authenticate"}:
        return await socket.closed()
    if kind in {"unsubscribe", "received"}:
        await socket.send({"type": "ping"})
    told = await socket.next("snapshot", "error", "pong", "fleet")
    return str(told.get("code", told["type"]))


async def test_every_frame_knows_whose_thing_it_is(town: Town) -> None:
    scene = await a_scene(town)
    for kind, fields, outcomes in FRAMES:
        for name, outcome in outcomes.items():
            assert await come_to(scene, name, kind, fields) == outcome, (kind, fields, name)


async def test_before_a_token_no_frame_is_heard(town: Town) -> None:
    for kind, fields, _ in FRAMES:
        socket = await Socket.open(town)
        named = {"id": town.key()} if kind in COMMANDS else {}
        filled = {
            name: re.sub(r"\{\w+\}", new_id(), one) if isinstance(one, str) else one
            for name, one in fields.items()
        }
        await socket.send({"type": kind, **named, **filled})
        assert await socket.closed() == 4401, kind
