"""Who may do what: every route for every kind of caller."""

import pytest

from tests.api.town import ON_DUTY, QUOTE, Person, Town
from tests.builders import new_id

ID = "00000000-0000-7000-8000-00000000000f"
# Whom a route lets in; whoever is not named is told 403, and without a token 401.
CUSTOMER, COURIER, OPERATOR = "customer", "courier", "operator"
ROUTES: list[tuple[str, str, object, set[str]]] = [
    ("GET", "/v1/me", None, {CUSTOMER, COURIER, OPERATOR}),
    ("POST", "/v1/phone/codes", {"phone": "x"}, {CUSTOMER, COURIER, OPERATOR}),
    ("PUT", "/v1/phone", {}, {CUSTOMER, COURIER, OPERATOR}),
    ("GET", "/v1/profile", None, {CUSTOMER, COURIER, OPERATOR}),
    ("PATCH", "/v1/profile", {}, {CUSTOMER, COURIER, OPERATOR}),
    ("PUT", f"/v1/operators/{ID}/zones", {"zones": None}, {OPERATOR}),
    ("PUT", f"/v1/couriers/{ID}/status", {"status": "active", "reason": "x"}, {OPERATOR}),
    ("GET", "/v1/sessions", None, {CUSTOMER, COURIER, OPERATOR}),
    ("DELETE", f"/v1/sessions/{ID}", None, {CUSTOMER, COURIER, OPERATOR}),
    ("POST", "/v1/quotes", QUOTE, {CUSTOMER, OPERATOR}),
    ("POST", "/v1/orders", {}, {CUSTOMER, OPERATOR}),
    ("GET", "/v1/orders", None, {CUSTOMER, OPERATOR}),
    ("GET", f"/v1/orders/{ID}", None, {CUSTOMER, OPERATOR}),
    ("GET", f"/v1/orders/{ID}/timeline", None, {CUSTOMER, OPERATOR}),
    ("GET", f"/v1/orders/{ID}/offers", None, {OPERATOR}),
    ("GET", f"/v1/orders/{ID}/decisions", None, {OPERATOR}),
    ("POST", f"/v1/orders/{ID}/cancel", {"reason": "other"}, {CUSTOMER, OPERATOR}),
    ("POST", f"/v1/orders/{ID}/unassign", {"reason": "x"}, {COURIER, OPERATOR}),
    ("GET", "/v1/courier", None, {COURIER}),
    ("POST", "/v1/courier/duty", ON_DUTY, {COURIER}),
    ("POST", f"/v1/courier/offers/{ID}/acknowledge", None, {COURIER}),
    ("POST", f"/v1/courier/offers/{ID}/accept", None, {COURIER}),
    ("POST", f"/v1/courier/offers/{ID}/decline", {"reason": "x"}, {COURIER}),
    ("POST", "/v1/courier/progress", {"order_id": ID, "step": "picked_up"}, {COURIER}),
    ("POST", "/v1/courier/waiting-point", {}, {COURIER}),
    ("GET", f"/v1/couriers/{ID}/trail", None, {OPERATOR}),
    ("GET", "/v1/zones", None, {OPERATOR}),
    ("POST", "/v1/zones", {}, {OPERATOR}),
    ("GET", f"/v1/zones/{ID}", None, {OPERATOR}),
    ("GET", f"/v1/zones/{ID}/parameters", None, {OPERATOR}),
    ("POST", f"/v1/zones/{ID}/what-if", {"parameters": {}}, {OPERATOR}),
    ("GET", f"/v1/zones/{ID}/what-if", None, {OPERATOR}),
    ("GET", f"/v1/zones/{ID}/what-if/{ID}", None, {OPERATOR}),
    ("POST", f"/v1/zones/{ID}/what-if/{ID}/cancel", None, {OPERATOR}),
    ("GET", f"/v1/zones/{ID}/metrics", None, {OPERATOR}),
    ("PUT", f"/v1/zones/{ID}/parameters", {"parameters": {}, "reason": "x"}, {OPERATOR}),
    ("POST", f"/v1/zones/{ID}/parameters/1/restore", {"reason": "x"}, {OPERATOR}),
    # The last, for it ends who asks.
    ("POST", "/v1/auth/logout", None, {CUSTOMER, COURIER, OPERATOR}),
]
OPEN_POSTS = {
    "/v1/auth/otp",
    "/v1/auth/token",
    "/v1/auth/refresh",
    "/v1/phone/undo",
    "/v1/phone/undo/code",
}
OPEN = {"/v1/clock", "/healthz", "/readyz", "/.well-known/jwks.json", *OPEN_POSTS}


async def test_every_route_lets_in_whom_it_should_and_nobody_else(town: Town) -> None:
    people: dict[str, Person] = {
        CUSTOMER: await town.log_in("customer"),
        COURIER: await town.log_in("courier"),
        OPERATOR: await town.operator(),
    }
    for method, path, body, welcome in ROUTES:
        keyed = {"Idempotency-Key": new_id()}
        nobody = await town.client.request(method, path, json=body, headers=keyed)
        assert nobody.status_code == 401, (method, path)
        for role, person in people.items():
            answer = await town.client.request(
                method, path, json=body, headers={**keyed, **person.headers}
            )
            is_let_in = answer.status_code not in {401, 403}
            assert is_let_in == (role in welcome), (method, path, role, answer.text)


async def test_no_route_is_forgotten_here(town: Town) -> None:
    document = (await town.client.get("/openapi.json")).json()
    known = {(method, path.replace(ID, "*")) for method, path, _, _ in ROUTES}
    for path, methods in document["paths"].items():
        shape = "/".join("*" if part.startswith("{") else part for part in path.split("/"))
        shape = shape.replace("parameters/*", "parameters/1")
        for method in methods:
            assert path in OPEN or (method.upper(), shape) in known, (method, path)


@pytest.mark.parametrize("path", sorted(OPEN - OPEN_POSTS))
async def test_what_is_open_to_all_needs_no_token(town: Town, path: str) -> None:
    assert (await town.client.get(path)).status_code == 200
