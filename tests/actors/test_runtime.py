"""Ray: cells are named actors that come back after kill -9 with everything that was stored."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest
from pydantic import SecretStr

from actors.bus import Bus, CellUnavailable
from actors.chance import SystemChance, new_id
from actors.clock import SystemClock
from actors.runtime import Head, cell_actor, ray_bus, solver_actor
from actors.settings import ClockSettings, Premises, RuntimeSettings
from engine.couriers.messages import AcceptOffer, GoOnDuty
from engine.geo.cells import cell_at, disk
from engine.geo.travel import VehicleKind
from engine.geo.zone import CreateZone
from engine.kernel.ids import CellId, CommandId, CourierId, UserId, ZoneId
from engine.kernel.messages import Caller, Command, Envelope, Role
from storage.migrate import migrate
from storage.postgres import PostgresStore
from storage.settings import DatabaseSettings
from storage.store import Answer
from tests.actors.worlds import OPERATOR, QUICK
from tests.builders import CORNER, SHOP, a_placing, a_quote

pytestmark = [pytest.mark.ray, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def head() -> Iterator[Head]:
    with Head(RuntimeSettings()) as running:
        yield running


@dataclass
class Running:
    """A bus over real Ray actors, PostgreSQL and Valkey."""

    bus: Bus
    store: PostgresStore
    premises: Premises
    clock: SystemClock
    zone_id: ZoneId
    cell: CellId

    async def send(self, command: Command, caller: Caller, command_id: str = "") -> Answer:
        return await self.bus.execute(
            Envelope(
                id=CommandId(command_id or new_id(self.clock, SystemChance())),
                command=command,
                caller=caller,
                deadline=self.clock.now() + 60_000,
            )
        )

    async def must(self, command: Command, caller: Caller) -> Answer:
        answer = await self.send(command, caller)
        assert answer.refusal is None, answer.refusal
        return answer


@pytest.fixture
async def running(head: Head, postgres_dsn: str, redis_url: str) -> AsyncIterator[Running]:
    await migrate(postgres_dsn)
    clock = SystemClock()
    premises = Premises(
        database=DatabaseSettings(dsn=SecretStr(postgres_dsn)),
        redis_url=redis_url,
        runtime=RuntimeSettings(ray_namespace=new_id(clock, SystemChance())),
        clock=ClockSettings(),
    )
    store = await PostgresStore.open(premises.database)
    bus, watch = ray_bus(store, clock, premises)
    watching = asyncio.ensure_future(watch.run())
    zone_id = ZoneId(new_id(clock, SystemChance()))
    anchor = cell_at(SHOP, 8)
    opening = Running(bus, store, premises, clock, zone_id, CellId(""))
    await opening.must(
        CreateZone(
            zone_id=zone_id,
            name_en="Olaya",
            name_ar="العليا",
            anchor=anchor,
            cells=tuple(sorted(disk(anchor, 6))),
            parameters=QUICK,
            author=OPERATOR.user_id,
        ),
        OPERATOR,
    )
    cell = await store.cell_of_zone(zone_id)
    assert cell is not None
    opening.cell = cell
    yield opening
    watching.cancel()
    await store.close()


async def _work_of(running: Running, courier: CourierId, wanted: str) -> dict[str, object]:
    """His work view as soon as `wanted` is in it."""
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(CellUnavailable):
                shown = await running.bus.snapshot(f"courier:{courier}")
                if shown is not None and shown.body[wanted]:
                    return shown.body
            await asyncio.sleep(0.05)  # noqa: TID251 - real time, for real processes


async def test_a_killed_cell_and_solver_come_back_with_everything(running: Running) -> None:
    courier = CourierId(UserId(new_id(running.clock, SystemChance())))
    as_courier = Caller(user_id=courier, role=Role.COURIER)
    await running.must(
        GoOnDuty(
            courier_id=courier,
            zone_id=running.zone_id,
            name="Salem",
            vehicle=VehicleKind.CAR,
            capacity_units=4,
            point=CORNER,
        ),
        as_courier,
    )
    named = (f"courier:{courier}", f"zone:{running.zone_id}", f"courier:{running.zone_id}")
    shown = await asyncio.gather(*(running.bus.snapshot(one) for one in named))
    assert [one and one.channel for one in shown] == [*named[:2], None]
    actor = cell_actor(running.cell, running.premises)
    first_pid = await actor.pid.remote()
    os.kill(first_pid, signal.SIGKILL)
    os.kill(await solver_actor(running.premises.runtime).pid.remote(), signal.SIGKILL)

    zone = await running.store.find_zone(running.zone_id)
    assert zone is not None
    customer = Caller(user_id=UserId(new_id(running.clock, SystemChance())), role=Role.CUSTOMER)
    now = running.clock.now()
    place = a_placing(
        zone, quoted=a_quote(zone, customer_id=customer.user_id, preparation_s=0, at=now)
    )
    place_id = new_id(running.clock, SystemChance())
    placed = await running.send(place, customer, place_id)
    again = await running.send(place, customer, place_id)
    assert placed.refusal is None
    assert again == placed

    work = await _work_of(running, courier, "offer")
    offer = work["offer"]
    assert isinstance(offer, dict)
    accept = AcceptOffer(courier_id=courier, offer_id=offer["offer_id"])
    await running.must(accept, as_courier)
    second_pid = await actor.pid.remote()
    assert second_pid != first_pid
    os.kill(second_pid, signal.SIGKILL)
    work = await _work_of(running, courier, "route")
    stored = await running.store.find_order(place.order_id)
    assert stored is not None
    assert stored.status.value == "assigned"
    assert stored.courier_id == courier
    assert set((await running.bus.health()).values()) == {"ok"}
