"""Lists over REST: bounded, walked by cursors in both directions, filtered and cut by fields."""

import re
from typing import Any

import pytest

from api.description import document
from api.list_queries import AUDIT_LOG
from engine.kernel.pages import FIRST_ID
from engine.orders.order import OrderStatus
from tests.api.town import Person, Town


async def pages_of(person: Person, path: str, name: str) -> list[dict[str, Any]]:
    """From the first page by `next` to the last, by the Link header as well."""
    told = await person.get(path)
    pages = [told.json()]
    while pages[-1]["next"]:
        link = re.search(r'<([^>]+)>; rel="next"', told.headers["link"])
        assert link is not None
        told = await person.get(link[1])
        assert told.status_code == 200, told.text
        pages.append(told.json())
        assert pages[-1][name], "a page that was promised has rows"
    assert 'rel="next"' not in told.headers.get("link", "")
    return pages


async def test_pages_are_walked_in_both_directions(town: Town) -> None:
    customer = await town.log_in("customer")
    placed = [await customer.order() for _ in range(5)]
    for sort in ("-placed_at", "placed_at"):
        expected = placed[::-1] if sort.startswith("-") else placed
        path = f"/v1/orders?limit=2&sort={sort}"
        pages = await pages_of(customer, path, "orders")
        seen = [[one["order_id"] for one in page["orders"]] for page in pages]
        assert seen == [expected[at : at + 2] for at in range(0, len(expected), 2)]
        assert pages[0]["previous"] is None
        placed = [*placed, await customer.order()]
        page = pages[-1]
        for before in seen[-2::-1]:
            page = (await customer.get(f"{path}&cursor={page['previous']}")).json()
            assert [one["order_id"] for one in page["orders"]] == before


async def test_a_list_is_filtered_by_what_it_declares(town: Town) -> None:
    customer = await town.log_in("customer")
    first, second = [await customer.order() for _ in range(2)]
    await customer.post(f"/v1/orders/{first}/cancel", {"reason": "changed_mind"})
    at = (await customer.get(f"/v1/orders/{second}")).json()["placed_at"]

    async def found(query: str) -> list[str]:
        told = await customer.get(f"/v1/orders?{query}")
        assert told.status_code == 200, told.text
        return [one["order_id"] for one in told.json()["orders"]]

    assert await found("status=cancelled") == [first]
    assert await found("status=cancelled&status=waiting") == [second, first]
    assert await found("status=cancelled,waiting") == [second, first]
    assert await found("status=delivered") == []
    assert await found(f"placed_at[gte]={at}") == [second]
    assert await found(f"placed_at[lt]={at}") == [first]
    assert await found(f"placed_at[gt]={at}") == []
    assert await found(f"status=waiting&placed_at[lte]={at}&total_halalas[gte]=1") == [second]
    assert await found("total_halalas[lt]=1") == []


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=x",
        "cursor=%21%21",
        "cursor=eA",
        "cursor=ة",
        "sort=total",
        "status=lost",
        "fields=secret",
        "placed_at[gte]=-1",
        "before=1",
        "placed_at[like]=1",
    ],
)
async def test_what_a_list_does_not_know_is_refused(town: Town, query: str) -> None:
    refused = await (await town.log_in("customer")).get(f"/v1/orders?{query}")
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")
    assert refused.json()["errors"][0]["pointer"].startswith("/query")


@pytest.mark.parametrize(
    ("query", "pointer", "allowed"),
    [
        ("sort=total", "/query/sort", ["-placed_at", "placed_at"]),
        ("status=waiting,lost", "/query/status", [one.value for one in OrderStatus]),
        (
            "placed_at[like]=1",
            "/query/placed_at[like]",
            [f"placed_at[{one}]" for one in ("gt", "gte", "lt", "lte")],
        ),
        ("placed_at=1", "/query/placed_at", None),
        ("placed=1", "/query/placed", None),
        ("limit=5&limit=6", "/query/limit", None),
        ("total_halalas[gt]=1.5", "/query/total_halalas[gt]", None),
        ("total_halalas[gt]=١", "/query/total_halalas[gt]", None),
    ],
)
async def test_a_refusal_says_where_and_what_would_be_taken(
    town: Town, query: str, pointer: str, allowed: list[str] | None
) -> None:
    refused = await (await town.log_in("customer")).get(f"/v1/orders?{query}")
    (fault,) = refused.json()["errors"]
    assert fault["pointer"] == pointer
    if allowed is not None:
        assert fault["allowed"] == allowed


async def test_every_fault_of_a_question_is_told_at_once(town: Town) -> None:
    refused = await (await town.log_in("customer")).get("/v1/orders?limit=0&sort=x&colour=red")
    faults = {one["pointer"]: one for one in refused.json()["errors"]}
    assert set(faults) == {"/query/limit", "/query/sort", "/query/colour"}
    assert {"status", "placed_at[gte]", "sort", "fields"} <= set(faults["/query/colour"]["allowed"])


async def test_a_cursor_goes_on_by_itself_with_its_filters_and_its_order(town: Town) -> None:
    customer = await town.log_in("customer")
    placed = [await customer.order() for _ in range(4)]
    await customer.post(f"/v1/orders/{placed[1]}/cancel", {"reason": "changed_mind"})
    first = (await customer.get("/v1/orders?status=waiting&sort=placed_at&limit=1")).json()
    rest = (await customer.get(f"/v1/orders?cursor={first['next']}")).json()
    assert [one["order_id"] for one in rest["orders"]] == placed[2:]
    back = (await customer.get(f"/v1/orders?cursor={rest['previous']}&limit=1")).json()
    assert back["orders"] == first["orders"]


