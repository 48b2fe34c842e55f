"""Which channels there are, and who may listen to them."""

from collections import OrderedDict
from typing import Final

from api.order_views import may_see
from api.refusals import NO_SUCH_CHANNEL
from engine.kernel.ids import OrderId, UserId, ZoneId, is_id
from engine.kernel.messages import Caller, Role
from engine.kernel.refusals import NOT_ALLOWED, Refusal
from storage.store import Store

REMEMBERED_MAX: Final = 50_000


class Channels:
    """Remembers whose an order is, which never changes: who comes back costs no query."""

    def __init__(self, *, remembered_max: int = REMEMBERED_MAX) -> None:
        self._remembered_max = remembered_max
        self._customers: OrderedDict[OrderId, UserId] = OrderedDict()

    async def objection(self, store: Store, caller: Caller, channel: str) -> Refusal | None:
        """Why a caller may not listen to a channel; raises StoreUnavailable."""
        kind, _, key = channel.partition(":")
        if not is_id(key):
            return NO_SUCH_CHANNEL()
        match kind:
            case "order":
                is_seen = await self._may_see(store, caller, OrderId(key))
                return None if is_seen else NO_SUCH_CHANNEL()
            case "zone" if caller.role is Role.OPERATOR and caller.may_act_in(ZoneId(key)):
                zone = await store.find_zone(ZoneId(key))
                return None if zone is not None else NO_SUCH_CHANNEL()
            case "courier" if caller.role is Role.COURIER and caller.user_id == key:
                return None
            case "orders" if caller.role is Role.CUSTOMER and caller.user_id == key:
                return None
            case "zone" | "courier" | "orders":
                return NOT_ALLOWED(role=caller.role.value)
            case _:
                return NO_SUCH_CHANNEL()

    async def _may_see(self, store: Store, caller: Caller, order_id: OrderId) -> bool:
        if caller.role is Role.CUSTOMER and self._customers.get(order_id) == caller.user_id:
            return True
        order = await store.find_order(order_id)
        if order is None or not may_see(caller, order):
            return False
        self._customers[order_id] = order.customer_id
        if len(self._customers) > self._remembered_max:
            self._customers.popitem(last=False)
        return True
