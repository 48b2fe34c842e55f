"""A process of payments that is killed at the n-th thing it waits for, before or after it happened.

Everything that it can wait for (stores, cells, the gateway, the ledger) is reached through here, so
that the points between two waits are all the places where a process can die.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar, cast

from actors.gateways.settings import OutboxSettings
from actors.gateways.wallet import Wallet
from actors.ledger import LedgerKeeper
from actors.outbox import Outbox
from engine.invoices.invoice import CreditRefund, IssueInvoice
from engine.kernel.messages import Effect
from engine.money.ledger import Ledger
from engine.money.transfers import EnterTransfer, Transfer
from engine.orders.messages import SendSms
from engine.payments.messages import FollowOrder, ReleaseWallet, TakePointsBack
from storage.ledger import LedgerStore, LedgerTurn
from tests.actors.tills import Tills

T = TypeVar("T")
Lived = Callable[[int | None], Awaitable[tuple["Life", T]]]


class Killed(Exception):
    """The process is no more; whoever spoke to it hears nothing."""


class Life:
    """One life: `dies_at` is the number of the point at which it ends, None for never."""

    def __init__(self, dies_at: int | None) -> None:
        self.points: list[str] = []
        self._dies_at = dies_at
        self._dead = asyncio.Event()
        self._left: list[asyncio.Task[Any]] = []

    @property
    def is_over(self) -> bool:
        """Whether it died before its end."""
        return self._dead.is_set()

    async def point(self, where: str) -> None:
        """A place where the process may die; the dead go on with nothing."""
        if not self._dead.is_set():
            self.points.append(where)
        if len(self.points) - 1 == self._dies_at:
            self._dead.set()
        if self._dead.is_set():
            await asyncio.Event().wait()

    async def point_in_turn(self, where: str) -> None:
        """A place to die while others wait for what one holds.

        Raises:
            Killed: the connection is gone, and with it all that was not committed.
        """
        self.points.append(where)
        if len(self.points) - 1 == self._dies_at:
            self._dead.set()
        if self._dead.is_set():
            raise Killed

    async def during(self, doing: Coroutine[Any, Any, T]) -> T:
        """What comes of it, or `Killed`; whatever was begun stays where it was."""
        working = asyncio.ensure_future(doing)
        dying = asyncio.ensure_future(self._dead.wait())
        await asyncio.wait({working, dying}, return_when=asyncio.FIRST_COMPLETED)
        dying.cancel()
        if working.done():
            return working.result()
        self._left.append(working)
        raise Killed

    def leave(self, tasks: Iterable["asyncio.Task[Any]"]) -> None:
        """What else it was doing."""
        self._left.extend(tasks)

    async def bury(self) -> None:
        """Clear away what the dead left behind, long after it could do anything."""
        for one in self._left:
            one.cancel()
        await asyncio.gather(*self._left, return_exceptions=True)


async def die_everywhere(live: Lived[T], *, points: int) -> T:
    """Live without a death, and with one at each point: the end is the same; so many die at least.

    `live` is handed the number of the point to die at, and gives back the life and its end.
    """
    alive, wanted = await live(None)
    died = 0
    for dies_at in range(len(alive.points)):
        life, ends = await live(dies_at)
        assert ends == wanted, f"died {life.points[-1]}, point {dies_at}"
        # By chance one waits less often for what is tried again, and is over before that point.
        died += life.is_over
        await life.bury()
    assert died >= points, alive.points
    return wanted


class Mortal:
    """Passes every call on, with a place to die before it and one after."""

    def __init__(self, inner: object, life: Life) -> None:
        self._inner, self._life = inner, life

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not asyncio.iscoroutinefunction(found):
            return found
        return partial(self._call, name, found)

    async def _call(
        self, name: str, call: Callable[..., Awaitable[Any]], *args: Any, **more: Any
    ) -> Any:
        await self._life.point(f"before {name}")
        answer = await call(*args, **more)
        await self._life.point(f"after {name}")
        return answer


class MortalLedger(Mortal):
    """The ledger's store: whoever dies in his turn gives it up, and has entered nothing."""

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[LedgerTurn]:
        life, inner = self._life, cast("LedgerStore", self._inner)
        await life.point("before a turn")
        try:
            async with inner.turn() as turn:
                yield MortalTurn(turn, life)
                await life.point_in_turn("before the commit")
        except Killed:
            await asyncio.Event().wait()
        await life.point("after the commit")


class MortalTurn:
    """A turn, with a place to die before and after each of its statements."""

    def __init__(self, inner: LedgerTurn, life: Life) -> None:
        self._inner, self._life = inner, life

    async def load(self, transfers: Sequence[Transfer]) -> Ledger:
        await self._life.point_in_turn("before load")
        found = await self._inner.load(transfers)
        await self._life.point_in_turn("after load")
        return found

    async def save(self, ledger: Ledger) -> bool:
        is_kept = await self._inner.save(ledger)
        await self._life.point_in_turn("after save")
        return is_kept


class Process:
    """Payments, ledger and outbox of one life, on the stores and the gateway of the tills."""

    def __init__(self, tills: Tills, dies_at: int | None = None) -> None:
        self.life, self.tills = Life(dies_at), tills
        self.bus: Any = Mortal(tills.bus, self.life)
        books: Any = MortalLedger(tills.books, self.life)
        self._keeper = LedgerKeeper(books, wall=tills.clock)
        self.keeper: Any = Mortal(self._keeper, self.life)
        gateway = tills.gateway
        if isinstance(gateway, Wallet):
            # Its till is the ledger, in whose turns a process may die, too.
            gateway = Wallet(self._keeper, books)
        self.host = tills.another_host(
            store=Mortal(tills.store, self.life),
            bus=self.bus,
            gateway=Mortal(gateway, self.life),
            keeper=self.keeper,
        )
        self.store: Any = Mortal(tills.orders, self.life)
        self._outbox = Outbox(
            self.store,
            {
                EnterTransfer: self.keeper.on_effect,
                FollowOrder: self.host.on_effect,
                SendSms: _nothing,
                IssueInvoice: _nothing,
                CreditRefund: _nothing,
                TakePointsBack: _nothing,
                ReleaseWallet: Wallet(cast("LedgerKeeper", self.keeper), tills.books).on_effect,
            },
            OutboxSettings(),
            clock=tills.clock,
            chance=tills.chance,
        )

    def leave(self) -> None:
        """Have whatever is under way buried with it."""
        self.life.leave(self.host._under_way)
        self.life.leave([self._keeper._writer] if self._keeper._writer else [])

    async def drain(self) -> None:
        """Carry out what effects there are, until there are none."""
        while await self._outbox.drain():
            pass


async def _nothing(_: Effect) -> None:
    return
