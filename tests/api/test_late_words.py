"""A thing goes from cell to cell: an older word that comes late is told to nobody."""

import asyncio

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec.structs import replace

from actors.clock import SystemClock
from actors.publisher import Publisher
from api.sockets.histories import Histories
from api.sockets.outgoing import Outgoing
from api.sockets.subscription import Subscription
from engine.kernel.ids import CellId
from storage.live import Batch, Bookmark, Publication
from storage.memory_live import MemoryLive
from tests.api.resuming import KEPT, a_bookmark, a_hub_that_asks_nobody, a_state, read, spelled
from tests.builders import NOON


class Moving(RuleBasedStateMachine):
    """A thing that goes from cell to cell, whose words of it may come late; a phone comes and goes.

    Cells tell of it by their own publishers. The words of one reach the edge in their order, those
    of another may overtake them. Every version is told by one cell or the other.
    """

    def __init__(self) -> None:
        super().__init__()
        names = [CellId("a"), CellId("b")]
        self.cells = [Publisher(one, one, MemoryLive(), SystemClock()) for one in names]
        self.owner, self.version, self.newest_heard = 0, 0, 0
        self.histories = Histories(frames=KEPT)
        self.phone: Subscription | None = None
        self.asked: int | None = None
        self.outgoing = Outgoing(10_000, pytest.fail)
        self.known: list[int] = []
        self.mark: Bookmark | None = None
        self.it_changes()
        self.the_edge_hears_a_cell(of_owner=True)
        self.the_phone_comes(is_answered=True)

    def stands(self) -> Publication:
        return Publication(channel="order:1", kind="state", version=self.version, body={})

    @rule()
    def it_changes(self) -> None:
        self.version += 1
        self.cells[self.owner].publish(self.stands())

    @rule()
    def it_is_shown_again(self) -> None:
        self.cells[self.owner].publish(self.stands())

    @rule(is_told=st.booleans())
    def it_goes_to_the_other_cell(self, is_told: bool) -> None:
        """It may change once more before it goes; to go is a change that the other cell tells."""
        if is_told:
            self.it_changes()
        self.owner = 1 - self.owner
        self.it_changes()

    @rule(of_owner=st.booleans())
    def the_edge_hears_a_cell(self, of_owner: bool) -> None:
        cell = self.cells[self.owner if of_owner else 1 - self.owner]
        if not cell._waiting:
            return
        publication = cell._waiting.pop(0)
        frame = spelled(publication)
        self.histories.add(publication, frame)
        if self.phone is not None:
            self.phone.receive(publication, frame)
        self.newest_heard = max(self.newest_heard, publication.version)
        self.the_phone_reads()

    @rule()
    def a_word_of_something_else_is_missed(self) -> None:
        self.histories.forget()
        if self.phone is not None:
            self.asked = self.phone.begin()

    @precondition(lambda self: self.phone is None)
    @rule(is_answered=st.booleans())
    def the_phone_comes(self, is_answered: bool) -> None:
        self.outgoing = Outgoing(10_000, pytest.fail)
        self.phone = Subscription("order:1", self.outgoing, self.mark)
        missed = None if self.mark is None else self.histories.since("order:1", self.mark)
        if self.mark is not None and missed is not None:
            self.phone.resume(self.mark, missed)
        else:
            self.asked = self.phone.begin()
            if is_answered:
                self.the_snapshot_comes()
        self.the_phone_reads()

    @precondition(lambda self: self.phone is not None)
    @rule()
    def the_phone_leaves(self) -> None:
        self.phone = self.asked = None

    @precondition(lambda self: self.asked is not None)
    @rule()
    def the_snapshot_comes(self) -> None:
        assert self.phone is not None
        assert self.asked is not None
        mark = self.cells[self.owner].bookmark("order:1")
        self.phone.settle(self.asked, replace(self.stands(), bookmark=mark))
        self.asked = None
        self.the_phone_reads()

    def the_phone_reads(self) -> None:
        for frame in read(self.outgoing):
            if frame["type"] == "snapshot":
                self.known = [frame["version"]]
            elif frame["type"] == "resumed":
                told = [self.known[-1], *(one["version"] for one in frame["updates"])]
                assert set(told) == set(range(told[0], told[-1] + 1)), "some of it is missing"
                self.known += told
            else:
                self.known.append(frame["version"])
            self.mark = msgspec.convert(frame["bookmark"], Bookmark)

    @invariant()
    def nothing_old_comes_after_something_new(self) -> None:
        assert self.known == sorted(self.known)

    @invariant()
    def who_waits_for_nothing_knows_what_the_edge_knows(self) -> None:
        if self.phone is not None and self.asked is None:
            assert self.known[-1] >= self.newest_heard


TestMoving = Moving.TestCase
TestMoving.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)


def test_a_number_is_left_out_where_another_cell_may_have_told_something() -> None:
    publisher = Publisher(CellId("cell"), "one", MemoryLive(), SystemClock())
    for version in (1, 2, 2, 3, 5, 6):
        publisher.publish(Publication(channel="a", kind="state", version=version, body={}))
    marks = [one.bookmark for one in publisher._waiting]
    assert [one.offset for one in marks if one] == [1, 2, 3, 4, 6, 7]


async def test_a_late_word_of_the_cell_that_it_left_is_told_to_nobody() -> None:
    live = MemoryLive()
    told = [("a", 1, 1), ("b", 1, 3), ("a", 2, 2), ("b", 2, 4)]
    for number, (cell, offset, version) in enumerate(told):
        batch = Batch(
            cell=CellId(cell),
            incarnation=cell,
            sequence=1 + number // 2,
            at=NOON,
            publications=(a_state(offset, cell, version),),
        )
        await live.publish(batch)
    async with a_hub_that_asks_nobody(live) as hub:
        async with asyncio.timeout(20):
            while hub._histories.since("order:1", a_bookmark(2, "b")) is None:
                await SystemClock().sleep(1)
        assert hub._histories.since("order:1", a_bookmark(1, "a")) is None
        outgoing = Outgoing(10, pytest.fail)
        await hub.subscribe("order:1", outgoing, a_bookmark(1, "b"))
        (resumed,) = read(outgoing)
        assert [one["version"] for one in resumed["updates"]] == [4]


def test_who_knows_more_than_the_edge_has_heard_is_told_how_it_stands() -> None:
    histories = Histories()
    histories.add(a_state(1, "b", 2), b"2")
    assert histories.since("order:1", a_bookmark(1, "b")) == ([], 2)
    assert histories.since("order:1", a_bookmark(2, "b")) is None
