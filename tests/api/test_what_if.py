"""Trying parameters on the last hours, over REST."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
from pydantic import TypeAdapter

from actors.clock import SystemClock
from api.answers import WhatIfShown, WhatIfsShown
from api.settings import WhatIfSettings
from engine.kernel.ids import ZoneId
from engine.kernel.pages import Wanted
from engine.what_if import WhatIf, WhatIfStatus
from simulations.what_if import IN_FORCE, TRIED
from storage.memory_what_ifs import MemoryWhatIfs
from tests.api.town import Person, Town, a_town
from tests.builders import NOON, a_what_if, new_id

TRY = {"parameters": {"commit_lead_s": 0, "trips_max": 1}, "hours": 0.2, "runs": 2}


async def with_orders(town: Town) -> Person:
    """An operator of a town in which two orders were placed and a courier works."""
    customer = await town.log_in("customer")
    await town.courier()
    for _ in range(2):
        await customer.order()
    return await town.operator()


async def ask(
    operator: Person, body: object = TRY, *, zone_id: str = "", key: str | None = None
) -> httpx2.Response:
    zone = zone_id or operator.town.zone_id
    return await operator.post(f"/v1/zones/{zone}/what-if", body, key=key)


async def until(
    operator: Person, what_if_id: str, fits: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """How it is shown when it fits."""
    while True:
        told = await operator.get(f"/v1/zones/{operator.town.zone_id}/what-if/{what_if_id}")
        assert told.status_code == 200, told.text
        if fits(told.json()):
            return dict(told.json())
        await SystemClock().sleep(20)


def has_ended(shown: dict[str, Any]) -> bool:
    return shown["ended_at"] is not None


async def test_the_last_hours_are_lived_under_other_parameters(town: Town) -> None:
    operator = await with_orders(town)
    key = town.key()
    asked = await ask(operator, key=key)
    assert asked.status_code == 202, asked.text
    assert asked.json()["status"] == "queued"
    assert asked.json()["parameters"] == {"commit_lead_s": 0, "trips_max": 1}
    what_if_id = asked.json()["what_if_id"]
    done = await until(operator, what_if_id, has_ended)
    assert (done["status"], done["done"], done["total"]) == ("done", 4, 4), done["problem"]
    assert (done["result"]["a"], done["result"]["b"]) == (IN_FORCE, TRIED)
    assert {one["days"] for one in done["result"]["metrics"]} == {2}
    assert any("these hours only" in one for one in done["result"]["notes"])
    TypeAdapter(WhatIfShown).validate_python(done, strict=True)
    # The same request again is the same question; another one under its key is refused.
    assert (await ask(operator, key=key)).json() == done
    reused = await ask(operator, {**TRY, "runs": 3}, key=key)
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")
    listed = (await operator.get(f"/v1/zones/{town.zone_id}/what-if")).json()
    assert listed == {"what_ifs": [done], "next": None, "previous": None}
    TypeAdapter(WhatIfsShown).validate_python(listed, strict=True)
    late = await operator.post(f"/v1/zones/{town.zone_id}/what-if/{what_if_id}/cancel")
    assert (late.status_code, late.json()["code"]) == (409, "what_if_ended")


async def test_what_is_cancelled_stops_and_gives_its_place_free(tmp_path: Path) -> None:
    async with a_town(tmp_path, what_if=WhatIfSettings(at_once=1, waiting_max=0)) as town:
        operator = await with_orders(town)
        what_if_id = (await ask(operator, {**TRY, "runs": 20})).json()["what_if_id"]
        await until(operator, what_if_id, lambda shown: shown["status"] == "running")
        refused = await ask(operator)
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_what_ifs")
        path = f"/v1/zones/{town.zone_id}/what-if/{what_if_id}/cancel"
        cancelled = await operator.post(path)
        assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
        assert (await operator.post(path)).json() == cancelled.json()
        # The place is free only when the child has ended.
        while (await ask(operator)).status_code == 429:
            await SystemClock().sleep(5)
        assert await until(operator, what_if_id, has_ended) == cancelled.json()


async def test_one_waits_for_the_turn_of_another(tmp_path: Path) -> None:
    async with a_town(tmp_path, what_if=WhatIfSettings(at_once=1, waiting_max=1)) as town:
        operator = await with_orders(town)
        first, second = [(await ask(operator, {**TRY, "runs": 20})).json() for _ in range(2)]
        await until(operator, first["what_if_id"], lambda shown: shown["status"] == "running")
        waiting = await until(operator, second["what_if_id"], lambda _: True)
        assert waiting["status"] == "queued"
        await operator.post(f"/v1/zones/{town.zone_id}/what-if/{first['what_if_id']}/cancel")
        await until(operator, second["what_if_id"], lambda shown: shown["status"] == "running")


async def test_who_takes_too_long_is_stopped(tmp_path: Path) -> None:
    async with a_town(tmp_path, what_if=WhatIfSettings(time_limit_s=0.2)) as town:
        operator = await with_orders(town)
        what_if_id = (await ask(operator)).json()["what_if_id"]
        failed = await until(operator, what_if_id, has_ended)
        assert failed["status"] == "failed"
        assert "longer than 0.2 s" in failed["problem"]


async def test_an_edge_that_stops_says_what_it_interrupted(tmp_path: Path) -> None:
    kept = MemoryWhatIfs()
    async with a_town(tmp_path, what_ifs=kept) as town:
        operator = await with_orders(town)
        for _ in range(2):
            assert (await ask(operator, {**TRY, "runs": 20})).status_code == 202
        zone_id = ZoneId(town.zone_id)
    found = (await kept.list_of(zone_id, Wanted(limit=9))).rows
    assert [one.status for one in found] == [WhatIfStatus.INTERRUPTED] * 2


async def test_what_a_dead_edge_left_behind_is_found_interrupted(tmp_path: Path) -> None:
    kept = MemoryWhatIfs()
    async with a_town(tmp_path, what_ifs=kept) as town:
        left: WhatIf = a_what_if(zone_id=ZoneId(town.zone_id), at=NOON)
        assert await kept.save(left)
        operator = await town.operator()
        shown = await until(operator, left.id, lambda _: True)
        assert shown["status"] == "interrupted"
        assert "Ask again" in shown["problem"]
        stored = await kept.find(left.id)
        assert stored is not None
        assert stored.status is WhatIfStatus.INTERRUPTED


async def test_what_cannot_be_tried_is_refused(town: Town) -> None:
    operator = await town.operator()
    nobody = await ask(operator)
    assert (nobody.status_code, nobody.json()["code"]) == (409, "nothing_to_replay")
    unknown = await ask(operator, zone_id=new_id())
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_zone")
    missing = await operator.get(f"/v1/zones/{town.zone_id}/what-if/{new_id()}")
    assert (missing.status_code, missing.json()["code"]) == (404, "unknown_what_if")
    for change, code, pointer in (
        ({"parameters": {"tock_s": 1}}, "invalid_request", "/parameters/tock_s"),
        ({"parameters": {"trips_max": 99}}, "invalid_request", "/parameters/trips_max"),
        ({"parameters": {"travel": {"detour": 9.0}}}, "bad_parameters", ""),
        ({"parameters": {}}, "same_parameters", ""),
        ({"hours": 100}, "invalid_request", "/hours"),
        ({"runs": 500}, "invalid_request", "/runs"),
        ({"metric": "beauty"}, "invalid_request", "/metric"),
    ):
        told = (await ask(operator, {**TRY, **change})).json()
        assert told["code"] == code, told
        assert [one["pointer"] for one in told.get("errors", [])] == ([pointer] if pointer else [])


async def test_too_many_orders_are_not_lived_again(tmp_path: Path) -> None:
    async with a_town(tmp_path, what_if=WhatIfSettings(orders_max=1)) as town:
        refused = await ask(await with_orders(town))
        assert (refused.status_code, refused.json()["code"]) == (422, "too_much_to_replay")
