"""How a zone does, for operators."""

from engine.kernel.timing import HOUR_MS
from engine.metrics import DEFINITIONS
from tests.api.town import Town
from tests.builders import new_id


async def test_an_operator_sees_how_his_zone_does(town: Town) -> None:
    customer, operator = await town.log_in("customer"), await town.operator()
    await customer.order()
    courier, phone = await town.courier()
    offer = await phone.offer(courier)
    await phone.tell("accept", offer_id=offer["offer_id"])
    (zone,) = (await operator.get("/v1/zones")).json()["zones"]
    told = (await operator.get(f"/v1/zones/{zone['zone_id']}/metrics")).json()
    found = told["metrics"]
    assert (found["orders"], found["delivered"], found["couriers"]) == (1, 0, 1)
    assert (found["offers"]["made"], found["offers"]["accepted"]) == (1, 1)
    assert found["click_to_door_min"] is None
    assert set(found) == set(told["definitions"]) == set(DEFINITIONS)
    assert told["until"] - told["since"] == HOUR_MS


async def test_what_cannot_be_told_is_refused(town: Town) -> None:
    customer, operator = await town.log_in("customer"), await town.operator()
    (zone,) = (await operator.get("/v1/zones")).json()["zones"]
    path = f"/v1/zones/{zone['zone_id']}/metrics"
    assert (await customer.get(path)).status_code == 403
    assert (await operator.get(f"/v1/zones/{new_id()}/metrics")).status_code == 404
    for since in ("0", "9" * 15, "-1", "yesterday"):
        told = await operator.get(f"{path}?since={since}")
        assert (told.status_code, told.json()["code"]) == (422, "invalid_request"), since
