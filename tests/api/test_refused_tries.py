"""Refused log-ins and refused access leave a record that admins read and that names nobody."""

import asyncio
from typing import Any

from structlog.testing import capture_logs

from tests.api.test_staff import WRONG, enrolled, tried
from tests.api.town import Person, Town
from tests.builders import new_id

_PATIENCE_S = 60.0


async def refused(admin: Person, query: str, count: int = 1) -> list[dict[str, Any]]:
    """What is listed, once so many are."""
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(_PATIENCE_S):
        while len(found) < count:
            await admin.town.parts.wall.sleep(100)
            answer = await admin.get(f"/v1/refused-tries?{query}")
            assert answer.status_code == 200, answer.text
            found = answer.json()["refused_tries"]
    return found


async def test_refused_log_ins_are_recorded_without_whom_they_tried(town: Town) -> None:
    member = await enrolled(town)
    with capture_logs() as lines:
        await tried(town, member, **WRONG)
        await tried(town, member, email="nobody@example.com", **WRONG)
        phone = town.phone()
        await town.client.post("/v1/auth/otp", json={"phone": phone})
        wish = {"phone": phone, "code": "123", "role": "customer"}
        await town.client.post("/v1/auth/token", json=wish, headers={"Idempotency-Key": new_id()})
    admin = await town.admin()
    wrong, other = await refused(admin, "code=wrong_credentials", 2)
    assert wrong["kind"] == "log_in"
    assert wrong["route"] == "POST /v1/auth/password"
    assert wrong["subject"].startswith("tried:")
    assert wrong["subject"] != other["subject"]
    assert wrong["place"] == other["place"] != ""
    (mistyped,) = await refused(admin, "code=wrong_code")
    assert mistyped["route"] == "POST /v1/auth/token"
    said = [one for one in lines if one["event"] == "refused"]
    assert {one["code"] for one in said} >= {"wrong_credentials"}
    told = str((wrong, other, mistyped, said))
    assert not any(name in told for name in (member.email, "nobody@", phone, "127.0.0.1"))


async def test_somebody_elses_things_and_forbidden_ones_are_recorded_with_who_asked(
    town: Town,
) -> None:
    person = await town.log_in("customer")
    assert (await person.get(f"/v1/orders/{new_id()}")).status_code == 404
    assert (await person.get("/v1/audit-log")).status_code == 403
    # Who asks for his own, and has none, trespasses on nobody.
    own = await town.client.delete("/v1/privacy/erasure", headers=person.headers)
    assert own.status_code == 404
    socket = await person.socket()
    await socket.send({"type": "subscribe", "channel": f"order:{new_id()}"})
    await socket.next("error")
    found = await refused(await town.admin(), f"subject=user:{person.user_id}", 3)
    assert {one["kind"] for one in found} == {"access"}
    routes = {one["route"] for one in found}
    assert routes == {"GET /v1/orders/{order_id}", "GET /v1/audit-log", "socket subscribe"}


async def test_a_made_up_token_is_recorded_and_none_is_not(town: Town) -> None:
    await town.client.get("/v1/me")
    await town.client.get("/v1/me", headers={"authorization": "Bearer made.up.token"})
    (one,) = await refused(await town.admin(), "code=not_authenticated")
    assert (one["route"], one["subject"], one["count"]) == ("GET /v1/me", "", 1)


async def test_a_flood_is_a_few_rows(town: Town) -> None:
    person = await town.log_in("customer")
    for _ in range(40):
        await person.get("/v1/audit-log")
    admin = await town.admin()
    rows = await refused(admin, f"subject=user:{person.user_id}")
    # However often the minute turned meanwhile.
    assert len(rows) <= 6
