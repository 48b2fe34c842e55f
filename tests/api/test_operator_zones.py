"""Operators who are limited to zones: what they see and do there, and elsewhere not."""

from engine.geo.moving import MoveZone
from engine.identity.access import GRANTS
from engine.kernel.messages import Role
from tests.api.test_access import ROUTES
from tests.api.town import SECOND_OPERATOR, Person, Town
from tests.builders import new_id


async def limited(town: Town, zones: list[str] | None) -> Person:
    """The second operator, limited by an admin."""
    second = await town.log_in("operator", SECOND_OPERATOR)
    admin = await town.admin()
    socket = await second.socket()
    told = await admin.put(f"/v1/operators/{second.user_id}/zones", {"zones": zones})
    assert (told.status_code, told.json()["zones"]) == (200, zones)
    assert await socket.closed() == 4410
    assert (await second.get("/v1/me")).json()["code"] == "session_ended"
    return await town.log_in("operator", SECOND_OPERATOR)


async def test_an_operator_acts_in_his_zones(town: Town) -> None:
    customer = await town.log_in("customer")
    order_id = await customer.order()
    operator = await limited(town, [town.zone_id])
    zones = (await operator.get("/v1/zones")).json()["zones"]
    assert [one["zone_id"] for one in zones] == [town.zone_id]
    for path in (f"/v1/zones/{town.zone_id}/parameters", f"/v1/orders/{order_id}"):
        assert (await operator.get(path)).status_code == 200
    socket = await operator.socket()
    await socket.send({"type": "subscribe", "channel": f"zone:{town.zone_id}"})
    await socket.next("snapshot", channel=f"zone:{town.zone_id}")
    cancelled = await operator.post(f"/v1/orders/{order_id}/cancel", {"reason": "other"})
    assert cancelled.status_code == 200


async def test_elsewhere_he_sees_and_does_nothing(town: Town) -> None:
    customer = await town.log_in("customer")
    order_id = await customer.order()
    operator = await limited(town, [new_id()])
    assert (await operator.get("/v1/zones")).json()["zones"] == []
    for verb, reason in (("cancel", "other"), ("unassign", "x")):
        refused = await operator.post(f"/v1/orders/{order_id}/{verb}", {"reason": reason})
        assert (refused.status_code, refused.json()["code"]) == (404, "unknown_order")
    for path in ("", "/timeline", "/offers", "/decisions"):
        assert (await operator.get(f"/v1/orders/{order_id}{path}")).status_code == 404
    socket = await operator.socket()
    for channel, code in (("zone:" + town.zone_id, "not_allowed"), ("order:" + order_id, None)):
        await socket.send({"type": "subscribe", "channel": channel})
        refused_there = await socket.next("error", channel=channel)
        assert refused_there["code"] == (code or "no_such_channel")
    of_zones = [one for one in ROUTES if one[1].startswith("/v1/zones/")]
    assert len(of_zones) > 8
    for method, path, body, deed in of_zones:
        assert GRANTS[deed].roles == {Role.OPERATOR} or deed is MoveZone
        there = path.replace(path.split("/")[3], town.zone_id, 1)
        answer = await town.client.request(
            method, there, json=body, headers={**operator.headers, "Idempotency-Key": new_id()}
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed"), (method, path)


async def test_who_is_limited_opens_no_zone_and_limits_nobody(town: Town) -> None:
    operator = await limited(town, [town.zone_id])
    for refused in (
        await operator.post("/v1/zones", {"name_en": "x", "name_ar": "x", "cells": ["x"]}),
        await operator.put(f"/v1/operators/{operator.user_id}/zones", {"zones": None}),
        await operator.put(f"/v1/couriers/{new_id()}/status", {"status": "active", "reason": "x"}),
    ):
        assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")


async def test_nobody_limits_himself_and_so_nobody_locks_all_out(town: Town) -> None:
    admin = await town.admin()
    refused = await admin.put(f"/v1/operators/{admin.user_id}/zones", {"zones": []})
    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
