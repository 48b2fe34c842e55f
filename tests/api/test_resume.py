"""Who comes back: all that he missed, in order and once, or a snapshot; never a part of it."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from actors.clock import SystemClock
from actors.publisher import Publisher
from actors.settings import ClockSettings
from api.sockets.close_codes import MEANINGS, Close
from api.sockets.histories import CHANNEL_BYTES, Histories
from api.sockets.outgoing import Outgoing
from api.sockets.receipts import TIMES_MAX, WAITING_MAX, Receipts
from api.sockets.subscription import Subscription
from engine.kernel.ids import CellId
from storage.live import Batch, Bookmark, Publication
from storage.memory_live import MemoryLive
from tests.api.resuming import KEPT, a_bookmark, a_hub_that_asks_nobody, a_state, read, spelled
from tests.api.town import ON_DUTY, Person, Socket, Town, a_town
from tests.builders import NOON


class Resuming(RuleBasedStateMachine):
    """A channel, an edge that keeps some of it, and a phone that comes and goes.

    The truth is the list of all versions ever told. The edge sees a state some time after the cell
    has told it, or misses it and knows that; a snapshot shows what the cell knows.
    """

    def __init__(self) -> None:
        super().__init__()
        self.histories = Histories(frames=KEPT)
        self.truth: list[tuple[str, int, int]] = []
        self.epoch, self.offset, self.seen_by_edge = 0, 0, 0
        self.phone: Subscription | None = None
        self.asked: int | None = None
        self.outgoing = Outgoing(10_000, pytest.fail)
        self.known: list[int] = []
        self.mark: Bookmark | None = None
        self.snapshots = 0

    def publication(self, index: int) -> Publication:
        epoch, offset, version = self.truth[index]
        return a_state(offset, epoch, version)

    @rule()
    def the_thing_changes(self) -> None:
        self.offset += 1
        self.truth.append((str(self.epoch), self.offset, len(self.truth) + 1))

    @precondition(lambda self: self.seen_by_edge < len(self.truth))
    @rule()
    def the_edge_hears_of_it(self) -> None:
        publication = self.publication(self.seen_by_edge)
        self.seen_by_edge += 1
        frame = spelled(publication)
        self.histories.add(publication, frame)
        if self.phone is not None:
            self.phone.receive(publication, frame)

    @rule()
    def the_stream_is_lost(self) -> None:
        self.seen_by_edge = len(self.truth)
        self.histories.forget()
        if self.phone is not None:
            self.asked = self.phone.begin()

    @rule()
    def the_cell_starts_anew(self) -> None:
        self.epoch += 1
        self.offset = 0
        self.the_stream_is_lost()

    @precondition(lambda self: self.phone is None)
    @rule()
    def the_phone_comes(self) -> None:
        self.outgoing = Outgoing(10_000, pytest.fail)
        self.phone = Subscription("order:1", self.outgoing, self.mark)
        missed = None if self.mark is None else self.histories.since("order:1", self.mark)
        if self.mark is not None and missed is not None:
            self.phone.resume(self.mark, missed)
            self.asked = None
        else:
            self.asked = self.phone.begin()

    @precondition(lambda self: self.phone is not None and self.asked is not None and self.truth)
    @rule()
    def the_snapshot_comes(self) -> None:
        assert self.phone is not None
        assert self.asked is not None
        self.phone.settle(self.asked, self.publication(len(self.truth) - 1))
        self.asked = None

    @precondition(lambda self: self.phone is not None)
    @rule(leaves=st.booleans())
    def the_phone_reads(self, leaves: bool) -> None:
        for frame in read(self.outgoing):
            if frame["type"] == "snapshot":
                self.known = [frame["version"]]
                assert frame["recovered"] is False
            elif frame["type"] == "resumed":
                assert frame["recovered"] is True
                self.known += [one["version"] for one in frame["updates"]]
            else:
                self.known.append(frame["version"])
            self.mark = msgspec.convert(frame["bookmark"], Bookmark)
        if leaves:
            self.phone = None

    @invariant()
    def nothing_is_missing_twice_or_out_of_order(self) -> None:
        if self.known:
            assert self.known == list(range(self.known[0], self.known[0] + len(self.known)))

    @invariant()
    def who_waits_for_nothing_knows_what_the_edge_knows(self) -> None:
        if self.phone is None or self.asked is not None:
            return
        waiting = [msgspec.json.decode(one) for one in self.outgoing._critical]
        told = [one.get("version", 0) for one in waiting]
        told += [u["version"] for one in waiting for u in one.get("updates", ())]
        newest = max([0, *self.known[-1:], *told])
        assert newest >= self.seen_by_edge


TestResuming = Resuming.TestCase
TestResuming.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


class Confirming(RuleBasedStateMachine):
    """A phone that confirms now and then; all that it has not is told again, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.receipts = Receipts(again_ms=1000)
        self.now = 0
        self.waiting: dict[int, int] = {}
        self.offset = 0

    @precondition(lambda self: len(self.waiting) < WAITING_MAX)
    @rule()
    def something_is_told(self) -> None:
        self.offset += 1
        self.receipts.told("a", a_bookmark(self.offset), b"%d" % self.offset, now=self.now)
        self.waiting[self.offset] = self.now

    @rule(offset=st.integers(0, 60), epoch=st.sampled_from("ab"))
    def the_phone_confirms(self, offset: int, epoch: str) -> None:
        self.receipts.received("a", a_bookmark(offset, epoch))
        if epoch == "a":
            self.waiting = {one: at for one, at in self.waiting.items() if one > offset}

    @rule()
    def a_snapshot_replaces_all(self) -> None:
        self.receipts.replace("a")
        self.waiting.clear()

    @rule(ms=st.integers(0, 1500))
    def time_passes(self, ms: int) -> None:
        self.now += ms
        oldest = min(self.waiting.values(), default=self.now)
        due = list(self.waiting) if self.now - oldest >= 1000 else []
        assert self.receipts.due(self.now) == [b"%d" % one for one in due]
        self.waiting.update(dict.fromkeys(due, self.now))

    @invariant()
    def the_count_is_right(self) -> None:
        assert self.receipts._count == len(self.waiting)