def test_a_range_is_told_in_its_own_order_if_nothing_else_is_asked() -> None:
    def order(**given: str) -> str:
        asked, _ = AUDIT_LOG.read({name: [text] for name, text in given.items()})
        return asked.by

    assert order() == order(actor=FIRST_ID) == "number"
    assert order(**{"at[gte]": "5"}) == "at"
    assert order(sort="number", **{"at[gte]": "5"}) == "number"


async def test_a_cursor_is_of_one_caller_one_list_and_its_filters(town: Town) -> None:
    customer, other = [await town.log_in("customer") for _ in range(2)]
    for _ in range(2):
        await customer.order()
    cursor = (await customer.get("/v1/orders?limit=1")).json()["next"]
    assert (await customer.get(f"/v1/orders?cursor={cursor}&limit=5")).status_code == 200
    changed = cursor[:-1] + ("A" if cursor[-1] != "A" else "B")
    for person, query in (
        (other, f"cursor={cursor}"),
        (customer, f"cursor={cursor}&sort=placed_at"),
        (customer, f"cursor={cursor}&status=waiting"),
        (customer, f"cursor={changed}"),
        (customer, f"cursor={cursor[:20]}"),
    ):
        refused = await person.get(f"/v1/orders?{query}")
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request"), query


async def test_the_other_lists_have_pages_too(town: Town) -> None:
    customer = await town.log_in("customer")
    order_id = await customer.order()
    operator = await town.operator()
    for path, name in (
        (f"/v1/orders/{order_id}/timeline", "events"),
        (f"/v1/orders/{order_id}/offers", "offers"),
        ("/v1/zones", "zones"),
        (f"/v1/zones/{town.zone_id}/parameters", "versions"),
        (f"/v1/zones/{town.zone_id}/what-if", "what_ifs"),
    ):
        whole = (await operator.get(path)).json()[name]
        pages = await pages_of(operator, f"{path}?limit=1", name)
        assert [one for page in pages for one in page[name]] == whole, path


# What answers with a list without a cursor, and what bounds it.
BOUNDED = {
    "/.well-known/jwks.json": "two keys at a time",
    "/v1/sessions": "HADIYATI_IDENTITY__SESSIONS_MAX",
    "/v1/courier": "the orders of one trip and the next",
    "/v1/couriers/{courier_id}/trail": "limit; next is an instant",
    "/v1/orders/{order_id}/decisions": "WAITS_MAX reasons, and the offers of one order",
    "/v1/zones/{zone_id}": "ZONE_CELLS_MAX cells",
    "/v1/zones/{zone_id}/shops": "ZONE_SHOPS_MAX shops",
    "/v1/profile": "ZONES_MAX zones",
    "/v1/cards": "the templates of cards",
    "/v1/orders/{order_id}/handover": "what one handover needs",
    "/v1/orders/{order_id}": "FEES_MAX fees, and the few of attempts",
    "/v1/orders/{order_id}/group": "HADIYATI_EDGE__GROUP_ORDERS_MAX",
    "/v1/orders/{order_id}/group/cancellation": "as above",
    "/v1/orders/{order_id}/invoices": "an invoice and its notes",
    "/v1/payments/{payment_id}": "its refunds",
    "/v1/payment-methods": "the networks",
    "/v1/saved-methods": "SAVED_MAX",
    "/v1/drafts": "DRAFTS_MAX",
    "/v1/drafts/{draft_id}": "fifty lines of goods, and eight skills",
    "/v1/privacy-requests/{request_id}": "what stands in the way: five kinds",
    "/v1/wallet": "the kinds of accounts",
    "/v1/wallet/points": "the orders of a year and their points",
    "/v1/periods/{period}/trial-balance": "the kinds of accounts",
    "/v1/periods/{period}/vat-return": "the kinds of documents",
    "/v1/jobs": "the kinds of jobs",
    "/v1/orders/{order_id}/money": "LINES_MAX",
    "/v1/settlement-breaks/{break_id}": "LINES_MAX",
    "/v1/settlement-feeds": "the gateways",
    "/v1/orders/{order_id}/conversation": "the quick replies, and a marker of each who read",
    "/v1/orders/{order_id}/quote": "50 goods, and a line for each and the delivery",
    "/v1/orders/{order_id}/due": "FEES_MAX fees, each settled once",
}


def test_every_list_is_bounded() -> None:
    schemas = document()["components"]["schemas"]
    unbounded = set()
    for path, methods in document()["paths"].items():
        if "get" not in methods:
            continue
        content = methods["get"]["responses"]["200"]["content"]
        if "application/json" not in content:
            continue
        told = content["application/json"]["schema"]
        fields = schemas[told["$ref"].rpartition("/")[2]]["properties"].values()
        has_list = any("array" in str(one) for one in fields)
        is_paged = any(one["name"] == "cursor" for one in methods["get"].get("parameters", ()))
        if has_list and not is_paged:
            unbounded.add(path)
    assert unbounded == set(BOUNDED)
