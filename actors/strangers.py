"""Whom a command speaks of and the cell does not hold: looked up before the command is decided."""

from collections.abc import Awaitable, Container

from actors.address import destination
from actors.holdings import Holdings
from actors.live import Live
from engine.couriers.courier import Courier, Duty
from engine.couriers.handing_over import is_free
from engine.couriers.messages import BUSY_ELSEWHERE, GoOnDuty
from engine.dispatch.offer import Offer
from engine.kernel.ids import CellId, OrderId, ZoneId
from engine.kernel.messages import Command
from engine.kernel.refusals import ELSEWHERE, UNAVAILABLE, Refusal
from engine.orders.messages import PlaceOrder
from engine.orders.order import Order
from storage.store import Store, StoreUnavailable


class Strangers:
    """A courier who is off duty may have worked elsewhere meanwhile; what has ended is not kept.

    Who was handed over to this cell is adopted. Whoever else should be held and is not proves that
    memory is behind storage, which is doubted then. So does what belongs to a zone that was moved
    to this cell and was not taken over yet.
    """

    def __init__(self, cell: CellId, store: Store, holdings: Holdings, live: Live) -> None:
        self._cell = cell
        self._store = store
        self._holdings = holdings
        self._live = live

    def admit(self, command: Command) -> Awaitable[Refusal | None] | None:
        """Hold the stored state of whom the command speaks of; call it while holding the turns.

        None if all that it names is held already, as it mostly is.
        """
        return None if self._holds_all(command) else self._look_up(command)

    def _holds_all(self, command: Command) -> bool:
        courier_id = getattr(command, "courier_id", None)
        return (
            (courier_id is None or self._holdings.is_on_duty(courier_id))
            and _holds(self._holdings.orders, getattr(command, "order_id", None))
            and _holds(self._holdings.offers, getattr(command, "offer_id", None))
            and _holds(self._holdings.zones, getattr(command, "zone_id", None))
        )

    async def _look_up(self, command: Command) -> Refusal | None:
        try:
            for look in (self._zone, self._courier, self._order, self._offer):
                refusal = await look(command)
                if refusal is not None:
                    return refusal
        except StoreUnavailable:
            return UNAVAILABLE()
        return None

    async def meet(self, name: str) -> Refusal | None:
        """Hold what stands (`kind:id`) where something new was to be: an order that has ended."""
        kind, _, key = name.partition(":")
        assert kind == "order", f"{name} is not looked for"
        try:
            return await self._ended(await self._store.find_order(OrderId(key)))
        except StoreUnavailable:
            return UNAVAILABLE()

    async def _zone(self, command: Command) -> Refusal | None:
        kind, _, zone_id = destination(command).partition(":")
        if kind != "zone" or zone_id in self._holdings.zones:
            return None
        return await self._not_held(ZoneId(zone_id))

    async def _courier(self, command: Command) -> Refusal | None:
        courier_id = getattr(command, "courier_id", None)
        if courier_id is None or self._holdings.is_on_duty(courier_id):
            return None
        courier = await self._store.find_courier(courier_id)
        if courier is None:
            return None
        comes = isinstance(command, GoOnDuty)
        if courier.duty is not Duty.OFF:
            return await self._works(courier, comes=comes)
        if courier.zone_id not in self._holdings.zones and not comes:
            return await self._not_held(courier.zone_id)
        self._holdings.put(courier)
        return None

    async def _works(self, courier: Courier, *, comes: bool) -> Refusal | None:
        """He is on duty, and yet not here."""
        if courier.zone_id not in self._holdings.zones:
            elsewhere = await self._not_held(courier.zone_id)
            return BUSY_ELSEWHERE(zone_id=courier.zone_id) if comes else elsewhere
        if is_free(courier):
            self._live.adopt(courier)
            return None
        return self._behind()

    async def _order(self, command: Command) -> Refusal | None:
        if isinstance(command, PlaceOrder):
            # Mostly it is new; if it is not, its commit meets it.
            return None
        order_id = getattr(command, "order_id", None)
        if order_id is None or order_id in self._holdings.orders:
            return None
        return await self._ended(await self._store.find_order(order_id))

    async def _offer(self, command: Command) -> Refusal | None:
        offer_id = getattr(command, "offer_id", None)
        if offer_id is None or offer_id in self._holdings.offers:
            return None
        return await self._ended(await self._store.find_offer(offer_id))

    async def _ended(self, thing: Order | Offer | None) -> Refusal | None:
        """What ended in another zone may be spoken of by a courier who was handed over since."""
        if thing is None:
            return None
        if not thing.is_open:
            self._holdings.put(thing)
            return None
        if thing.zone_id not in self._holdings.zones:
            return await self._not_held(thing.zone_id)
        return self._behind()

    async def _not_held(self, zone_id: ZoneId) -> Refusal | None:
        """What to say of a zone that is not held: None when there is no such zone."""
        cell = await self._store.cell_of_zone(zone_id)
        if cell == self._cell:
            return self._behind()
        return None if cell is None else ELSEWHERE()

    def _behind(self) -> Refusal:
        self._live.doubt()
        return UNAVAILABLE()


def _holds(held: Container[str], key: str | None) -> bool:
    return key is None or key in held
