"""Zones and their parameters, for operators."""

import asyncio
from typing import Any

from engine.geo.cells import cell_at
from engine.geo.shops import ZONE_SHOPS_MAX
from engine.kernel.place import Point
from engine.kernel.timing import HOUR_MS
from tests.api.town import PARAMETERS, QUOTE, Person, Town, order_body
from tests.builders import DOOR, SHOP, new_id

JEDDAH = cell_at(Point(lat=21.54, lng=39.17), 8)
NAMES = {"name_en": "Jeddah", "name_ar": "جدة"}


async def change(person: Person, zone_id: str, seen: object, **more: object) -> tuple[int, str]:
    body = {"parameters": {"tick_s": 3}, "reason": "Eid", **more}
    told = await person.put(f"/v1/zones/{zone_id}/parameters", body, **{"If-Match": f'"{seen}"'})
    return told.status_code, told.json().get("code", "")


async def test_a_zone_is_shown_with_the_parameters_in_force(town: Town) -> None:
    operator = await town.operator()
    (zone,) = (await operator.get("/v1/zones")).json()["zones"]
    one = await operator.get(f"/v1/zones/{zone['zone_id']}")
    assert one.json() == zone
    assert one.headers["etag"] == '"1"'
    assert zone["parameters"].items() >= PARAMETERS.items()
    assert zone["anchor"] in zone["cells"]


async def test_a_zone_may_be_given_as_cells(town: Town) -> None:
    operator = await town.operator()
    key, body = town.key(), {**NAMES, "cells": [JEDDAH]}
    made = await operator.post("/v1/zones", body, key=key)
    assert (made.status_code, made.json()["parameters_version"]) == (201, 1)
    assert (await operator.post("/v1/zones", body, key=key)).json() == made.json()
    taken = await operator.post("/v1/zones", body)
    assert (taken.status_code, taken.json()["code"]) == (409, "cells_taken")


async def test_a_zone_that_cannot_be_is_refused(town: Town) -> None:
    operator = await town.operator()
    corners = [{"lat": 0, "lng": 0}, {"lat": 0, "lng": 1}, {"lat": 1, "lng": 1}]
    coarse = cell_at(Point(lat=21.54, lng=39.17), 6)
    for body, pointer in (
        ({}, ""),
        ({"cells": [JEDDAH], "polygon": corners}, ""),
        ({"cells": ["nowhere"]}, "/cells/0"),
        ({"cells": [JEDDAH, coarse]}, "/cells"),
        ({"cells": []}, "/cells"),
        ({"polygon": corners[:2]}, "/polygon"),
        ({"polygon": corners, "resolution": 10}, "/polygon"),
        ({"polygon": [corners[0]] * 3}, "/polygon"),
        ({"polygon": corners, "resolution": 2}, "/resolution"),
        ({"cells": [JEDDAH], "parameters": {"tick_s": 0}}, "/parameters/tick_s"),
        ({"cells": [JEDDAH], "parameters": {"tick_s": "2"}}, "/parameters/tick_s"),
        ({"cells": [JEDDAH], "parameters": {"tock_s": 2}}, "/parameters/tock_s"),
        (
            {"cells": [JEDDAH], "parameters": {"travel": {"detour": "x"}}},
            "/parameters/travel/detour",
        ),
    ):
        refused = await operator.post("/v1/zones", {**NAMES, **body})
        told = refused.json()
        assert (refused.status_code, told["code"]) == (422, "invalid_request"), body
        assert [one["pointer"] for one in told["errors"]] == [pointer], body


async def test_parameters_out_of_bounds_are_named(town: Town) -> None:
    body = {**NAMES, "cells": [JEDDAH], "parameters": {"travel": {"detour": 9.0}}}
    refused = await (await town.operator()).post("/v1/zones", body)
    assert (refused.status_code, refused.json()["code"]) == (422, "bad_parameters")
    assert refused.json()["faults"] == ["travel.detour must be 1 to 5"]


async def test_new_parameters_keep_what_they_do_not_name(town: Town) -> None:
    operator = await town.operator()
    assert await change(operator, town.zone_id, 1) == (200, "")
    zone = await operator.get(f"/v1/zones/{town.zone_id}")
    assert zone.headers["etag"] == '"2"'
    assert zone.json()["parameters"].items() >= {**PARAMETERS, "tick_s": 3}.items()
    versions = (await operator.get(f"/v1/zones/{town.zone_id}/parameters")).json()["versions"]
    assert [(one["version"], one["reason"]) for one in versions] == [(2, "Eid"), (1, "created")]
    assert versions[0]["author"] == operator.user_id


async def test_who_saw_an_old_version_is_told_so(town: Town) -> None:
    operator = await town.operator()
    assert await change(operator, town.zone_id, 1) == (200, "")
    assert await change(operator, town.zone_id, 1, reason="later") == (412, "stale_parameters")
    assert await change(operator, town.zone_id, 7) == (412, "stale_parameters")
    assert await change(operator, town.zone_id, "x") == (412, "stale_parameters")


