"""Which channels there are, and who may listen to them."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

from api.order_views import may_see
from api.refusals import NO_SUCH_CHANNEL
from engine.chat.conversation import may_converse
from engine.identity.access import Permission, may
from engine.kernel.ids import OrderId, UserId, ZoneId, is_id
from engine.kernel.messages import Caller, Role
from engine.kernel.refusals import NOT_ALLOWED, Refusal
from engine.kernel.timing import Instant
from storage.store import Store

REMEMBERED_MAX: Final = 50_000
_NEEDED: Final[Mapping[str, Permission]] = {
    "order": Permission.SEE_ORDER,
    "orders": Permission.LIST_ORDERS,
    "zone": Permission.WATCH_ZONE,
    "courier": Permission.SEE_WORK,
    "conversation": Permission.CONVERSE,
}


class Channels:
    """Remembers whose an order is, which never changes: who comes back costs no query."""

    def __init__(self, *, remembered_max: int = REMEMBERED_MAX) -> None:
        self._remembered_max = remembered_max
        self._customers: OrderedDict[OrderId, UserId] = OrderedDict()

    async def objection(
        self, store: Store, caller: Caller, channel: str, *, now: Instant
    ) -> Refusal | None:
        """Why a caller may not listen to a channel; raises StoreUnavailable."""
        kind, _, key = channel.partition(":")
        if not is_id(key) or kind not in _NEEDED:
            return NO_SUCH_CHANNEL()
        if not may(caller, _NEEDED[kind]) or not _is_his(caller, kind, key):
            return NOT_ALLOWED(role=caller.role.value)
        match kind:
            case "order":
                is_there = await self._may_see(store, caller, OrderId(key))
            case "conversation":
                order = await store.find_order(OrderId(key))
                is_there = order is not None and may_converse(order, caller, now)
            case "zone":
                is_there = await store.find_zone(ZoneId(key)) is not None
            case _:
                is_there = True
        return None if is_there else NO_SUCH_CHANNEL()

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


def _is_his(caller: Caller, kind: str, key: str) -> bool:
    """Whether a channel that names a person names him, and one that names a zone one of his."""
    match kind:
        case "zone":
            return caller.may_act_in(ZoneId(key))
        case "courier" | "orders":
            return caller.user_id == key
        case _:
            return True
