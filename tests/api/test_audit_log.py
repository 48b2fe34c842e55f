"""What those in charge do is recorded with what they did, and admins read it."""

from typing import Any

from tests.api.town import PARAMETERS, Person, Town
from tests.builders import new_id


async def records(admin: Person, query: str = "") -> list[dict[str, Any]]:
    answer = await admin.get(f"/v1/audit-log{query}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["records"]
    return found


async def test_who_did_what_to_whom_from_where_and_why(town: Town) -> None:
    operator, admin = await town.operator(), await town.admin()
    courier, _ = await town.courier()
    courier_path = f"/v1/couriers/{courier.user_id}"
    changed = await operator.put(
        f"/v1/zones/{town.zone_id}/parameters",
        {"parameters": {**PARAMETERS, "tick_s": 4}, "reason": "rain"},
        **{"If-Match": '"1"'},
    )
    assert changed.status_code == 200, changed.text
    assert (await operator.get(f"{courier_path}/trail")).status_code == 200
    judged = await operator.put(
        f"{courier_path}/status", {"status": "suspended", "reason": "no licence"}
    )
    assert judged.status_code == 200, judged.text
    invited = await admin.post(
        "/v1/staff/invitations", {"email": "hala@example.com", "role": "operator"}
    )
    assert invited.status_code == 201, invited.text

    invitation, judgment, look, parameters, *_ = await records(admin)
    assert (parameters["action"], parameters["actor"]) == ("change_parameters", operator.user_id)
    assert (parameters["subject"], parameters["reason"]) == (f"zone:{town.zone_id}", "rain")
    assert (parameters["before"]["tick_s"], parameters["after"]["tick_s"]) == (2, 4)
    assert parameters["place"] == "127.0.0.1"
    assert (look["action"], look["subject"]) == ("see_trail", f"courier:{courier.user_id}")
    assert look["after"].keys() == {"since", "until"}
    assert judgment["subject"] == f"profile:{courier.user_id}:courier"
    assert (judgment["before"], judgment["after"]) == (
        {"status": "active"},
        {"status": "suspended"},
    )
    assert (invitation["action"], invitation["actor"]) == ("invite", admin.user_id)
    assert "hala@example.com" not in str(invitation)


async def test_the_log_is_read_in_pages_and_filtered(town: Town) -> None:
    operator, admin = await town.operator(), await town.admin()
    courier, _ = await town.courier()
    for _ in range(3):
        await operator.get(f"/v1/couriers/{courier.user_id}/trail")
    mine = f"?actor={operator.user_id}&subject=courier:{courier.user_id}"
    first = (await admin.get(f"/v1/audit-log{mine}&limit=2")).json()
    rest = (await admin.get(f"/v1/audit-log{mine}&limit=2&cursor={first['next']}")).json()
    numbers = [one["number"] for one in (*first["records"], *rest["records"])]
    assert numbers == sorted(numbers, reverse=True)
    assert len(numbers) == 3
    assert rest["next"] is None
    assert await records(admin, f"?actor={new_id()}") == []
    assert (await admin.get("/v1/audit-log?actor=nobody")).status_code == 422
    assert (await operator.get("/v1/audit-log")).status_code == 403


async def test_what_was_refused_and_what_customers_do_leaves_no_record(town: Town) -> None:
    operator, admin = await town.operator(), await town.admin()
    before = await records(admin)
    customer = await town.log_in("customer")
    order_id = await customer.order()
    cancelled = await customer.post(f"/v1/orders/{order_id}/cancel", {"reason": "changed_mind"})
    assert cancelled.status_code == 200, cancelled.text
    unknown = await operator.put(
        f"/v1/couriers/{new_id()}/status", {"status": "active", "reason": "x"}
    )
    assert unknown.status_code == 404
    assert await records(admin) == before
