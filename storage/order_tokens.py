"""Orders found among all by their tokens, of which an index keeps hashes of eight bytes."""

import hashlib
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import Any, Final

from msgspec import Struct

from engine.kernel.ids import OrderId, ZoneId
from engine.kernel.messages import Change
from engine.kernel.pages import (
    FIRST_ID,
    FIRST_INSTANT,
    LAST_ID,
    LAST_INSTANT,
    Key,
    Page,
    Wanted,
    page_of,
)
from engine.kernel.timing import Instant
from engine.orders.finding import needs, tokens_of
from engine.orders.order import Order
from storage.database import Database, Session
from storage.kinds import decode
from storage.queries import queries
from storage.store import OrderSearch

EVERYWHERE: Final = ""
# Which of the tokens is the rarest is told by so many of each.
_COUNTED_MAX: Final = 500
# Where a token finds more than what is sought, so many orders are read at once, so often at most.
_READ_AT_ONCE, _READ_TIMES = 200, 25
_WALK: Final = "order_tokens"
_WALKED_AT_ONCE: Final = 500


class TokenRow(Struct, frozen=True):
    """A token of an order, among all or among those of its zone."""

    token: int
    placed_at: Instant
    order_id: OrderId
    is_personal: bool


def rows_of_changes(changes: Iterable[Change[Any]]) -> tuple[TokenRow, ...]:
    """What the first and the last version of an order leave in the index."""
    return tuple(
        row
        for change in changes
        if isinstance(order := change.thing, Order) and (order.version == 1 or not order.is_open)
        for row in token_rows(order, is_first=order.version == 1)
    )


async def save(session: Session, rows: Sequence[TokenRow]) -> None:
    """Keep them; what is there already stays."""
    if rows:
        await session.run(
            queries.save_order_tokens,
            tokens=[one.token for one in rows],
            placed_at=[one.placed_at for one in rows],
            orders=[one.order_id for one in rows],
            are_personal=[one.is_personal for one in rows],
        )


async def search(database: Database, asked: OrderSearch, wanted: Wanted) -> Page[Order]:
    """A page of what is found, by when it was placed; see `Store.search_orders`."""
    lead, others = await _in_order(database, needs(asked.sought))
    down = wanted.goes_down
    beyond = wanted.beyond or ((LAST_INSTANT, LAST_ID) if down else (FIRST_INSTANT, FIRST_ID))
    limit = wanted.limit + 1
    found: list[Order] = []
    for _ in range(_READ_TIMES):
        rows = await database.rows(
            queries.search_orders_down if down else queries.search_orders_up,
            tokens=[token_of(scope, one) for scope in _scopes(asked.zones) for one in lead],
            at=beyond[0],
            order_id=beyond[1],
            since=asked.only.since,
            until=asked.only.until,
            statuses=None if asked.only.statuses is None else [*asked.only.statuses],
            others=len(others),
            other_needs=[number for number, need in enumerate(others) for _ in need],
            other_tokens=[token_of(EVERYWHERE, one) for need in others for one in need],
            limit=limit,
        )
        orders = [decode(Order, row["state"]) for row in rows]
        found += [one for one in orders if asked.finds(one)]
        if len(found) > wanted.limit or len(orders) < limit:
            break
        beyond, limit = _placed(orders[-1]), _READ_AT_ONCE
    return page_of(found, wanted)


async def index_old(database: Database) -> AsyncIterator[tuple[int, int]]:
    """Give tokens to all orders, from where it was stopped; how many are done, of about how many.

    What is placed meanwhile has its tokens from its own commit.
    """
    done, about = 0, int(await database.value(queries.guess_orders))
    while True:
        async with database.transaction() as session:
            after = await session.value(queries.find_walk, name=_WALK) or FIRST_ID
            rows = await session.rows(queries.orders_after, after=after, limit=_WALKED_AT_ONCE)
            orders = [decode(Order, row["state"]) for row in rows]
            if orders:
                made = [row for one in orders for row in token_rows(one)]
                await save(session, made)
                await session.run(queries.save_walk, name=_WALK, after=orders[-1].id)
        done += len(orders)
        yield done, max(done, about)
        if len(orders) < _WALKED_AT_ONCE:
            return


def token_rows(order: Order, *, is_first: bool = True) -> Iterator[TokenRow]:
    """What an order leaves in the index, as it stands; after its first version less is new."""
    tokens = tokens_of(order)
    for scope in (EVERYWHERE, order.zone_id):
        # What is personal was written at first; at the end it may have been let go already.
        for text in tokens.personal if is_first else ():
            yield TokenRow(token_of(scope, text), order.placed_at, order.id, is_personal=True)
        for text in tokens.lasting:
            yield TokenRow(token_of(scope, text), order.placed_at, order.id, is_personal=False)


async def _in_order(
    database: Database, wish: tuple[tuple[str, ...], ...]
) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The need that the fewest orders meet, and the others."""
    if len(wish) == 1:
        return wish[0], []
    hashes = {one: token_of(EVERYWHERE, one) for need in wish for one in need}
    rows = await database.rows(
        queries.count_order_tokens, tokens=[*hashes.values()], most=_COUNTED_MAX
    )
    counts = {row["token"]: row["orders"] for row in rows}
    rarest = min(wish, key=lambda need: sum(counts[hashes[one]] for one in need))
    return rarest, [one for one in wish if one is not rarest]


def _scopes(zones: tuple[ZoneId, ...] | None) -> tuple[str, ...]:
    return (EVERYWHERE,) if zones is None else zones


def token_of(scope: str, text: str) -> int:
    """The number of a text among all orders (scope "") or among those of a zone."""
    digest = hashlib.blake2b(f"{scope}|{text}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _placed(order: Order) -> Key:
    return (order.placed_at, order.id)
