"""Where a courier was, as operators may look it up."""

from typing import Any

from engine.kernel.ids import CourierId, UserId
from storage.store import TrailFix
from tests.api.town import Town
from tests.builders import CORNER, new_id


async def test_an_operator_reads_a_trail_in_parts(town: Town) -> None:
    courier, _ = await town.courier()
    operator = await town.operator()
    now = town.parts.clock.now()
    courier_id = CourierId(UserId(courier.user_id))
    kept = [
        TrailFix(courier_id=courier_id, at=now - at, lat=CORNER.lat, lng=CORNER.lng, accuracy_m=5.0)
        for at in (30, 20, 10)
    ]
    await town.parts.store.save_trail(kept)
    path = f"/v1/couriers/{courier.user_id}/trail?until={now}&limit=2"
    found: list[dict[str, Any]] = []
    since: int | None = now - 100
    while since is not None:
        part = (await operator.get(f"{path}&since={since}")).json()
        assert part["courier_id"] == courier.user_id
        found += part["fixes"]
        since = part["next"]
    assert [one["at"] for one in found] == [one.at for one in kept]
    assert found[0].keys() == {"at", "lat", "lng", "accuracy_m"}
    hour = await operator.get(f"/v1/couriers/{courier.user_id}/trail")
    assert hour.json()["fixes"][-1]["at"] >= kept[-1].at


async def test_a_trail_is_for_operators_and_of_couriers(town: Town) -> None:
    courier, _ = await town.courier()
    path = f"/v1/couriers/{courier.user_id}/trail"
    assert (await courier.get(path)).status_code == 403
    operator = await town.operator()
    unknown = await operator.get(f"/v1/couriers/{new_id()}/trail")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_courier")
    assert (await operator.get(f"{path}?limit=0")).status_code == 422
