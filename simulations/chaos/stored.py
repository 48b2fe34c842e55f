"""What is stored after a day of chaos: all at its end, and offers with who was told yes."""

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Final

from actors.clock import Clock
from engine.couriers.courier import Duty
from engine.dispatch.offer import OfferStatus
from engine.kernel.ids import CourierId, OfferId, OrderId
from engine.kernel.timing import SECOND_MS
from simulations.witness import Answered, Said
from storage.postgres import PostgresStore
from storage.settings import DatabaseSettings
from storage.store import Store

# Real time that the last effects of a day may take.
_EFFECTS_S: Final = 60
_LOOK_MS: Final = 500


async def stored_otherwise(
    database: DatabaseSettings,
    clock: Clock,
    *,
    answers: Iterable[Answered],
    users: Mapping[str, str],
    order_ids: Iterable[str],
) -> list[str]:
    """What contradicts in the database; `users` are the ids of all people by their phones."""
    store = await PostgresStore.open(database)
    try:
        return [
            *[one async for one in not_honoured(answers, users, store)],
            *[one async for one in left_open(order_ids, users.values(), store)],
            *[one async for one in _effects_left(clock, store)],
        ]
    finally:
        await store.close()


async def not_honoured(
    answers: Iterable[Answered], users: Mapping[str, str], store: Store
) -> AsyncIterator[str]:
    """Offers that are not his who was told yes, or his who was told no."""
    for one in answers:
        if not isinstance(one.asked, Said) or one.asked.kind != "accept":
            continue
        offer = await store.find_offer(OfferId(one.asked.fields["offer_id"]))
        has_it = (
            offer is not None
            and offer.status is OfferStatus.ACCEPTED
            and offer.courier_id == users.get(one.phone)
        )
        if has_it is not (not one.told.refused):
            told, stored = one.told.refused or "yes", offer and offer.status.value
            yield f"{one.phone} was told {told} to {one.asked}, stored is {stored}"


async def left_open(
    order_ids: Iterable[str], user_ids: Iterable[str], store: Store
) -> AsyncIterator[str]:
    """Orders, offers and duties that should have come to their end and have not."""
    for order_id in order_ids:
        order = await store.find_order(OrderId(order_id))
        if order is None:
            yield f"order {order_id} was taken and is not stored"
        elif order.is_open:
            yield f"order {order_id} is still {order.status}"
        for offer in await store.list_offers_for(OrderId(order_id)):
            if offer.is_open:
                yield f"offer {offer.id} is still open"
    for user_id in user_ids:
        courier = await store.find_courier(CourierId(user_id))
        if courier is not None and (courier.orders or courier.duty is not Duty.OFF):
            yield f"courier {user_id} is still {courier.duty} with {len(courier.orders)} orders"


async def _effects_left(clock: Clock, store: PostgresStore) -> AsyncIterator[str]:
    """Effects that were promised and do not happen."""
    due_before, waited_ms = clock.now(), 0
    while left := await store.count_effects_left(due_before=due_before):
        if waited_ms >= _EFFECTS_S * SECOND_MS:
            yield f"{left} effects were promised and did not happen"
            return
        await clock.sleep(_LOOK_MS * clock.speed)
        waited_ms += _LOOK_MS
