"""A socket's queue and event do what those of asyncio do, in less room."""

import asyncio
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from actors.clock import SystemClock
from api.sockets.waiting import Messages, Signal

_PATIENCE_S = 30.0


@given(st.lists(st.sampled_from(["put", "get"]), max_size=30))
def test_messages_come_in_their_order_whoever_is_first(steps: Sequence[str]) -> None:
    async def walk() -> None:
        messages, got, wanted, put = Messages(), list[int](), steps.count("get"), 0

        async def read() -> None:
            while len(got) < wanted:
                got.append(await messages.get())

        reading = asyncio.ensure_future(read())
        for step in steps:
            if step == "put":
                messages.put_nowait(put)
                put += 1
            else:
                await SystemClock().sleep(0)
        await SystemClock().sleep(0)
        assert got == list(range(min(wanted, put)))
        assert messages.empty() == (put <= wanted)
        reading.cancel()

    asyncio.run(walk())


async def test_who_gives_up_takes_no_message_with_him() -> None:
    messages = Messages()
    reading = asyncio.ensure_future(messages.get())
    await SystemClock().sleep(0)
    messages.put_nowait("first")
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    async with asyncio.timeout(_PATIENCE_S):
        assert await messages.get() == "first"


async def test_a_signal_lets_all_go_on_who_wait() -> None:
    signal, went_on = Signal(), list[int]()

    async def wait(name: int) -> None:
        await signal.wait()
        went_on.append(name)

    waiting = [asyncio.ensure_future(wait(name)) for name in range(3)]
    await SystemClock().sleep(0)
    waiting[1].cancel()
    assert not signal.is_set()
    signal.set()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert went_on == [0, 2]
    await signal.wait()
    signal.clear()
    late = asyncio.ensure_future(signal.wait())
    await SystemClock().sleep(0)
    assert not late.done()
    signal.set()
    async with asyncio.timeout(_PATIENCE_S):
        await late