async def test_what_is_wrong_is_told_before_what_has_become_old(town: Town) -> None:
    operator = await town.operator()
    path, old = f"/v1/zones/{town.zone_id}/parameters", {"If-Match": '"7"'}
    faults: tuple[dict[str, Any], ...] = (
        {"guard": {}},
        {"parameters": {"travel": {"whole_s": {}}}},
    )
    for fault in faults:
        refused = await operator.put(path, {"parameters": {}, "reason": "Eid", **fault}, **old)
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request"), fault
    body = {"reason": "it was better", "guard": {}}
    refused = await operator.post(f"{path}/1/restore", body, **old)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")


async def test_a_change_that_is_sent_twice_is_one_change(town: Town) -> None:
    operator = await town.operator()
    assert await change(operator, town.zone_id, 1) == (200, "")
    assert await change(operator, town.zone_id, 1) == (200, "")
    assert (await operator.get(f"/v1/zones/{town.zone_id}")).headers["etag"] == '"2"'


async def test_of_two_operators_at_once_one_is_quicker(town: Town) -> None:
    operator = await town.operator()
    told = await asyncio.gather(
        *(change(operator, town.zone_id, 1, reason=reason) for reason in ("one", "two"))
    )
    assert sorted(told) == [(200, ""), (412, "stale_parameters")]


async def restore(person: Person, zone_id: str, version: int, seen: object) -> tuple[int, str]:
    path = f"/v1/zones/{zone_id}/parameters/{version}/restore"
    told = await person.post(path, {"reason": "it was better"}, **{"If-Match": f'"{seen}"'})
    return told.status_code, told.json().get("code", "")


async def test_an_earlier_version_is_restored_as_a_new_one_that_names_it(town: Town) -> None:
    operator = await town.operator()
    assert await change(operator, town.zone_id, 1) == (200, "")
    assert await restore(operator, town.zone_id, 1, 2) == (200, "")
    assert await restore(operator, town.zone_id, 1, 2) == (200, "")
    versions = (await operator.get(f"/v1/zones/{town.zone_id}/parameters")).json()["versions"]
    told = [(one["version"], one["restores"], one["changes"]) for one in versions]
    assert told == [
        (3, 1, {"tick_s": [3, 2]}),
        (2, None, {"tick_s": [2, 3]}),
        (1, None, {}),
    ]
    assert versions[0]["parameters"] == versions[2]["parameters"]
    assert await restore(operator, town.zone_id, 9, 3) == (404, "unknown_parameters_version")
    assert await restore(operator, town.zone_id, 1, 2) == (200, "")
    assert await restore(operator, town.zone_id, 2, 1) == (412, "stale_parameters")


async def test_a_guard_is_given_with_a_change_and_shown_with_what_became_of_it(town: Town) -> None:
    operator = await town.operator()
    guard = {"metric": "late_percent", "bound": 20}
    assert await change(operator, town.zone_id, 1, guard=guard) == (200, "")
    versions = (await operator.get(f"/v1/zones/{town.zone_id}/parameters")).json()["versions"]
    assert versions[0]["guard"].items() >= guard.items()
    assert [one["guard_state"] for one in versions] == ["watching", None]


async def test_a_guard_that_cannot_be_is_refused(town: Town) -> None:
    operator = await town.operator()
    for guard, pointer in (
        ({"metric": "luck", "bound": 1}, "/guard/metric"),
        ({"bound": 1}, "/guard"),
        ({"metric": "late_percent", "bound": 1, "window": 3}, "/guard/window"),
        ({"metric": "late_percent", "bound": 1, "window_s": 3}, "/guard/window_s"),
    ):
        body = {"parameters": {}, "reason": "Eid", "guard": guard}
        path = f"/v1/zones/{town.zone_id}/parameters"
        refused = await operator.put(path, body, **{"If-Match": '"1"'})
        assert refused.status_code == 422, guard
        assert [one["pointer"] for one in refused.json()["errors"]] == [pointer], guard
    no_cliff = {"metric": "late_percent"}
    told = await change(operator, town.zone_id, 1, guard=no_cliff)
    assert told == (422, "bad_parameters")


async def test_a_full_zone_says_when_to_come_back(town: Town) -> None:
    operator = await town.operator()
    customer = await town.log_in("customer")
    quote_id = await customer.quote()
    none = {"open_orders_max": 0}
    assert await change(operator, town.zone_id, 1, parameters=none) == (200, "")
    refused = await customer.post("/v1/orders", order_body(quote_id))
    assert (refused.status_code, refused.json()["code"]) == (429, "zone_full")
    assert refused.headers["retry-after"] == "60"
    assert refused.json()["limit"] == 0


