"""The people of a day: every courier works his shift, every gift is ordered at its time."""

import asyncio
from collections.abc import Awaitable, Iterable, Sequence

from simulations.courier import CourierProgram
from simulations.customer import CustomerProgram
from simulations.day import DayOrder
from simulations.people import DoorShut, World, until_or

# Real seconds that people wait for their last news, and then for the answer to a cancellation.
_LAST_NEWS_S = 8.0


class Town:
    """Runs the programs of all people; what goes wrong with one of them goes into the diary."""

    def __init__(
        self,
        world: World,
        *,
        couriers: Sequence[CourierProgram],
        customers: Sequence[CustomerProgram],
    ) -> None:
        self._world = world
        self._couriers, self._customers = couriers, customers
        self._customer_of: dict[str, CustomerProgram] = {}
        self._watching: set[asyncio.Task[None]] = set()
        self.no_more_orders = asyncio.Event()

    async def live(self, orders: Iterable[DayOrder], *, adopting: bool = False) -> None:
        """From the first shift to the last; what nobody delivered is cancelled at the end.

        `adopting` watches the orders of an earlier run, too. When this is cancelled, everybody
        stops where he is.
        """
        await asyncio.gather(*(self._noting(one.open()) for one in self._customers))
        if adopting:
            await self._adopt()
        try:
            shifts = (self._noting(one.run()) for one in self._couriers)
            await asyncio.gather(self._place(orders), *shifts)
            await self._wait_for_news()
            await self.withdraw()
            await self._wait_for_news()
        finally:
            for task in self._watching:
                task.cancel()
            await asyncio.gather(*(one.close() for one in self._customers))

    async def withdraw(self) -> None:
        """Cancel every order that can still be cancelled."""
        left = [
            page
            for page in self._world.diary.orders.values()
            if page.order_id and not page.has_ended
        ]
        await asyncio.gather(
            *(self._noting(self._customer_of[page.wanted.key].withdraw(page)) for page in left)
        )

    async def _adopt(self) -> None:
        for customer in self._customers:
            for page in await customer.adopt():
                self._customer_of[page.wanted.key] = customer
                self._watch(customer.watch(page))

    async def _place(self, orders: Iterable[DayOrder]) -> None:
        """Have every order placed at its time, by the customers in turn."""
        for number, wanted in enumerate(orders):
            await until_or(self._world.clock, wanted.placed_at, self.no_more_orders)
            if self.no_more_orders.is_set():
                return
            customer = self._customers[number % len(self._customers)]
            self._customer_of[wanted.key] = customer
            self._watch(customer.order(wanted))

    def _watch(self, doing: Awaitable[None]) -> None:
        task = asyncio.ensure_future(self._noting(doing))
        self._watching.add(task)
        task.add_done_callback(self._watching.discard)

    async def _noting(self, doing: Awaitable[object]) -> None:
        """A person who is shut out is a fault of the day, not the end of it."""
        try:
            await doing
        except DoorShut as error:
            self._world.diary.faults.append(str(error))

    async def _wait_for_news(self) -> None:
        if self._watching:
            await asyncio.wait(self._watching, timeout=_LAST_NEWS_S)
