"""A process that was started for one piece of work and does not outlive it."""

import asyncio
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any


@asynccontextmanager
async def begin_child(*command: str, **how: Any) -> AsyncIterator[Process]:  # noqa: ANN401 - as there
    """Started as `asyncio.create_subprocess_exec` does, and killed at the end of the block.

    The block is not left before the child has ended and its pipes are closed, whoever cancels.
    """
    child = await asyncio.create_subprocess_exec(
        *command,
        # A Ctrl-C in the terminal is for the parent, which then ends its children.
        start_new_session=True,
        **how,
    )
    try:
        yield child
    finally:
        with suppress(ProcessLookupError):
            child.kill()
        await _to_the_end(child)


async def _to_the_end(child: Process) -> None:
    if child.stdin is not None:
        child.stdin.close()
    # To the end of what it said: a pipe that nobody reads is never closed.
    ending = asyncio.ensure_future(child.communicate())
    cancelled: asyncio.CancelledError | None = None
    while not ending.done():
        try:
            await asyncio.wait({ending})
        except asyncio.CancelledError as error:
            cancelled = error
    ending.result()
    if cancelled:
        raise cancelled
