"""Gifts that are ordered together in a month: two wait for each other, and one pays for both."""

import asyncio
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from actors.chance import new_id
from engine.kernel.ids import QuoteId
from engine.kernel.timing import MINUTE_MS
from engine.orders.grouping import group_of
from engine.orders.messages import PlaceOrder, PlaceOrders
from engine.payments.payment import Payment
from simulations.door_bus import Lobby
from simulations.month.office import Office
from simulations.month.purse import DECLINED, Purse
from simulations.views import Told

# The quote of who came first must still be good then.
_PATIENCE_MS: Final = 5 * MINUTE_MS


class _Waiting(Struct, frozen=True):
    purse: Purse
    order: PlaceOrder
    told: asyncio.Future[Told]


class Together:
    """Where those who would share a payment meet."""

    def __init__(self, office: Office, lobby: Lobby) -> None:
        self._office, self._lobby = office, lobby
        self._waiting: list[_Waiting] = []

    async def order(self, purse: Purse, order: PlaceOrder) -> Told | None:
        """What came of ordering with somebody else; None when nobody came in time."""
        zone_id = order.zone_id
        first = next((one for one in self._waiting if one.order.zone_id == zone_id), None)
        if first is None:
            return await self._wait(purse, order)
        self._waiting.remove(first)
        mine = await self._by(first.purse, order)
        theirs, ours = await self._pay(first.purse, first.order, mine)
        first.told.set_result(theirs)
        return ours

    async def _wait(self, purse: Purse, order: PlaceOrder) -> Told | None:
        told: asyncio.Future[Told] = asyncio.get_running_loop().create_future()
        waiting = _Waiting(purse, order, told)
        self._waiting.append(waiting)
        await self._lobby.clock.sleep(_PATIENCE_MS)
        if waiting in self._waiting:
            self._waiting.remove(waiting)
            return None
        return await told

    async def _by(self, purse: Purse, order: PlaceOrder) -> PlaceOrder:
        """The order as the other one orders it."""
        quote_id = QuoteId(new_id(self._lobby.clock, self._office.stage.chance))
        quoted = replace(order.quote, id=quote_id, customer_id=purse.customer_id)
        await self._lobby.store.save_quote(quoted)
        return replace(order, quote=quoted)

    async def _pay(self, purse: Purse, *orders: PlaceOrder) -> tuple[Told, ...]:
        together = PlaceOrders(zone_id=orders[0].zone_id, orders=group_of(orders))
        halalas = sum(one.quote.total_halalas for one in orders)
        paid = await purse.pay(together, halalas, f"group {orders[0].order_id}")
        if not isinstance(paid, Payment):
            why = "quote_expired" if paid == DECLINED else paid
            return tuple(Told(refused=why) for _ in orders)
        self._office.done["groups"] += 1
        return tuple(Told(body={"order_id": one.order_id}) for one in orders)
