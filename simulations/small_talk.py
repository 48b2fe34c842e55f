"""One person's conversations at the real edge: he writes a little, and confirms and reads all."""

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from simulations.people import DoorShut
from simulations.rest import Account
from simulations.talk_page import TalkPage
from simulations.views import AGAIN, Frame

if TYPE_CHECKING:
    from simulations.app_socket import Socket

_MESSAGES: Final = 3
_AGAIN_S: Final = 1.0
# A courier has lost the order, or its conversation was closed.
_NOT_HIS: Final = frozenset({"no_such_channel", "not_allowed", "unknown_order"})


class SmallTalk:
    """Remembers what he was told, over whichever socket he has.

    `pause_s` are the least and the most real seconds before each of his messages.
    """

    def __init__(
        self, account: Account, side: str, *, pause_s: tuple[float, float] = (1.0, 20.0)
    ) -> None:
        self.account, self.side, self._pause_s = account, side, pause_s
        self.pages: dict[str, TalkPage] = {}
        self.has_read: dict[str, int] = {}
        self._clock = account.edge.clock
        self._socket: Socket | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def use(self, socket: "Socket") -> None:
        """From now on he speaks over this one."""
        self._socket = socket

    def begin(self, order_id: str) -> None:
        """Listen to what is said about an order, and say something."""
        if order_id not in self.pages:
            self.pages[order_id] = TalkPage(order_id)
            self._spawn(self._converse(order_id))

    async def listen(self, order_id: str) -> None:
        """Hear of an order from where he left off, and say up to where he has read."""
        assert self._socket is not None
        await self._socket.listen(
            _channel(order_id),
            partial(self._hear, order_id),
            subscribe=True,
            bookmark=self.pages[order_id].bookmark,
            mind=partial(self._mind, order_id),
        )
        await self._say_read(order_id)

    async def end(self) -> None:
        """Say nothing more."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _converse(self, order_id: str) -> None:
        await self.listen(order_id)
        for number in range(_MESSAGES):
            await self._pause(self.account.edge.chance.uniform(*self._pause_s))
            assert self._socket is not None
            said = {"order_id": order_id, "text": f"{self.side} {number}"}
            await self._socket.tell("message", said)

    def _hear(self, order_id: str, frame: Frame) -> None:
        page = self.pages[order_id]
        if any(one.side != self.side for one in page.take(frame)):
            self.has_read[order_id] = page.last_number
            self._spawn(self._say_read(order_id))

    def _mind(self, order_id: str, frame: Frame) -> None:
        if frame.code in AGAIN:
            self._spawn(self._read_again(order_id))
        elif frame.code not in _NOT_HIS:
            self.pages[order_id].faults.append(f"conversation {order_id}: {frame.code}")

    async def _read_again(self, order_id: str) -> None:
        await self._pause(_AGAIN_S)
        await self._say_read(order_id)

    async def _say_read(self, order_id: str) -> None:
        number = self.has_read.get(order_id)
        if number is not None and self._socket is not None:
            frame = {"type": "read", "order_id": order_id, "number": number}
            await self._socket.keep_saying(_channel(order_id), frame)

    async def _pause(self, seconds: float) -> None:
        await self._clock.sleep(seconds * 1000 * self._clock.speed)

    def _spawn(self, doing: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._noting(doing))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _noting(self, doing: Coroutine[Any, Any, None]) -> None:
        try:
            await doing
        except DoorShut:
            # His socket's other words tell the day.
            return


def _channel(order_id: str) -> str:
    return f"conversation:{order_id}"
