"""Why an order has its courier, or none yet, over REST."""

from engine.dispatch.why import TEXTS, Why
from tests.api.town import Town
from tests.builders import new_id


async def test_an_operator_reads_why_an_order_waits_and_then_who_was_asked(town: Town) -> None:
    operator, customer = await town.operator(), await town.log_in("customer")
    order = await customer.order()
    path = f"/v1/orders/{order}/decisions"
    while (told := (await operator.get(path)).json())["waiting"] is None:
        pass
    en, ar = TEXTS[Why.NO_COURIER]
    waiting = told["waiting"]
    assert (waiting["reason"], waiting["text"], waiting["text_ar"]) == ("no_courier", en, ar)
    assert waiting["couriers"] == []
    assert (told["order_id"], told["status"]) == (order, "waiting")

    courier, phone = await town.courier()
    offer = await phone.offer(courier)
    told = (await operator.get(path)).json()
    assert told["waiting"] is None
    assert [one["kind"] for one in told["decisions"]] == ["wait", "offer"]
    shown = told["decisions"][1]
    assert (shown["offer_id"], shown["courier_id"]) == (offer["offer_id"], courier.user_id)
    assert (shown["mode"], shown["status"], shown["candidates"]) == ("direct", "open", 1)

    await phone.tell("decline", offer_id=offer["offer_id"], reason="far")
    while (told := (await operator.get(path)).json())["waiting"] is None:
        pass
    (named,) = told["waiting"]["couriers"]
    assert (named["courier_id"], named["reason"]) == (courier.user_id, "declined")
    assert named["text_ar"] == TEXTS[Why.DECLINED][1]


async def test_decisions_are_for_operators_and_of_orders_that_exist(town: Town) -> None:
    customer = await town.log_in("customer")
    order = await customer.order()
    assert (await customer.get(f"/v1/orders/{order}/decisions")).status_code == 403
    operator = await town.operator()
    unknown = await operator.get(f"/v1/orders/{new_id()}/decisions")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_order")
