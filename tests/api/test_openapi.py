"""The description of the REST interface."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from openapi_spec_validator import validate
from pydantic import TypeAdapter

from api import answers, identity_answers, order_answers, work_answers
from api.description import document
from api.routes import order_quotes
from engine.kernel.refusals import CATALOGUE
from tests.api.town import Town

FILE = Path(__file__).parents[2] / "docs" / "openapi.json"
# Told over the socket only, or never in answer to one route.
OF_THE_SOCKET = {
    "bad_position",
    "no_such_channel",
    "origin_not_allowed",
    "too_many_channels",
}
OF_NO_ROUTE = {"no_such_page", "method_not_allowed"}
# Told to those parts of ours that keep the ledger.
OF_THE_LEDGER = {
    "transfer_id_reused",
    "transfer_not_pending",
    "more_than_reserved",
}


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def codes_of(operation: dict[str, Any]) -> set[str]:
    found: set[str] = set()
    for answer in operation["responses"].values():
        schema = answer.get("content", {}).get("application/problem+json", {}).get("schema", {})
        for part in schema.get("allOf", ()):
            found |= set(part.get("properties", {}).get("code", {}).get("enum", ()))
    return found


def test_it_is_valid_openapi_3_1() -> None:
    assert document()["openapi"].startswith("3.1")
    validate(document())


def test_the_file_is_current() -> None:
    assert json.loads(FILE.read_text("utf-8")) == document(), (
        "docs/openapi.json is old: run hadiyati openapi --write"
    )


def test_every_refusal_is_listed_where_it_can_be_met() -> None:
    listed = set().union(*(codes_of(operation) for _, operation in operations()))
    assert listed == set(CATALOGUE) - OF_THE_SOCKET - OF_NO_ROUTE - OF_THE_LEDGER


def test_every_operation_says_what_it_answers() -> None:
    for name, operation in operations():
        good = [int(one) for one in operation["responses"] if int(one) < 300]
        assert len(good) == 1, name
        answer = operation["responses"][str(good[0])]
        is_file = {"application/pdf", "text/csv", "application/zip"} & set(answer["content"])
        assert is_file or "$ref" in answer["content"]["application/json"]["schema"], name
        assert "internal_error" in codes_of(operation), name


async def test_every_answer_is_what_the_description_says(town: Town) -> None:
    customer = await town.log_in("customer")
    order_id = await customer.order()
    courier, phone = await town.courier()
    await phone.offer(courier)
    operator = await town.operator()
    for person, path, model in (
        (customer, "/v1/me", identity_answers.Me),
        (customer, "/v1/sessions", identity_answers.SessionsShown),
        (customer, "/.well-known/jwks.json", identity_answers.KeySet),
        (customer, "/v1/clock", answers.ClockShown),
        (customer, "/v1/orders", answers.OrdersShown),
        (customer, f"/v1/orders/{order_id}", answers.OrderShown),
        (customer, f"/v1/orders/{order_id}/timeline", answers.TimelineShown),
        (customer, f"/v1/orders/{order_id}/cancellation", order_answers.CancellationShown),
        (customer, f"/v1/orders/{order_id}/quote", order_quotes.OrderQuoteShown),
        (customer, f"/v1/orders/{order_id}/invoices", order_answers.InvoicesShown),
        (customer, "/v1/gift-links", order_answers.GiftLinksShown),
        (customer, "/v1/cards", order_answers.CardsShown),
        (operator, f"/v1/orders/{order_id}/offers", answers.OffersShown),
        (courier, "/v1/courier", work_answers.WorkShown),
        (operator, "/v1/zones", answers.ZonesShown),
        (operator, f"/v1/zones/{town.zone_id}", answers.ZoneShown),
        (operator, f"/v1/zones/{town.zone_id}/parameters", answers.ParameterSetsShown),
        (operator, "/readyz", answers.Ready),
        (operator, "/healthz", answers.Alive),
    ):
        body = (await person.get(path)).json()
        shown = TypeAdapter(model).validate_python(body, strict=True)
        assert not shown.model_extra or path.endswith("/offers"), (path, shown.model_extra)
