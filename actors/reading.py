"""A cell reads itself anew: all that is open in storage, and what ended since it was read last."""

from collections.abc import Iterable

from actors.holdings import Holdings
from engine.couriers.courier import Courier, Duty
from engine.dispatch.offer import Offer, OfferStatus
from engine.kernel.ids import CellId
from engine.kernel.messages import Thing
from engine.orders.order import Order
from storage.store import CellContents, Store


async def read_anew(store: Store, cell: CellId, holdings: Holdings) -> tuple[Thing, ...]:
    """What the cell must hold; raises StoreUnavailable.

    What is held as open and ended meanwhile is among it, so that its watchers hear of its end; what
    went to another cell with its zone is not.
    """
    contents = await store.load_cell(cell)
    here = {one.id for one in contents.zones}
    orders = [one for one in holdings.orders.values() if one.zone_id in here]
    couriers = [one for one in holdings.couriers.values() if one.zone_id in here]
    offers = [one for one in holdings.offers.values() if one.zone_id in here]
    return (
        *contents.zones,
        *contents.orders,
        *contents.couriers,
        *contents.offers,
        *await _ended_orders(store, orders, contents),
        *await _gone_couriers(store, couriers, contents),
        *await _closed_offers(store, offers, contents),
    )


async def _ended_orders(store: Store, held: Iterable[Order], contents: CellContents) -> list[Order]:
    still = {one.id for one in contents.orders}
    missing = [one.id for one in held if one.is_open and one.id not in still]
    found = [await store.find_order(one) for one in missing]
    return [one for one in found if one is not None and not one.is_open]


async def _gone_couriers(
    store: Store, held: Iterable[Courier], contents: CellContents
) -> list[Courier]:
    still = {one.id for one in contents.couriers}
    missing = [one.id for one in held if one.duty is not Duty.OFF and one.id not in still]
    found = [await store.find_courier(one) for one in missing]
    return [one for one in found if one is not None and one.duty is Duty.OFF]


async def _closed_offers(
    store: Store, held: Iterable[Offer], contents: CellContents
) -> list[Offer]:
    still = {one.id for one in contents.offers}
    missing = [one.id for one in held if one.status is OfferStatus.OPEN and one.id not in still]
    found = [await store.find_offer(one) for one in missing]
    return [one for one in found if one is not None and one.status is not OfferStatus.OPEN]