async def test_surge_is_told_with_the_quote_and_kept_in_it(town: Town) -> None:
    operator, customer = await town.operator(), await town.log_in("customer")
    surging = {"surge_from_percent": 0, "surge_full_percent": 0, "surge_max_percent": 150}
    surging["surge_half_life_s"] = 0
    before = (await customer.post("/v1/quotes", QUOTE)).json()
    assert before["surge_percent"] == 100
    await customer.order()
    assert await change(operator, town.zone_id, 1, parameters=surging) == (200, "")
    # The zone follows from tick to tick; somebody waits from the first one on.
    while True:
        after = (await customer.post("/v1/quotes", QUOTE)).json()
        if after["surge_percent"] != 100:
            break
    assert after["surge_percent"] == 150
    assert after["fee_halalas"] == (before["fee_halalas"] * 150 + 50) // 100
    kept = await town.parts.store.find_quote(after["quote_id"])
    assert kept is not None
    assert kept.surge is not None
    assert (kept.surge.pressure.waiting, kept.surge.fee_percent) == (1, 150)


async def test_a_change_for_later_waits(town: Town) -> None:
    operator = await town.operator()
    later = town.parts.clock.now() + HOUR_MS
    assert await change(operator, town.zone_id, 1, effective_at=later) == (200, "")
    zone = (await operator.get(f"/v1/zones/{town.zone_id}")).json()
    assert (zone["parameters_version"], zone["last_version"]) == (1, 2)
    assert zone["upcoming"][0]["effective_at"] == later


async def test_a_change_must_say_which_version_it_is_of(town: Town) -> None:
    operator = await town.operator()
    path = f"/v1/zones/{town.zone_id}/parameters"
    refused = await operator.put(path, {"parameters": {}, "reason": "x"})
    assert (refused.status_code, refused.json()["code"]) == (428, "if_match_missing")


async def test_a_zone_that_nobody_opened_is_not_found(town: Town) -> None:
    operator = await town.operator()
    for path in (f"/v1/zones/{new_id()}", f"/v1/zones/{new_id()}/parameters"):
        unknown = await operator.get(path)
        assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_zone")
    assert await change(operator, new_id(), 1) == (404, "unknown_zone")


async def test_a_zone_is_moved_to_a_process_of_its_own_and_back(town: Town) -> None:
    operator, customer = await town.operator(), await town.log_in("customer")
    before = await customer.order()
    path, key = f"/v1/zones/{town.zone_id}/move", town.key()
    moved = await operator.post(path, {"own": True}, key=key)
    assert (moved.status_code, moved.json()["cell"]) == (200, town.zone_id)
    assert (await operator.post(path, {"own": True}, key=key)).json() == moved.json()
    again = (await operator.post(path, {"own": True})).json()
    assert (again["cell"], again["repeated"]) == (town.zone_id, True)
    cancelled = await customer.post(f"/v1/orders/{before}/cancel", {"reason": "other"})
    assert cancelled.status_code == 200
    await customer.order()
    back = (await operator.post(path, {"own": False})).json()
    assert (back["before"], back["cell"]) == (town.zone_id, moved.json()["before"])
    await customer.order()


async def test_a_zone_is_told_its_shops(town: Town) -> None:
    operator = await town.operator()
    path = f"/v1/zones/{town.zone_id}/shops"
    assert (await operator.get(path)).json() == {"zone_id": town.zone_id, "shops": []}
    shops = [{"lat": SHOP.lat, "lng": SHOP.lng}, {"lat": DOOR.lat, "lng": DOOR.lng}]
    for before in (0, 2):
        told = await operator.put(path, {"shops": [*shops, shops[0]]})
        assert told.json() == {"zone_id": town.zone_id, "shops": 2, "before": before}
    shown = (await operator.get(path)).json()["shops"]
    assert sorted(shown, key=str) == sorted(shops, key=str)
    outside = await operator.put(path, {"shops": [{"lat": 21.54, "lng": 39.17}]})
    assert (outside.status_code, outside.json()["code"]) == (422, "shops_outside_zone")
    assert outside.json()["shops"] == ["21.54, 39.17"]
    assert len((await operator.get(path)).json()["shops"]) == 2
    many = await operator.put(path, {"shops": shops[:1] * (ZONE_SHOPS_MAX + 1)})
    assert (many.status_code, many.json()["code"]) == (422, "invalid_request")
    nowhere = await operator.put(f"/v1/zones/{new_id()}/shops", {"shops": []})
    assert (nowhere.status_code, nowhere.json()["code"]) == (404, "unknown_zone")


async def test_a_changed_tariff_is_the_price_at_once_where_it_was_changed(town: Town) -> None:
    operator, customer = await town.operator(), await town.log_in("customer")
    before = await customer.post("/v1/quotes", QUOTE)
    dearer = {"fee_base_halalas": 9_900}
    await change(operator, town.zone_id, 1, parameters=dearer)
    after = await customer.post("/v1/quotes", QUOTE)
    assert after.json()["fee_halalas"] > before.json()["fee_halalas"]
