"""What is read together: the newest position counts, and nothing else is passed over."""

import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from actors.clock import SystemClock
from api.sockets.backlog import Backlog
from api.sockets.positions import PositionGate, Positions
from engine.kernel.timing import SECOND_MS
from storage.live import Fix
from tests.api.test_sockets import RECORD, fix_of
from tests.api.town import Town, a_town
from tests.builders import CORNER

NOW = 1_000_000
STEP_DEG = 0.0001


@pytest_asyncio.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with a_town(tmp_path) as town:
        yield town


class Stopped(SystemClock):
    """Time stands still."""

    def now(self) -> int:
        return NOW


def fix_at(at: int, lat: float = CORNER.lat) -> Fix:
    return Fix(lat=lat, lng=CORNER.lng, at=at, accuracy_m=5)


TIMES = st.lists(st.lists(st.integers(NOW - 100, NOW + 50_000), max_size=6), max_size=6)


@given(TIMES)
def test_of_each_reading_the_newest_that_is_believed_is_passed_on(reads: list[list[int]]) -> None:
    clock, passed, told = Stopped(), list[Fix](), list[int]()
    positions = Positions(
        PositionGate(clock, clock, future_s=30), Backlog(), report=passed.append, tell=told.append
    )
    newest, expected = 0, list[Fix]()
    for times in reads:
        positions.take(fix_at(at) for at in times)
        positions.pass_on()
        positions.pass_on()
        believed = list[int]()
        for at in times:
            if newest <= at <= NOW + 30 * SECOND_MS:
                newest = at
                believed.append(at)
        expected += [fix_at(one) for one in believed[-1:]]
    assert passed == expected


@dataclass
class Said:
    """What a phone says in one go, and what is to come of it."""

    chance: random.Random
    newest: Fix
    frames: list[bytes] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    pings: int = 0

    def say_something(self) -> None:
        kinds = (self.say_where, self.say_where_packed, self.ask, self.ping, self.say_where_he_was)
        self.chance.choices(kinds, (3, 3, 3, 1, 1))[0]()

    def move(self) -> Fix:
        now = self.newest
        self.newest = fix_at(now.at + SECOND_MS, now.lat + STEP_DEG)
        return self.newest

    def say_where(self) -> None:
        self.say({"type": "position", **_plain(self.move())})

    def say_where_packed(self) -> None:
        fixes = [self.move() for _ in range(self.chance.randint(1, 3))]
        packed = b"".join(
            RECORD.pack(round(one.lat * 1e7), round(one.lng * 1e7), one.at, 50, 0) for one in fixes
        )
        self.frames.append(Frame(Opcode.BINARY, packed).serialize(mask=True))

    def say_where_he_was(self) -> None:
        """An older one, which is to be dropped."""
        self.say({"type": "position", **_plain(fix_at(self.newest.at - SECOND_MS))})

    def ask(self) -> None:
        duty = "resume" if len(self.names) % 2 else "break"
        self.names.append(f"word-{len(self.names)}")
        self.say({"type": "duty", "id": self.names[-1], "duty": duty})

    def ping(self) -> None:
        self.pings += 1
        self.say({"type": "ping"})

    def say(self, frame: dict[str, Any]) -> None:
        body = msgspec.json.encode(frame)
        self.frames.append(Frame(Opcode.TEXT, body).serialize(mask=True))

    def chunks(self) -> Iterator[bytes]:
        """All of it, cut anywhere."""
        whole = b"".join(self.frames)
        cuts = {0, len(whole), *(self.chance.randrange(len(whole)) for _ in range(5))}
        return (whole[a:b] for a, b in pairwise(sorted(cuts)))


def _plain(fix: Fix) -> dict[str, Any]:
    return {"lat": fix.lat, "lng": fix.lng, "at": fix.at, "accuracy_m": fix.accuracy_m}


@pytest.mark.parametrize("seed", range(12))
async def test_commands_between_positions_are_answered_in_order_and_the_newest_place_is_known(
    town: Town, seed: int
) -> None:
    courier, phone = await town.courier()
    said = Said(random.Random(seed), fix_at(town.parts.clock.now() - 150 * SECOND_MS))
    for _ in range(40):
        said.say_something()
    said.ping()
    for chunk in said.chunks():
        phone.connection.transport.write(chunk)
        # So that they are read one by one.
        await SystemClock().sleep(1)
    answered, pongs = list[str](), 0
    while len(answered) < len(said.names) or pongs < said.pings:
        frame = await phone.next("reply", "refused", "pong")
        if frame["type"] == "pong":
            pongs += 1
        else:
            assert frame["type"] == "reply", frame
            answered.append(frame["id"])
    assert answered == said.names
    known = await fix_of(town, courier)
    assert known is not None
    assert known.at == said.newest.at
    assert known.lat == pytest.approx(said.newest.lat, abs=1e-7)
