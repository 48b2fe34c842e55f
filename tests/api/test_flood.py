"""A cell begins anew under many sockets: few calls and few statements tell all how they stand."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec
import pytest
from pydantic import SecretStr

from actors.bus import Bus, CellUnavailable
from actors.clock import SystemClock
from actors.lanes import LanedCells
from actors.settings import ClockSettings, RuntimeSettings
from api.edge_settings import EdgeSettings
from api.sockets.hub import Hub
from api.sockets.outgoing import Outgoing
from engine.kernel.ids import CellId
from engine.orders.order import OrderStatus
from storage.database import Database, Session
from storage.live import Batch, Publication
from storage.memory_live import MemoryLive
from storage.migrate import migrate
from storage.postgres import PostgresStore
from storage.settings import DatabaseSettings
from tests.actors.unasked import OnlySnapshots
from tests.builders import NOON
from tests.storage.telling import CELL, a_told_story

# Each has an order, a courier and a customer with his list: 120 channels.
STORIES = 40
CALLS, STATEMENTS = 8, 16


class CountedDatabase(Database):
    """Counts what is asked of PostgreSQL."""

    asked = 0

    @asynccontextmanager
    async def session(self, *, is_vital: bool = False) -> AsyncIterator[Session]:
        self.asked += 1
        async with super().session(is_vital=is_vital) as session:
            yield session


class Holder(OnlySnapshots):
    """A cell that holds some channels, in a version that grows with each of its lives."""

    def __init__(self) -> None:
        self.held: set[str] = set()
        self.life = 1
        self.calls = 0
        self.is_away = False

    async def snapshots(self, cell: CellId, channels: Sequence[str]) -> list[Publication | None]:
        assert cell == CELL
        self.calls += 1
        await SystemClock().sleep(0)
        if self.is_away:
            raise CellUnavailable(cell)
        return [self._state(one) if one in self.held else None for one in channels]

    def _state(self, channel: str) -> Publication:
        return Publication(channel=channel, kind="state", version=100 * self.life, body={})


class Sockets:
    """Everybody who listens at one edge that has just begun, and the cell behind it."""

    def __init__(self, database: CountedDatabase) -> None:
        self.database, self.store, self.cell = database, PostgresStore(database), Holder()
        self.channels: list[str] = []
        # A second of the wall passes in ten milliseconds, so that nobody waits for it.
        clock = SystemClock(ClockSettings(speed=100.0, start_ms=NOON, started_ms=1))
        cells = LanedCells(self.cell, SystemClock(), RuntimeSettings())
        self.live = MemoryLive()
        self.hub = Hub(
            Bus(self.store, cells, 4),
            self.live,
            wall=clock,
            snapshots_at_once=EdgeSettings().snapshots_at_once,
            on_notice=lambda _: None,
        )
        self.outgoing = Outgoing(10_000, pytest.fail)

    async def tell_stories(self) -> None:
        """Orders and couriers of all kinds; the cell holds what is not over."""
        for number in range(STORIES):
            status = OrderStatus.DELIVERED if number % 2 else OrderStatus.ASSIGNED
            story = await a_told_story(self.store, status)
            order, courier = f"order:{story.order.id}", f"courier:{story.courier.id}"
            self.cell.held |= {courier} if number % 2 else {order, courier}
            self.channels += [order, courier, f"orders:{story.order.customer_id}"]

    async def subscribe(self) -> None:
        """As many sockets do at once."""
        await asyncio.gather(*(self.hub.subscribe(one, self.outgoing) for one in self.channels))

    async def cell_begins(self) -> None:
        """The first word of a life of the cell."""
        batch = Batch(
            cell=CELL, incarnation=str(self.cell.life), sequence=1, at=NOON, publications=()
        )
        await self.live.publish(batch)

    async def all_are_told(self) -> dict[str, int]:
        """The version that each was told, as soon as all were."""
        told: dict[str, int] = {}
        async with asyncio.timeout(30):
            while len(told) < len(self.channels):
                await SystemClock().sleep(1)
                for frame in map(msgspec.json.decode, self.outgoing.take()):
                    assert frame["type"] == "snapshot"
                    told[frame["channel"]] = frame["version"]
        return told

    def costs(self) -> tuple[int, int]:
        """Calls and statements since the last time."""
        found = self.cell.calls, self.database.asked
        self.cell.calls = self.database.asked = 0
        return found


@pytest.fixture
async def sockets(empty_database: str) -> AsyncIterator[Sockets]:
    await migrate(empty_database)
    database = await CountedDatabase.open(DatabaseSettings(dsn=SecretStr(empty_database)))
    found = Sockets(database)
    await found.tell_stories()
    running = asyncio.ensure_future(found.hub.run())
    try:
        await found.hub.wait_until_reading()
        await found.cell_begins()
        found.costs()
        yield found
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await found.store.close()


async def test_all_are_told_by_few_calls_and_statements_and_again_when_it_begins_anew(
    sockets: Sockets,
) -> None:
    await sockets.subscribe()
    told = await sockets.all_are_told()
    assert {told[one] for one in sockets.cell.held} == {100}
    calls, statements = sockets.costs()
    assert calls <= CALLS
    assert statements <= STATEMENTS
    sockets.cell.life = 2
    await sockets.cell_begins()
    told = await sockets.all_are_told()
    assert {told[one] for one in sockets.cell.held} == {200}
    calls, statements = sockets.costs()
    assert calls <= CALLS
    assert statements <= STATEMENTS


async def test_a_cell_that_is_away_is_asked_once_a_second_until_all_are_told(
    sockets: Sockets,
) -> None:
    await sockets.subscribe()
    await sockets.all_are_told()
    sockets.costs()
    sockets.cell.life, sockets.cell.is_away = 2, True
    await sockets.cell_begins()
    while sockets.cell.calls == 0:
        await SystemClock().sleep(1)
    # The hub has asked again some ten times by then.
    await SystemClock().sleep(100)
    assert sockets.cell.calls == 1
    sockets.cell.is_away = False
    told = await sockets.all_are_told()
    assert {told[one] for one in sockets.cell.held} == {200}
