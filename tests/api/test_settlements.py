"""Settlement files over HTTP: dry and real runs, and what becomes of what breaks."""

import asyncio

from api.commands.fetching import finding_of
from engine.kernel.timing import DAY_MS, HOUR_MS
from engine.money import feeds
from engine.money.accounts import AccountId, AccountKind, account
from engine.money.transfers import Transfer, TransferId, TransferReason, move
from tests.api.town import Person, Town
from tests.builders import NOON, new_id

GATEWAY = account(AccountKind.GATEWAY, "moyasar")
HEAD = "payment_id,type,currency,amount,fee,vat,order_id\n"
WHY = "The customer had paid twice"


async def captured(town: Town, order_id: str, halalas: int) -> None:
    await town.app.state.ledger.enter(
        Transfer(
            id=TransferId(new_id()),
            reason=TransferReason.CAPTURE,
            legs=move({GATEWAY: -halalas, account(AccountKind.REVENUE): halalas}),
            effective_at=NOON,
            about=f"order:{order_id}",
        )
    )


async def balance(town: Town, name: str) -> int:
    return (await town.parts.ledger.find_balance(AccountId(name))).posted


async def a_broken_file(town: Town, operator: Person, riyals: str = "4.99") -> str:
    """One order that matches, and one that breaks; the id of the break."""
    one, two = new_id(), new_id()
    await captured(town, one, 10_000)
    await captured(town, two, 500)
    text = f"{HEAD}p1,pay,SAR,100.00,1.00,0.15,{one}\np2,pay,SAR,{riyals},0.05,0,{two}\n"
    wish = {"name": "a.csv", "content": text}
    dry = await operator.post("/v1/settlement-runs", {**wish, "is_dry": True})
    assert (dry.status_code, dry.json()["matches"]) == (201, 1), dry.text
    (found,) = dry.json()["found"]
    assert (found["kind"], found["about"]) == ("other_amount", f"order:{two}")
    assert await balance(town, "bank") == 0
    assert (await operator.get("/v1/settlement-runs")).json()["runs"] == []
    key = town.key()
    made = await operator.post("/v1/settlement-runs", wish, key=key)
    assert (made.status_code, made.json()["settled_halalas"]) == (201, 9_885), made.text
    assert (await operator.post("/v1/settlement-runs", wish, key=key)).json() == made.json()
    other = await operator.post("/v1/settlement-runs", {**wish, "content": HEAD}, key=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    runs = (await operator.get("/v1/settlement-runs")).json()["runs"]
    assert runs == [made.json()]
    query = f"status=open&gateway=moyasar&about=order:{two}"
    (listed,) = (await operator.get(f"/v1/settlement-breaks?{query}")).json()["breaks"]
    return str(listed["break_id"])


async def test_what_breaks_is_written_off_once_by_a_hundred_at_once(town: Town) -> None:
    operator = await town.operator()
    path = f"/v1/settlement-breaks/{await a_broken_file(town, operator)}"
    told = (await operator.get(path)).json()
    assert [one["halalas"] for one in told["lines"]] == [499]
    assert [one["halalas"] for one in told["items"]] == [500]
    wish = {"outcome": "written_off", "reason": WHY}
    answers = await asyncio.gather(*(operator.post(f"{path}/decision", wish) for _ in range(100)))
    done = [one.json() for one in answers if one.status_code == 200]
    assert {one.status_code for one in answers} <= {200, 429, 503}
    assert {one["status"] for one in done} == {"written_off"}
    again = (await operator.get(path)).json()
    assert (again["status"], again["asked_by"], again["note"]) == (
        "written_off",
        operator.user_id,
        WHY,
    )
    assert await balance(town, GATEWAY) == 0
    assert await balance(town, "bank") == -(9_885 + 494)
    assert await balance(town, "unexplained") == -1
    assert (await town.app.state.ledger.audit()).faults == []
    refused = await operator.post(f"{path}/decision", {"outcome": "resolved", "reason": WHY})
    assert (refused.status_code, refused.json()["code"]) == (409, "break_decided")


async def test_what_is_much_needs_somebody_else(town: Town) -> None:
    operator = await town.operator()
    other = await town.log_in("operator", "+966500000002")
    path = f"/v1/settlement-breaks/{await a_broken_file(town, operator, riyals='400')}"
    wish = {"outcome": "written_off", "reason": WHY}
    waits = await operator.post(f"{path}/decision", wish)
    assert (waits.status_code, waits.json()["status"]) == (200, "waits_for_approval"), waits.text
    himself = await operator.post(f"{path}/approval", {"approved": True})
    assert (himself.status_code, himself.json()["code"]) == (403, "not_your_write_off")
    assert await balance(town, GATEWAY) == -500
    approved = await other.post(f"{path}/approval", {"approved": True})
    assert (approved.json()["status"], approved.json()["decided_by"]) == (
        "written_off",
        other.user_id,
    )
    assert await balance(town, GATEWAY) == 0
    assert await balance(town, "unexplained") == 39_500


async def test_what_a_later_file_explains_is_matched_and_bad_files_are_told(town: Town) -> None:
    operator = await town.operator()
    break_id = await a_broken_file(town, operator, riyals="4.00")
    about = (await operator.get(f"/v1/settlement-breaks/{break_id}")).json()["about"]
    text = f"{HEAD}p9,pay,SAR,1.00,0,0,{about.removeprefix('order:')}\n"
    made = await operator.post("/v1/settlement-runs", {"name": "b.csv", "content": text})
    assert made.json()["breaks"] == 0, made.text
    told = (await operator.get(f"/v1/settlement-breaks/{break_id}")).json()
    assert told["status"] == "matched"
    assert await balance(town, GATEWAY) == 0
    bad = await operator.post("/v1/settlement-runs", {"name": "c.csv", "content": "a,b"})
    assert (bad.status_code, bad.json()["code"]) == (422, "unreadable_settlement")
    assert "payment_id" in bad.json()["why"]
    unknown = await operator.get(f"/v1/settlement-breaks/{new_id()}")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_break")


async def test_how_far_each_gateway_was_fetched(town: Town) -> None:
    operator = await town.operator()
    assert (await operator.get("/v1/settlement-feeds")).json() == {"feeds": []}
    store, now = town.parts.settlements, town.parts.wall.now()
    fetched = feeds.caught_up(feeds.begin("moyasar", now), now=now)
    assert await store.save_feed(fetched)
    assert await store.save_feed(feeds.failed(feeds.begin("stripe", now), "status 403", now=now))
    mine, stripe = (await operator.get("/v1/settlement-feeds")).json()["feeds"]
    assert (mine["gateway"], mine["is_on"], mine["fetched_at"]) == ("moyasar", False, now)
    assert (stripe["why"], stripe["failed_at"], stripe["tries"]) == ("status 403", now, 1)


def test_what_the_doctor_says_of_a_feed() -> None:
    assert finding_of("moyasar", None, now=NOON).state == "note"
    fetched = feeds.caught_up(feeds.begin("moyasar", NOON), now=NOON)
    assert finding_of("moyasar", fetched, now=NOON + 30 * HOUR_MS).text == "fetched 30 hours ago"
    old = finding_of("moyasar", fetched, now=NOON + 6 * DAY_MS)
    assert (old.state, old.text) == ("problem", "not fetched for 144 hours")
    failed = finding_of("moyasar", feeds.failed(fetched, "status 403", now=NOON), now=NOON)
    assert (failed.state, failed.text) == ("problem", "not fetched for 0 hours: status 403")
    assert failed.advice is not None
