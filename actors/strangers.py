"""Whom a command speaks of and the cell does not hold: looked up before the command is decided."""

from collections.abc import Callable

from actors.holdings import Holdings
from engine.couriers.courier import Courier, Duty
from engine.couriers.handing_over import is_free
from engine.couriers.messages import BUSY_ELSEWHERE, UNKNOWN_COURIER, GoOnDuty
from engine.dispatch.offer import Offer
from engine.kernel.ids import CourierId
from engine.kernel.messages import Command, Thing
from engine.kernel.refusals import UNAVAILABLE, Refusal
from engine.orders.order import Order
from storage.store import Store, StoreUnavailable


class Strangers:
    """A courier who is off duty may have worked elsewhere meanwhile; what has ended is not kept.

    Who was handed over to this cell is taken in: `adopt` is called. Whoever else should be held and
    is not proves that memory is behind storage: `doubt` is called.
    """

    def __init__(
        self,
        store: Store,
        holdings: Holdings,
        doubt: Callable[[], None],
        adopt: Callable[[Thing], None],
    ) -> None:
        self._store = store
        self._holdings = holdings
        self._doubt = doubt
        self._adopt = adopt

    async def admit(self, command: Command) -> Refusal | None:
        """Hold the stored state of whom the command speaks of; call it while holding the turns."""
        courier_id = getattr(command, "courier_id", None)
        order_id = getattr(command, "order_id", None)
        offer_id = getattr(command, "offer_id", None)
        refusal = None
        try:
            if courier_id is not None and not self._holdings.is_on_duty(courier_id):
                refusal = await self._admit_courier(courier_id, command)
            is_held = order_id in self._holdings.orders
            if refusal is None and order_id is not None and not is_held:
                refusal = self._admit_ended(await self._store.find_order(order_id))
            if refusal is None and offer_id is not None and offer_id not in self._holdings.offers:
                refusal = self._admit_ended(await self._store.find_offer(offer_id))
        except StoreUnavailable:
            return UNAVAILABLE()
        return refusal

    async def _admit_courier(self, courier_id: CourierId, command: Command) -> Refusal | None:
        courier = await self._store.find_courier(courier_id)
        if courier is None:
            return None
        comes = isinstance(command, GoOnDuty)
        if courier.duty is not Duty.OFF:
            return self._works(courier, comes=comes)
        if courier.zone_id not in self._holdings.zones and not comes:
            return UNKNOWN_COURIER()
        self._holdings.put(courier)
        return None

    def _works(self, courier: Courier, *, comes: bool) -> Refusal | None:
        """He is on duty, and yet not here."""
        is_ours = courier.zone_id in self._holdings.zones
        if is_ours and is_free(courier):
            self._adopt(courier)
            return None
        if is_ours:
            self._doubt()
            return UNAVAILABLE()
        return BUSY_ELSEWHERE(zone_id=courier.zone_id) if comes else UNKNOWN_COURIER()

    def _admit_ended(self, thing: Order | Offer | None) -> Refusal | None:
        """What ended in another zone may be spoken of by a courier who was handed over since."""
        if thing is None:
            return None
        if not thing.is_open:
            self._holdings.put(thing)
        elif thing.zone_id in self._holdings.zones:
            self._doubt()
            return UNAVAILABLE()
        return None
