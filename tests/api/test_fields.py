"""Answers that are cut to the fields that were asked for, of whatever answers with a resource."""

from api.answer import Answer, PageAnswer
from api.description import document
from api.fields import sparse_of
from tests.api.town import Person, Town


class Leaf(Answer):
    """A row."""

    leaf_id: str
    colour: str


class Leaves(PageAnswer):
    """A page."""

    leaves: list[Leaf]


class Branch(Answer):
    """A resource that has some of another."""

    branch_id: str
    leaves: list[Leaf]


def test_of_a_list_it_is_the_rows_and_of_a_resource_itself() -> None:
    of_list, of_branch = sparse_of(Leaves), sparse_of(Branch)
    assert (of_list.rows, of_list.names) == ("leaves", ("leaf_id", "colour"))
    assert (of_branch.rows, of_branch.names) == ("", ("branch_id", "leaves"))
    told = {"leaves": [{"leaf_id": "1", "colour": "red", "new": 1}], "next": None}
    assert of_list.cut(told, ["colour"]) == {"leaves": [{"colour": "red"}], "next": None}
    assert of_branch.cut({"branch_id": "2", "leaves": []}, ["branch_id"]) == {"branch_id": "2"}


def test_every_resource_and_every_list_can_be_cut() -> None:
    whole = {
        path
        for path, methods in document()["paths"].items()
        if "get" in methods and path.startswith("/v1/")
        if "application/json" in methods["get"]["responses"]["200"]["content"]
        if not any(one["name"] == "fields" for one in methods["get"].get("parameters", ()))
    }
    assert whole == set()


async def test_only_the_fields_that_were_asked_for_are_told(town: Town) -> None:
    customer = await town.log_in("customer")
    order_id = await customer.order()
    for query in ("fields=order_id&fields=public_status", "fields=order_id,public_status"):
        told = await customer.get(f"/v1/orders?{query}&limit=5")
        assert told.json()["orders"] == [{"order_id": order_id, "public_status": "pending"}]
    order = await customer.get(f"/v1/orders/{order_id}?fields=code")
    whole = (await customer.get(f"/v1/orders/{order_id}")).json()
    assert order.json() == {"code": whole["code"]}
    assert int(order.headers["content-length"]) == len(order.content)
    operator = await town.operator()
    zones = (await operator.get("/v1/zones?fields=name_en")).json()["zones"]
    assert zones == [{"name_en": "Olaya"}]


async def test_a_field_that_there_is_not_is_refused_with_those_that_there_are(town: Town) -> None:
    customer = await town.log_in("customer")
    order_id = await customer.order()
    for path in (f"/v1/orders/{order_id}", "/v1/orders"):
        refused = await customer.get(f"{path}?fields=code,secret")
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")
        (fault,) = refused.json()["errors"]
        assert fault["pointer"] == "/query/fields"
        assert "public_status" in fault["allowed"]
        assert "x-request-id" in refused.headers
        assert (await customer.get(f"{path}?fields=")).status_code == 422


async def test_a_page_of_chosen_fields_goes_on_with_them(town: Town) -> None:
    customer = await town.log_in("customer")
    placed = [await customer.order() for _ in range(2)]
    told = await customer.get("/v1/orders?fields=order_id&limit=1")
    assert told.json()["orders"] == [{"order_id": placed[1]}]
    link = told.headers["link"].partition(">")[0][1:]
    assert (await customer.get(link)).json()["orders"] == [{"order_id": placed[0]}]


async def test_an_etag_is_of_the_resource_however_much_of_it_is_told(town: Town) -> None:
    customer = await town.log_in("customer")
    whole, part = [await customer.get(f"/v1/profile{one}") for one in ("", "?fields=name_en")]
    assert part.json() == {"name_en": whole.json()["name_en"]}
    tag = part.headers["etag"]
    assert tag == whole.headers["etag"]
    for path in ("/v1/profile", "/v1/profile?fields=name_en"):
        assert (await customer.get(path, **{"if-none-match": tag})).status_code == 304
    await changed(customer, tag)
    again = await customer.get("/v1/profile?fields=name_en", **{"if-none-match": tag})
    assert (again.status_code, again.json()) == (200, {"name_en": "Noura"})


async def changed(person: Person, tag: str) -> None:
    told = await person.town.client.patch(
        "/v1/profile", json={"name_en": "Noura"}, headers={**person.headers, "if-match": tag}
    )
    assert told.status_code == 200, told.text
