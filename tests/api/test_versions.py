"""A client of any version is answered as that version was, and told in time what is going."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest

from api.versions import CHANGES, DEPRECATIONS, FIRST, HEADER, NEWEST, VERSIONS, fits
from engine.money.accounts import AccountKind, account
from tests.api.test_wallet import enter
from tests.api.town import Person, Town

STATEMENT = "/v1/wallet/statement"


async def with_lines(town: Town, count: int) -> Person:
    person = await town.log_in("courier")
    wallet = account(AccountKind.COURIER_WALLET, person.user_id)
    for amount in range(1, count + 1):
        await enter(town, wallet, amount)
    return person


async def test_a_client_without_a_version_is_answered_as_the_first_one_was(town: Town) -> None:
    person = await with_lines(town, 3)
    for headers in ({}, {HEADER: FIRST}):
        told = await person.get(f"{STATEMENT}?limit=2", **headers)
        assert told.headers[HEADER] == FIRST
        assert set(told.json()) == {"kind", "lines", "next"}
        assert told.json()["next"] == told.json()["lines"][-1]["number"]
        rest = await person.get(f"{STATEMENT}?limit=2&before={told.json()['next']}", **headers)
        assert ([one["amount"] for one in rest.json()["lines"]], rest.json()["next"]) == ([1], None)


async def test_the_newest_version_has_cursors(town: Town) -> None:
    person = await with_lines(town, 3)
    told = await person.get(f"{STATEMENT}?limit=2", **{HEADER: NEWEST})
    assert told.headers[HEADER] == NEWEST
    assert isinstance(told.json()["next"], str)
    rest = await person.get(f"{STATEMENT}?limit=2&cursor={told.json()['next']}", **{HEADER: NEWEST})
    assert [one["amount"] for one in rest.json()["lines"]] == [1]
    assert rest.json()["previous"] is not None


async def test_a_refusal_is_the_same_in_every_version(town: Town) -> None:
    person = await town.log_in("courier")
    told = [await person.get(f"{STATEMENT}?limit=0", **{HEADER: one}) for one in VERSIONS]
    assert {(one.status_code, one.json()["code"]) for one in told} == {(422, "invalid_request")}


@pytest.mark.parametrize("version", ["2026-11-02", "2026-1-1", "newest", "", "v1"])
async def test_a_version_that_there_is_not_is_refused(town: Town, version: str) -> None:
    refused = await town.client.get("/v1/clock", headers={HEADER: version})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")
    (error,) = refused.json()["errors"]
    assert error["pointer"] == f"/header/{HEADER}"
    assert all(one in error["message"] for one in VERSIONS)


async def test_what_is_going_away_says_so_to_whom_it_concerns(town: Town) -> None:
    person = await with_lines(town, 1)
    told = await person.get(f"{STATEMENT}?before=9")
    (declared,) = DEPRECATIONS
    assert told.headers["deprecation"] == f"@{int(declared.since.timestamp())}"
    assert parsedate_to_datetime(told.headers["sunset"]).astimezone(UTC) == declared.until
    assert 'rel="deprecation"' in told.headers["link"]
    fresh = await person.get(STATEMENT)
    assert not {"deprecation", "sunset"} & set(fresh.headers)


def test_what_is_declared_is_what_there_is(town: Town) -> None:
    described = town.app.openapi()["paths"]
    for change in CHANGES:
        method, _, path = change.operation.partition(" ")
        assert described[path][method.lower()]
        assert datetime.fromisoformat(change.since) > datetime.fromisoformat(FIRST)
    for going in DEPRECATIONS:
        assert going.since < going.until
        method, _, path = going.operation.partition(" ")
        operation = described[path][method.lower()]
        if going.parameter:
            named = {one["name"]: one for one in operation["parameters"]}
            assert named[going.parameter]["deprecated"]
        else:
            assert operation["deprecated"]
    marked = {
        (f"{method.upper()} {path}", one["name"])
        for path, methods in described.items()
        for method, operation in methods.items()
        for one in operation.get("parameters", ())
        if one.get("deprecated")
    }
    assert marked == {(one.operation, one.parameter) for one in DEPRECATIONS if one.parameter}


def test_an_operation_with_parameters_fits_its_requests_only() -> None:
    assert fits("GET /v1/orders/{order_id}/offers", "GET", "/v1/orders/7/offers")
    assert not fits("GET /v1/orders/{order_id}/offers", "POST", "/v1/orders/7/offers")
    assert not fits("GET /v1/orders/{order_id}", "GET", "/v1/orders/7/offers")
