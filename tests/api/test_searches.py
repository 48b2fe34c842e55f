"""Orders found among all, by operators, admins and the courier who carried them."""

from tests.api.test_exports import an_order_for, read
from tests.api.test_operator_zones import limited
from tests.api.town import Person, Town
from tests.builders import new_id


async def found(person: Person, query: str) -> list[str]:
    told = await person.get(f"/v1/order-search?{query}")
    assert told.status_code == 200, told.text
    return [one["order_id"] for one in told.json()["orders"]]


async def test_those_in_charge_find_anybodys_order(town: Town) -> None:
    first = await an_order_for(await town.log_in("customer"), "آمنة العتيبي")
    second = await an_order_for(await town.log_in("customer"), "Fahd")
    operator, admin = await town.operator(), await town.admin()
    code = (await operator.get(f"/v1/orders/{first}")).json()["code"]
    for person in (operator, admin):
        assert await found(person, "") == [second, first]
        assert await found(person, "sort=placed_at") == [first, second]
        for query in ("q=امنه", "q=عتيبي امن", f"code={code.lower()}", f"q={code}"):
            assert await found(person, query) == [first], query
        assert await found(person, "phone_suffix=4567") == [second, first]
        assert await found(person, "phone_suffix=٤٥٦٧&q=fahd") == [second]
        assert await found(person, "q=سارة") == []
        assert await found(person, f"zone_id={town.zone_id}&q=fah") == [second]
        assert await found(person, f"zone_id={new_id()}") == []
        assert await found(person, "status=cancelled") == []
    assert (await operator.get("/v1/order-search?phone_suffix=567")).status_code == 422
    assert (await operator.get("/v1/order-search?zone_id=x")).status_code == 422
    sheet = read((await admin.get("/v1/order-search.csv?q=fahd")).text)
    assert [one["order_id"] for one in sheet] == [second]
    pages = await operator.get("/v1/order-search?limit=1&fields=order_id")
    assert pages.json()["orders"] == [{"order_id": second}]
    rest = await operator.get(f"/v1/order-search?limit=1&cursor={pages.json()['next']}")
    assert rest.json()["orders"][0]["order_id"] == first


async def test_an_operator_finds_nothing_beyond_his_zones(town: Town) -> None:
    order_id = await an_order_for(await town.log_in("customer"), "Noura")
    for zones, expected in (([new_id()], []), ([town.zone_id], [order_id])):
        operator = await limited(town, zones)
        assert await found(operator, "q=noura") == expected
        assert await found(operator, f"q=noura&zone_id={town.zone_id}") == expected


async def test_a_courier_finds_what_he_carried_and_nobody_elses(town: Town) -> None:
    customer = await town.log_in("customer")
    courier, phone = await town.courier()
    order_id = await an_order_for(customer, "Noura")
    offer = await phone.offer(courier)
    assert (await phone.tell("accept", offer_id=offer["offer_id"]))["type"] == "reply"
    assert (await courier.get("/v1/past-work")).json()["orders"] == []
    pin = (await customer.get(f"/v1/orders/{order_id}")).json()["pin"]
    for step in ("reached_shop", "picked_up", "reached_door", "delivered"):
        more = {"pin": pin} if step == "delivered" else {}
        told = await phone.tell("progress", order_id=order_id, step=step, **more)
        assert told["type"] == "reply", told
    (done,) = (await courier.get("/v1/past-work?q=nou&phone_suffix=4567")).json()["orders"]
    assert (done["order_id"], done["status"]) == (order_id, "delivered")
    assert "phone" not in done
    sheet = read((await courier.get("/v1/past-work.csv")).text)
    assert [one["order_id"] for one in sheet] == [order_id]
    other = await town.log_in("courier")
    assert (await other.get("/v1/past-work")).json()["orders"] == []
