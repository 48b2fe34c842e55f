"""A child ends with its block, however the block ends."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process

import pytest

from actors.child import begin_child

MORE_THAN_A_PIPE_HOLDS = 1_000_000
WAITS = ("-c", "import time; print('here', flush=True); time.sleep(600)")
TALKS = ("-c", f"print('x' * {MORE_THAN_A_PIPE_HOLDS}); import time; time.sleep(600)")


async def test_it_ends_with_the_block_though_nobody_hears_all_that_it_says() -> None:
    async with begin_child(sys.executable, *TALKS, stdin=PIPE, stdout=PIPE) as child:
        assert child.stdout is not None
        assert await child.stdout.read(1) == b"x"
    assert child.returncode == -signal.SIGKILL


async def test_its_own_end_is_kept() -> None:
    async with begin_child(sys.executable, "-c", "raise SystemExit(7)", stdout=PIPE) as child:
        assert await child.wait() == 7
    assert child.returncode == 7


@pytest.mark.parametrize("times", [1, 2, 3])
async def test_whoever_is_cancelled_again_meanwhile_is_not_done_before_it_has_ended(
    times: int,
) -> None:
    begun: asyncio.Future[Process] = asyncio.get_running_loop().create_future()

    async def work() -> None:
        async with begin_child(sys.executable, *WAITS, stdin=PIPE, stdout=PIPE) as child:
            assert child.stdout is not None
            await child.stdout.readline()
            begun.set_result(child)
            await asyncio.Event().wait()

    working = asyncio.create_task(work())
    child = await begun
    for _ in range(times):
        working.cancel()
        await asyncio.wait({working}, timeout=0)
    with pytest.raises(asyncio.CancelledError):
        await working
    assert child.returncode == -signal.SIGKILL
