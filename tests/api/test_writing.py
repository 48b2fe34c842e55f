"""Frames leave at once, or together while commands wait: all of them, once, in their order."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.clock import SystemClock
from api.admission import Admission
from api.limit_settings import LimitSettings
from api.route_classes import Weight
from api.sockets.line import Heard
from api.sockets.outgoing import Outgoing
from api.sockets.wire import Wire
from api.sockets.writing import Departures, Writing
from simulations.virtual import VirtualClock, VirtualLoop, run_virtually

_SOON_MS = 20


class Ear:
    """The server's end of a socket: what was written, each write by itself."""

    def __init__(self) -> None:
        self.writes: list[tuple[bytes, ...]] = []
        self.is_full = False

    @property
    def heard(self) -> list[bytes]:
        return [frame for one in self.writes for frame in one]

    def hear(self, heard: Heard | None) -> None:
        """It says nothing."""

    def say(self, *frames: bytes) -> None:
        assert not self.is_full
        self.writes.append(frames)

    async def wait_until_free(self) -> None:
        while self.is_full:
            await SystemClock().sleep(1)

    def hold(self) -> None:
        pytest.fail("it says nothing")

    def release(self) -> None:
        """It was never held."""


class Phone:
    """A socket's writing, an admission at which a test has somebody wait, and what is heard."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.loop, self.ear, self.is_over = loop, Ear(), False
        self.clock = VirtualClock(loop, starts_at=0)
        self.admission = Admission(LimitSettings(commands_of_cell_at_once=1, command_wait_s=60))

        async def never(*_: object) -> Any:
            pytest.fail("nobody asks")

        self.writing = Writing(
            Wire(never, never, self.ear),
            Departures(self.admission),
            is_over=lambda: self.is_over,
            spawn=self._spawn,
        )
        self.outgoing = Outgoing(
            1000,
            pytest.fail,
            say_at_once=self.writing.say_at_once,
            on_waiting=lambda: self.writing.begin(self.outgoing),
        )
        self._tasks = list[Any]()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(self.loop.create_task(work))

    async def be_busy(self) -> None:
        """Somebody is inside, and somebody waits."""
        assert await self.admission.enter("", Weight.NORMAL)
        self._spawn(self._wait())
        await self.clock.sleep(0)

    async def _wait(self) -> None:
        await self.admission.enter("", Weight.NORMAL)

    async def pass_time(self) -> None:
        await self.clock.sleep(_SOON_MS)

    async def be_calm(self) -> None:
        """Who waited is let in, and all have left."""
        for _ in range(2):
            self.admission.leave("")
        await self.clock.sleep(1000)


def virtually(work: Callable[[Phone], Coroutine[Any, Any, None]]) -> None:
    async def main(loop: VirtualLoop) -> None:
        await work(Phone(loop))

    run_virtually(main)


def test_when_nothing_waits_a_frame_leaves_at_once_by_itself() -> None:
    async def work(phone: Phone) -> None:
        phone.outgoing.put(b"1")
        phone.outgoing.put(b"2")
        assert phone.ear.writes == [(b"1",), (b"2",)]

    virtually(work)


def test_while_commands_wait_what_is_said_leaves_soon_in_one_write() -> None:
    async def work(phone: Phone) -> None:
        await phone.be_busy()
        phone.outgoing.put(b"refused")
        phone.outgoing.put_latest("eta", b"old")
        phone.outgoing.put_latest("eta", b"new")
        phone.outgoing.put(b"reply")
        assert phone.ear.writes == []
        await phone.pass_time()
        assert phone.ear.writes == [(b"refused", b"reply", b"new")]
        await phone.be_calm()
        phone.outgoing.put(b"at once")
        assert phone.ear.writes[1:] == [(b"at once",)]

    virtually(work)


def test_what_has_gathered_leaves_before_the_goodbye() -> None:
    async def work(phone: Phone) -> None:
        await phone.be_busy()
        phone.outgoing.put(b"refused")
        phone.is_over = True
        phone.writing.finish(phone.outgoing)
        assert phone.ear.writes == [(b"refused",)]
        phone.outgoing.put(b"after the end")
        await phone.pass_time()
        assert phone.ear.writes == [(b"refused",)]

    virtually(work)


STEPS = st.lists(st.sampled_from(["put", "put", "put", "busy", "calm", "full", "free", "time"]))


@given(STEPS)
def test_all_is_heard_once_and_in_order_however_busy_it_is_and_however_it_reads(
    steps: Sequence[str],
) -> None:
    async def work(phone: Phone) -> None:
        said, is_busy = list[bytes](), False
        for step in steps:
            match step:
                case "put":
                    said.append(b"%d" % len(said))
                    phone.outgoing.put(said[-1])
                case "busy" if not is_busy:
                    is_busy = True
                    await phone.be_busy()
                case "calm" if is_busy:
                    is_busy = False
                    await phone.be_calm()
                case "full" | "free":
                    phone.ear.is_full = step == "full"
                case "time":
                    await phone.pass_time()
                case _:
                    """It is so already."""
        phone.ear.is_full = False
        await phone.clock.sleep(1000)
        assert phone.ear.heard == said
        assert phone.outgoing.is_empty

    virtually(work)
