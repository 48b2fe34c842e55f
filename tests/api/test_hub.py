"""From the live stream to sockets: no gap, nothing old after something new, never wrong long."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.bus import Bus, CellUnavailable
from actors.clock import SystemClock
from actors.settings import ClockSettings
from api.sockets.hub import Hub
from api.sockets.outgoing import Outgoing
from api.sockets.presence import Held, Presence
from api.sockets.subscription import Subscription
from engine.kernel.ids import CellId, CourierId, UserId
from storage.live import EDGE, Batch, LiveUnavailable, Publication
from storage.memory_live import MemoryLive
from tests.builders import NOON

CHANNEL = "order:1"
CELL = CellId("842e1cbffffffff")
AT_ONCE = 4


def a_state(version: int, channel: str = CHANNEL, **body: Any) -> Publication:
    return Publication(channel=channel, kind="state", version=version, body=body)


class Book:
    """A bus that knows one state of everything, can be slow, and can be away."""

    def __init__(self) -> None:
        self.version = 1
        self.is_away = False
        self.asked = 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def snapshot(self, channel: str) -> Publication | None:
        self.asked += 1
        if self.is_away:
            raise CellUnavailable("restarting")
        shown = a_state(self.version, channel)
        await self.may_answer.wait()
        return shown


async def taken(outgoing: Outgoing) -> list[bytes]:
    """All that waits, as soon as something does."""
    while outgoing.is_empty:
        await SystemClock().sleep(1)
    return outgoing.take()


class Wire(MemoryLive):
    """A stream that can be away."""

    def __init__(self) -> None:
        super().__init__()
        self.is_away = False

    async def tail(self) -> str:
        if self.is_away:
            raise LiveUnavailable("away")
        return await super().tail()

    async def read(self, after: str, *, wait_ms: int) -> tuple[str, Sequence[Batch]]:
        found = await super().read(after, wait_ms=wait_ms)
        if self.is_away:
            raise LiveUnavailable("away")
        return found

    def go_away(self) -> None:
        """Cut off readers too, and whatever they have not read."""
        self.is_away = True
        self.lose()


class Desk:
    """A hub with its book, its stream, and what came out of it."""

    def __init__(self, hub: Hub, book: Book, wire: Wire, notices: list[Publication]) -> None:
        self.hub, self.book, self.wire, self.notices = hub, book, wire, notices
        self.outgoing = Outgoing(1000, pytest.fail)
        self.sequence = 0

    async def publish(self, *publications: Publication, incarnation: str = "a") -> None:
        self.sequence += 1
        await self.wire.publish(
            Batch(
                cell=CELL,
                incarnation=incarnation,
                sequence=self.sequence,
                at=NOON,
                publications=publications,
            )
        )

    async def heard(self) -> list[tuple[str, int]]:
        """The type and version of every frame that waits, as soon as one does."""
        frames = [msgspec.json.decode(one) for one in await taken(self.outgoing)]
        return [(one["type"], one["version"]) for one in frames]

    async def hears(self, *wanted: tuple[str, int]) -> None:
        """Exactly these come, in this order."""
        found: list[tuple[str, int]] = []
        async with asyncio.timeout(30):
            while len(found) < len(wanted):
                found += await self.heard()
        assert found == list(wanted)


@asynccontextmanager
async def a_desk() -> AsyncIterator[Desk]:
    book, wire, notices = Book(), Wire(), []  # type: ignore[var-annotated]
    # A second of the wall passes in ten milliseconds, so that nobody waits for it.
    wall = SystemClock(ClockSettings(speed=100.0, start_ms=NOON, started_ms=1))
    hub = Hub(
        cast("Bus", book), wire, wall=wall, snapshots_at_once=AT_ONCE, on_notice=notices.append
    )
    running = asyncio.ensure_future(hub.run())
    await hub.wait_until_reading()
    try:
        yield Desk(hub, book, wire, notices)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_first_comes_the_snapshot_and_then_every_change() -> None:
    async with a_desk() as desk:
        await desk.hub.subscribe(CHANNEL, desk.outgoing)
        await desk.publish(a_state(2))
        await desk.hears(("snapshot", 1), ("update", 2))
        await desk.publish(a_state(3))
        await desk.hears(("update", 3))


async def test_a_change_while_the_snapshot_is_on_its_way_comes_after_it() -> None:
    async with a_desk() as desk:
        desk.book.may_answer.clear()
        subscribing = asyncio.ensure_future(desk.hub.subscribe(CHANNEL, desk.outgoing))
        while desk.book.asked == 0:
            await SystemClock().sleep(0)
        await desk.publish(a_state(1))
        await desk.publish(a_state(2))
        await desk.publish(a_state(3), a_state(9, "order:other"))
        desk.book.may_answer.set()
        await subscribing
        await desk.publish(a_state(4))
        frames: list[tuple[str, int]] = []
        while ("update", 4) not in frames:
            frames += await desk.heard()
        assert frames[0] == ("snapshot", 1)
        versions = [version for _, version in frames]
        assert versions == sorted(versions)
        assert versions[-2:] == [3, 4]


async def test_a_change_that_the_snapshot_holds_already_is_not_told_later() -> None:
    async with a_desk() as desk:
        desk.book.version = 5
        await desk.hub.subscribe(CHANNEL, desk.outgoing)
        await desk.publish(a_state(3))
        await desk.publish(a_state(6))
        await desk.hears(("snapshot", 5), ("update", 6))


async def test_a_missing_batch_brings_a_snapshot() -> None:
    async with a_desk() as desk:
        await desk.hub.subscribe(CHANNEL, desk.outgoing)
        await desk.publish(a_state(2))
        await desk.hears(("snapshot", 1), ("update", 2))
        desk.book.version = 4
        desk.sequence += 1
        await desk.publish(a_state(8, "order:other"))
        await desk.hears(("snapshot", 4))


async def test_a_cell_that_starts_anew_brings_a_snapshot() -> None:
    async with a_desk() as desk:
        await desk.hub.subscribe(CHANNEL, desk.outgoing)
        await desk.publish(a_state(2))
        await desk.hears(("snapshot", 1), ("update", 2))
        desk.book.version, desk.sequence = 3, 0
        await desk.publish(a_state(8, "order:other"), incarnation="b")
        await desk.hears(("snapshot", 3))


async def test_while_the_stream_is_away_snapshots_come_every_second_and_then_changes() -> None:
    async with a_desk() as desk:
        await desk.hub.subscribe(CHANNEL, desk.outgoing)
        await desk.hears(("snapshot", 1))
        desk.wire.go_away()
        found: list[tuple[str, int]] = []
        for version in (2, 3):
            desk.book.version = version
            while ("snapshot", version) not in found:
                found += await desk.heard()
        desk.wire.is_away = False
        while ("update", 4) not in found:
            await desk.publish(a_state(4))
            found += await desk.heard()
        assert [version for _, version in found] == sorted(version for _, version in found)


async def test_what_was_missed_while_nobody_read_is_asked_for_when_the_stream_is_back() -> None:
    async with a_desk() as desk:
        await desk.hub.subscribe(CHANNEL, desk.outgoing)
        await desk.hears(("snapshot", 1))
        desk.wire.lose()
        desk.book.version = 7
        found: list[tuple[str, int]] = []
        while ("snapshot", 7) not in found:
            found += await desk.heard()


async def test_a_cell_that_does_not_answer_is_asked_until_it_does() -> None:
    async with a_desk() as desk:
        desk.book.is_away = True
        await desk.hub.subscribe(CHANNEL, desk.outgoing)
        while desk.book.asked < 3:
            await SystemClock().sleep(1)
        desk.book.is_away = False
        await desk.hears(("snapshot", 1))


async def test_who_comes_while_all_are_told_anew_need_not_wait_for_all_of_them() -> None:
    async with a_desk() as desk:
        others = Outgoing(1000, pytest.fail)
        for number in range(100):
            await desk.hub.subscribe(f"order:{number}", others)
        await desk.publish(a_state(2, "order:other"))
        desk.book.asked = 0
        desk.book.may_answer.clear()
        desk.sequence = 0
        await desk.publish(a_state(2, "order:other"), incarnation="b")
        while desk.book.asked < AT_ONCE:
            await SystemClock().sleep(1)
        coming = asyncio.ensure_future(desk.hub.subscribe("order:new", desk.outgoing))
        await SystemClock().sleep(1)
        assert desk.book.asked == AT_ONCE
        desk.book.may_answer.set()
        await coming
        assert desk.book.asked <= 3 * AT_ONCE
        await desk.hears(("snapshot", 1))
        while desk.book.asked < 101:
            await SystemClock().sleep(1)


async def test_an_answer_that_is_older_than_what_was_told_is_dropped() -> None:
    outgoing = Outgoing(10, pytest.fail)
    subscription = Subscription(CHANNEL, outgoing)
    subscription.settle(subscription.begin(), a_state(1))
    asked = subscription.begin()
    subscription.receive(a_state(5), b"five")
    subscription.settle(asked, a_state(4))
    frames = outgoing.take()
    assert [msgspec.json.decode(one)["version"] for one in frames[:2]] == [1, 4]
    assert frames[2] == b"five"
    late = subscription.begin()
    subscription.settle(late, a_state(3))
    subscription.settle(asked, a_state(9))
    subscription.receive(a_state(5), b"five again")
    assert outgoing.take() == [b"five again"]


@given(st.lists(st.integers(1, 8), max_size=30), st.data())
@settings(max_examples=60)
def test_whatever_the_order_versions_never_go_back(
    versions: list[int], data: st.DataObject
) -> None:
    told: list[int] = []

    class Ear(Outgoing):
        def put(self, frame: bytes) -> None:
            told.append(msgspec.json.decode(frame)["version"])

    async def main() -> None:
        subscription = Subscription(CHANNEL, Ear(10, pytest.fail))
        asked = [subscription.begin()]
        for version in versions:
            if data.draw(st.booleans()):
                update = msgspec.json.encode({"version": version})
                subscription.receive(a_state(version), update)
            elif data.draw(st.booleans()):
                asked.append(subscription.begin())
            else:
                subscription.settle(data.draw(st.sampled_from(asked)), a_state(version))

    asyncio.run(main())
    assert told == sorted(told)


async def test_of_positions_only_the_newest_waits_for_a_slow_reader() -> None:
    async with a_desk() as desk:
        await desk.hub.subscribe(CHANNEL, desk.outgoing)
        await desk.hears(("snapshot", 1))
        for at in range(50):
            body = {"courier_id": "c", "lat": 1.0, "lng": 2.0, "at": at}
            await desk.publish(Publication(channel=CHANNEL, kind="position", version=0, body=body))
        await desk.publish(a_state(2))
        frames: list[dict[str, Any]] = []
        while not any(one["kind"] == "state" for one in frames):
            frames += [msgspec.json.decode(one) for one in await taken(desk.outgoing)]
        while frames[-1]["body"].get("at") != 49:
            frames += [msgspec.json.decode(one) for one in await taken(desk.outgoing)]
        assert len(frames) < 50


async def test_critical_frames_are_bounded_and_the_loss_is_known() -> None:
    lost: list[bool] = []
    outgoing = Outgoing(3, lambda: lost.append(True))
    for number in range(5):
        outgoing.put(b"%d" % number)
        outgoing.put_latest(number, b"p%d" % number)
    assert len(lost) == 1
    assert outgoing.take() == [b"0", b"1", b"2", b"p0", b"p1", b"p2"]


async def test_nobody_is_told_what_he_does_not_listen_to_any_more() -> None:
    async with a_desk() as desk:
        other = Outgoing(10, pytest.fail)
        for outgoing in (desk.outgoing, other):
            await desk.hub.subscribe(CHANNEL, outgoing)
        desk.hub.unsubscribe(CHANNEL, desk.outgoing)
        desk.hub.unsubscribe(CHANNEL, desk.outgoing)
        await desk.hears(("snapshot", 1))
        await desk.publish(a_state(2))
        assert len(await taken(other)) == 1
        assert msgspec.json.decode((await taken(other))[0])["version"] == 2
        asked = desk.book.asked
        desk.hub.unsubscribe(CHANNEL, other)
        desk.sequence += 1
        await desk.publish(a_state(3))
        await desk.publish(a_state(4))
        assert desk.book.asked == asked


@pytest.mark.parametrize("kind", ["socket", "other"])
async def test_a_socket_in_another_process_replaces_an_older_one_here(kind: str) -> None:
    closed: list[int] = []
    async with a_desk() as desk:
        presence = Presence(desk.wire, SystemClock(), sockets_max=5, sockets_of_one_max=2)
        old = Held(id="01", close=closed.append)
        courier_id = CourierId(UserId("c"))
        await presence.arrive(courier_id, old)
        while not desk.notices:
            await SystemClock().sleep(1)
        own = desk.notices[0]
        presence.hear(own)
        assert closed == []
        newer = Publication(channel=own.channel, kind=kind, version=0, body={"socket": "02"})
        presence.hear(newer)
        assert closed == ([4409] if kind == "socket" else [])
        presence.leave(old, courier_id)
        presence.hear(newer)
        assert len(closed) < 2
        assert own.channel == "courier:c"
        assert EDGE == "edge"


async def test_a_line_that_was_cut_is_heard_of_late_and_replaces_nobody() -> None:
    """It was opened at an edge whose clock is ahead, so its id is the greater one."""
    closed: list[int] = []
    async with a_desk() as desk:
        presence = Presence(desk.wire, SystemClock(), sockets_max=5, sockets_of_one_max=2)
        courier_id = CourierId(UserId("c"))
        await presence.arrive(courier_id, Held(id="05", close=closed.append))
        while not desk.notices:
            await SystemClock().sleep(1)
        own = desk.notices[0]
        cut = Publication(channel=own.channel, kind=own.kind, version=0, body={"socket": "09"})
        presence.hear(cut)
        assert closed == []
        presence.hear(own)
        newest = Publication(channel=own.channel, kind=own.kind, version=0, body={"socket": "03"})
        presence.hear(newest)
        assert closed == [4409]


async def test_who_arrived_while_the_stream_was_away_gives_way_to_whoever_comes_next() -> None:
    closed: list[int] = []
    live = MemoryLive()
    presence = Presence(live, SystemClock(), sockets_max=5, sockets_of_one_max=2)
    courier_id = CourierId(UserId("c"))
    await presence.arrive(courier_id, Held(id="05", close=closed.append))
    presence.miss()
    newer = Publication(channel="courier:c", kind="socket", version=0, body={"socket": "01"})
    presence.hear(newer)
    assert closed == [4409]