TestConfirming = Confirming.TestCase
TestConfirming.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


class Lanes(RuleBasedStateMachine):
    """Two lanes to a phone that reads now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.full = 0
        self.outgoing = Outgoing(6, self.fill, bytes_max=64)
        self.critical: list[bytes] = []
        self.latest: dict[int, bytes] = {}
        self.number = 0

    def fill(self) -> None:
        self.full += 1

    @rule(size=st.integers(4, 40))
    def a_state(self, size: int) -> None:
        self.number += 1
        frame = b"%d" % self.number + b"." * size
        size_now = sum(map(len, self.critical))
        fits = len(self.critical) < 6 and (not self.critical or size_now + len(frame) <= 64)
        was_full = self.full
        self.outgoing.put(frame)
        if was_full:
            return
        if fits:
            self.critical.append(frame)
        assert self.full == (0 if fits else 1)

    @rule(key=st.integers(0, 9))
    def a_position(self, key: int) -> None:
        self.number += 1
        self.outgoing.put_latest(key, b"%d" % self.number)
        if key in self.latest or len(self.latest) < 6:
            self.latest[key] = b"%d" % self.number

    @precondition(lambda self: self.critical or self.latest)
    @rule()
    def the_phone_reads(self) -> None:
        assert self.outgoing.take() == [*self.critical, *self.latest.values()]
        self.critical, self.latest = [], {}


TestLanes = Lanes.TestCase
TestLanes.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_who_confirms_nothing_is_deaf() -> None:
    receipts = Receipts(again_ms=1000)
    receipts.told("a", a_bookmark(1), b"1", now=0)
    for times in range(1, TIMES_MAX + 1):
        assert not receipts.is_deaf
        assert receipts.due(times * 1000) == [b"1"]
    assert receipts.is_deaf
    snapshot = Receipts(again_ms=1000)
    snapshot.told("a", a_bookmark(1), b"1", now=0)
    snapshot.told("a", a_bookmark(2), b"2", now=900)
    assert snapshot.due(1000) == [b"1", b"2"]
    assert snapshot.due(1900) == []
    flooded = Receipts(again_ms=1000)
    for offset in range(WAITING_MAX + 1):
        assert not flooded.is_deaf
        flooded.told("a", a_bookmark(offset), b"", now=0)
    assert flooded.is_deaf


def test_what_is_kept_is_bounded_and_the_quietest_channel_goes_first() -> None:
    histories = Histories(frames=100, bytes_max=2 * CHANNEL_BYTES + 100)
    for offset in range(1, 8):
        histories.add(a_state(offset, "a", 1, channel="a"), b"x" * 10)
    histories.add(a_state(1, "a", 1, channel="b"), b"x" * 40)
    assert histories.since("a", a_bookmark(6)) is None
    assert histories.since("b", a_bookmark(0)) == ([b"x" * 40], 1)
    assert histories.since("b", a_bookmark(0, "z")) is None
    assert histories._size == CHANNEL_BYTES + 40


def test_what_is_remembered_of_a_channel_is_bounded_though_nothing_of_it_is_certain() -> None:
    histories = Histories(bytes_max=10 * CHANNEL_BYTES)
    for number in range(1, 21):
        histories.add(a_state(1, "a", 1, channel=str(number)), b"x")
        histories.forget()
        assert histories.since(str(number), a_bookmark(1)) is None
        assert histories.since(str(number), a_bookmark(1, "")) is None
    assert len(histories._histories) <= 10
    assert histories._size == CHANNEL_BYTES * len(histories._histories)


async def test_with_too_many_channels_a_new_epoch_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.publisher.CHANNELS_MAX", 2)
    publisher = Publisher(CellId("cell"), "one", MemoryLive(), SystemClock())
    for channel in ("a", "a", "b", "c"):
        publisher.publish(Publication(channel=channel, kind="state", version=1, body={}))
    told = [one.bookmark for one in publisher._waiting]
    assert [(one.epoch, one.offset) for one in told if one] == [
        ("one.0", 1),
        ("one.0", 2),
        ("one.0", 1),
        ("one.1", 1),
    ]
    assert publisher.bookmark("a") == Bookmark(epoch="one.1", offset=0)


async def test_a_process_that_starts_later_knows_what_was_told_before() -> None:
    live = MemoryLive()
    for offset in range(1, 6):
        told = a_state(offset, "a", version=offset)
        batch = Batch(
            cell=CellId("c"), incarnation="a", sequence=offset, at=NOON, publications=(told,)
        )
        await live.publish(batch)

    async with a_hub_that_asks_nobody(live) as hub:
        async with asyncio.timeout(20):
            while hub._histories.since("order:1", a_bookmark(2)) is None:
                await SystemClock().sleep(1)
        outgoing = Outgoing(10, pytest.fail)
        await hub.subscribe("order:1", outgoing, a_bookmark(2))
        (resumed,) = read(outgoing)
        assert [one["version"] for one in resumed["updates"]] == [3, 4, 5]


def test_the_hundreds_of_a_close_code_say_whether_to_come_again() -> None:
    assert set(MEANINGS) == set(Close)
    assert {one for one in Close if one.is_final} == {
        Close.MALFORMED,
        Close.NOT_AUTHENTICATED,
        Close.FORBIDDEN,
        Close.REPLACED,
        Close.SESSION_ENDED,
        Close.TOO_LARGE,
    }


async def come_back(person: Person, bookmarks: dict[str, Any], **more: Any) -> Socket:
    """A new socket that goes on where the old one left off."""
    socket = await Socket.open(person.town)
    await socket.send(
        {"type": "authenticate", "token": person.token, "channels": bookmarks, **more}
    )
    await socket.next("authenticated")
    return socket


async def test_a_phone_that_comes_back_is_told_what_it_missed_and_goes_on(town: Town) -> None:
    customer = await town.log_in("customer")
    order_id = await customer.order()
    channel = f"order:{order_id}"
    socket = await come_back(customer, {channel: None})
    mark = (await socket.next("snapshot", channel=channel))["bookmark"]
    witness = await come_back(customer, {channel: mark})
    assert (await witness.next("resumed", channel=channel))["updates"] == []
    await socket.connection.close()
    courier, phone = await town.courier()
    offer = await phone.offer(courier)
    await phone.tell("accept", offer_id=offer["offer_id"])
    await phone.tell("progress", order_id=order_id, step="reached_shop")
    seen: list[dict[str, Any]] = []
    while not seen or seen[-1]["body"]["status"] != "courier_at_shop":
        frame = await witness.next("update", channel=channel)
        seen += [frame] if frame["bookmark"] else []
    again = await come_back(customer, {channel: mark})
    resumed = await again.next("resumed", channel=channel)
    assert resumed["recovered"] is True
    assert resumed["updates"] == seen
    assert [one["bookmark"]["offset"] for one in seen] == [
        mark["offset"] + n for n in range(1, len(seen) + 1)
    ]
    assert resumed["bookmark"] == seen[-1]["bookmark"]
    await phone.tell("progress", order_id=order_id, step="picked_up")
    after = await again.next("update", channel=channel, kind="state")
    assert after["bookmark"]["offset"] == resumed["bookmark"]["offset"] + 1


async def test_where_it_is_not_certain_what_was_missed_there_is_a_snapshot(town: Town) -> None:
    courier, phone = await town.courier()
    channel = f"courier:{courier.user_id}"
    lost = {"epoch": "of long ago", "offset": 3}
    again = await come_back(courier, {channel: lost})
    assert (await again.next("snapshot", channel=channel))["recovered"] is False
    assert await phone.closed() == Close.REPLACED


async def test_what_has_ended_is_not_told_again_to_who_has_it(town: Town) -> None:
    courier, phone = await town.courier()
    channel = f"courier:{courier.user_id}"
    await phone.tell("duty", duty="off")
    town.parts.live.lose()  # type: ignore[attr-defined]
    first = await come_back(courier, {})
    mark = (await first.next("snapshot", channel=channel))["bookmark"]
    again = await come_back(courier, {channel: mark})
    assert (await again.next("resumed", channel=channel))["bookmark"] == mark


async def test_what_is_not_confirmed_is_told_again_and_then_the_socket_ends() -> None:
    """Ten seconds of the wall pass in a hundred milliseconds."""
    wall = SystemClock(ClockSettings(speed=100.0, start_ms=NOON, started_ms=1))
    ended = asyncio.Event()
    outgoing = Outgoing(100, ended.set)
    outgoing.want_receipts(wall, again_ms=1000)
    outgoing.put_state("a", a_bookmark(1), b"1")
    outgoing.put_state("a", a_bookmark(2), b"2")
    assert outgoing.take() == [b"1", b"2"]
    outgoing.received("a", a_bookmark(1))
    async with asyncio.timeout(20):
        while not ended.is_set():
            await wall.sleep(1000)
            outgoing.repeat()
    assert outgoing.take() == [b"2"] * TIMES_MAX
    outgoing.put_state("a", a_bookmark(3), b"3")
    outgoing.repeat()
    assert not outgoing._critical


async def test_a_phone_that_promises_receipts_is_told_again_until_it_sends_one(
    tmp_path: Path,
) -> None:
    async with a_town(tmp_path, receipt_s=1) as town:
        courier = await town.log_in("courier")
        channel = f"courier:{courier.user_id}"
        socket = await come_back(courier, {}, receipts=True)
        await socket.tell("duty", **ON_DUTY)
        update = await socket.next("update", channel=channel)
        assert await socket.next("update", channel=channel) == update
        await socket.send({"type": "received", "channel": channel, "bookmark": update["bookmark"]})
        await socket.send({"type": "unsubscribe", "channel": channel})
        await socket.send({"type": "ping"})
        await socket.next("pong")
