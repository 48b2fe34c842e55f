"""What runs by itself, as an admin sees it."""

import asyncio
from typing import Any

from actors.clock import SystemClock
from tests.api.town import Town


async def test_an_admin_sees_what_ran_and_what_came_of_it(town: Town) -> None:
    admin = await town.admin()
    jobs: dict[str, Any] = {}
    async with asyncio.timeout(30):
        while not (jobs.get("points") or {}).get("last"):
            found = (await admin.get("/v1/jobs")).json()["jobs"]
            jobs = {one["name"]: one for one in found}
            await SystemClock().sleep(10)
    assert set(jobs) == {"points", "reconciliation", "weekly_payouts", "closing"}
    assert [name for name, one in jobs.items() if one["is_on"]] == ["points"]
    assert jobs["closing"]["last"] is None
    last = jobs["points"]["last"]
    assert last["due_at"] <= last["started_at"] < jobs["points"]["due_at"]
