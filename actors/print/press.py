"""A child that prints one invoice after the other at the lowest priority, and whoever starts it.

What is printed has time, and dispatch has not; so it is not done in a process that serves. The
child is told an invoice and tells its PDF, each behind its length, until nothing more comes.
"""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import AsyncExitStack
from typing import BinaryIO, Final, Self

import msgspec

from actors.child import begin_child
from actors.parent import end_with
from actors.print.invoice import InvoicePrinter
from engine.invoices.invoice import Invoice

_NICENESS: Final = 19
_LENGTH_BYTES: Final = 4
# The first one also waits for the child to start, on a machine where others come first.
_TIME_LIMIT_S: Final = 40.0


class PressBroken(Exception):
    """The child has ended, or takes too long."""


class Press:
    """Begins its child with the first invoice and ends it with the block."""

    def __init__(self, *, time_limit_s: float = _TIME_LIMIT_S) -> None:
        self._time_limit_s = time_limit_s
        self._child: Process | None = None
        self._block = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._block.aclose()

    async def pdf(self, invoice: Invoice) -> bytes:
        """Its PDF, the same bytes as everywhere.

        Raises:
            PressBroken: and nothing more is printed by this one.
        """
        # A start that is cut short would leave a child that nobody knows.
        child = self._child = self._child or await self._begun()
        try:
            async with asyncio.timeout(self._time_limit_s):
                return await _ask(child, msgspec.msgpack.encode(invoice))
        except TimeoutError:
            raise PressBroken(f"not printed within {self._time_limit_s:g} s") from None
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            raise PressBroken("the child has ended") from error

    async def _begun(self) -> Process:
        command = (sys.executable, "-m", "actors.print.press", str(os.getpid()))
        return await self._block.enter_async_context(begin_child(*command, stdin=PIPE, stdout=PIPE))


async def _ask(child: Process, told: bytes) -> bytes:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(len(told).to_bytes(_LENGTH_BYTES) + told)
    await child.stdin.drain()
    length = int.from_bytes(await child.stdout.readexactly(_LENGTH_BYTES))
    return await child.stdout.readexactly(length)


def main(parent: str) -> None:
    """What `python -m actors.print.press PARENT` does."""
    end_with(int(parent))
    os.nice(_NICENESS)
    printer = InvoicePrinter()
    while told := _read(sys.stdin.buffer):
        pdf = printer.pdf(msgspec.msgpack.decode(told, type=Invoice))
        sys.stdout.buffer.write(len(pdf).to_bytes(_LENGTH_BYTES) + pdf)
        sys.stdout.buffer.flush()


def _read(stream: BinaryIO) -> bytes:
    return stream.read(int.from_bytes(stream.read(_LENGTH_BYTES)))


if __name__ == "__main__":
    main(*sys.argv[1:])
