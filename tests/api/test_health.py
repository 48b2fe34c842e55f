"""Health tells the truth."""

from collections.abc import Sequence
from pathlib import Path

from storage.live import Batch, LiveUnavailable
from storage.memory_live import MemoryLive
from tests.api.town import Town, a_town


class Torn(MemoryLive):
    """A stream that can be away."""

    is_away = False

    async def tail(self) -> str:
        if self.is_away:
            raise LiveUnavailable("away")
        return await super().tail()

    async def publish(self, batch: Batch) -> None:
        if self.is_away:
            raise LiveUnavailable("away")
        await super().publish(batch)

    async def read(self, after: str, *, wait_ms: int) -> tuple[str, Sequence[Batch]]:
        if self.is_away:
            raise LiveUnavailable("away")
        return await super().read(after, wait_ms=wait_ms)


async def test_everything_well_is_ready(town: Town) -> None:
    assert (await town.client.get("/healthz")).json() == {"status": "alive"}
    ready = await town.client.get("/readyz")
    (cell,) = await town.parts.store.list_cells()
    assert (ready.status_code, ready.json()) == (
        200,
        {"status": "ready", "database": "ok", "live_stream": "ok", "cells": {cell: "ok"}},
    )


async def test_without_the_stream_it_is_ready_but_says_that_it_is_degraded(tmp_path: Path) -> None:
    live = Torn()
    async with a_town(tmp_path, live=live) as town:
        live.is_away = True
        ready = await town.client.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
        assert ready.json()["live_stream"] != "ok"


async def test_without_the_stream_everything_still_arrives(tmp_path: Path) -> None:
    live = Torn()
    async with a_town(tmp_path, live=live) as town:
        customer = await town.log_in("customer")
        order_id = await customer.order()
        watching = await customer.socket()
        await watching.send({"type": "subscribe", "channel": f"order:{order_id}"})
        await watching.next("snapshot")
        live.is_away = True
        live.lose()
        courier, phone = await town.courier()
        offer = await phone.offer(courier)
        accepted = await phone.tell("accept", offer_id=offer["offer_id"])
        assert accepted["body"]["status"] == "accepted"
        await watching.until(f"order:{order_id}", status="assigned")
        live.is_away = False
        await phone.tell("progress", order_id=order_id, step="reached_shop")
        await watching.until(f"order:{order_id}", status="courier_at_shop")
