"""Orders found among all by their tokens, of which an index keeps hashes of eight bytes."""

import hashlib
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, Final

import asyncpg
from msgspec import Struct
from msgspec.structs import replace

from engine.kernel.ids import OrderId
from engine.kernel.messages import Change
from engine.kernel.pages import FIRST_ID, Page, Wanted, page_of
from engine.kernel.timing import Instant
from engine.listings import ORDER_SEARCH
from engine.orders.finding import needs, tokens_of
from engine.orders.order import Order
from storage.database import Database, Session
from storage.kinds import decode
from storage.listed import statement
from storage.queries import queries
from storage.store import OrderSearch

EVERYWHERE: Final = ""
# Which of the tokens is the rarest is told by so many of each.
_COUNTED_MAX: Final = 500
# Where a token finds more than what is sought, each look reads so many times what the last one did,
# up to so many orders, so often at most.
_READ_MORE, _READ_AT_ONCE, _READ_TIMES = 4, 5_000, 12
# It has another name whenever tokens are others, and goes through all orders once more.
_WALK: Final = "order_tokens: names in past work, long pairs"
_WALKED_AT_ONCE: Final = 500


class OrderTokens(Struct, frozen=True):
    """The tokens that an order leaves, among all orders and among those of its zone."""

    order_id: OrderId
    placed_at: Instant
    personal: tuple[int, ...]
    lasting: tuple[int, ...]


def tokens_of_changes(changes: Iterable[Change[Any]]) -> tuple[OrderTokens, ...]:
    """What the first and the last version of an order leave in the index."""
    return tuple(
        made_of(order, is_first=order.version == 1)
        for change in changes
        if isinstance(order := change.thing, Order) and (order.version == 1 or not order.is_open)
    )


def columns(found: Sequence[OrderTokens]) -> dict[str, list[Any]]:
    """As a statement takes them: every token with the place of its order, counted from 1."""
    tokens: list[int] = []
    places: list[int] = []
    are_personal: list[bool] = []
    for place, one in enumerate(found, start=1):
        personal, lasting = len(one.personal), len(one.lasting)
        tokens += one.personal
        tokens += one.lasting
        places += [place] * (personal + lasting)
        are_personal += [True] * personal
        are_personal += [False] * lasting
    return {
        "tokens": tokens,
        "token_places": places,
        "are_personal": are_personal,
        "found_orders": [one.order_id for one in found],
        "placed_at": [one.placed_at for one in found],
    }


async def save(session: Session, found: Sequence[OrderTokens]) -> None:
    """Keep them; what is there already stays."""
    if found:
        await session.run(queries.save_order_tokens, **columns(found))


async def search(database: Database, asked: OrderSearch, wanted: Wanted) -> Page[Order]:
    """A page of what is found; see `Store.search_orders`."""
    scopes, first = _scoped(asked, wanted)
    wish = needs(asked.sought)
    # The first tells most, mostly; which is the rarest is counted where it does not.
    lead, others, reading = wish[0], wish[1:], first
    found: list[Order] = []
    for times in range(_READ_TIMES):
        # To ask about each of a page for its other tokens costs as much as reading it.
        rows = await _look(database, scopes, lead, others if times else (), reading)
        # Who has two tokens of the lead comes twice.
        states = {row["id"]: row["state"] for row in rows}.values()
        orders = (decode(Order, state) for state in states if state is not None)
        found += [one for one in orders if asked.finds(one)]
        if len(found) > wanted.limit or len(rows) <= reading.limit:
            break
        more = min(reading.limit * _READ_MORE, _READ_AT_ONCE)
        reading = replace(reading, limit=more, beyond=(rows[-1]["at"], rows[-1]["id"]))
        if times == 0 and len(wish) > 1:
            lone = scopes[0] if len(scopes) == 1 else EVERYWHERE
            lead, others = await _in_order(database, wish, lone)
            if not lead:
                return page_of([], wanted)
            if others[0] is wish[0]:
                found, reading = [], replace(first, limit=more)
    return page_of(found, wanted)


async def _look(
    database: Database,
    scopes: Sequence[str],
    lead: Sequence[str],
    others: Sequence[tuple[str, ...]],
    reading: Wanted,
) -> list[asyncpg.Record]:
    """Orders that have a token of the lead, and what those are that have one of each other need."""
    tokens = [token_of(scope, one) for scope in scopes for one in lead]
    query, values = statement(queries.search_orders, ORDER_SEARCH, reading)
    return await database.rows(query, tokens=tokens, **of_others(others), **values)


def of_others(needed: Sequence[tuple[str, ...]]) -> dict[str, Any]:
    """What a search sends of the needs that do not lead."""
    return {
        "others": len(needed),
        "other_needs": [number for number, need in enumerate(needed) for _ in need],
        "other_tokens": [token_of(EVERYWHERE, one) for need in needed for one in need],
    }


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
                await save(session, [made_of(one) for one in orders])
                await session.run(queries.save_walk, name=_WALK, after=orders[-1].id)
        done += len(orders)
        yield done, max(done, about)
        if len(orders) < _WALKED_AT_ONCE:
            return


def made_of(order: Order, *, is_first: bool = True) -> OrderTokens:
    """What an order leaves in the index, as it stands; after its first version less is new."""
    tokens = tokens_of(order)
    scopes = (EVERYWHERE, order.zone_id)
    # What is personal was written at first; at the end it may have been let go already.
    personal = tokens.personal if is_first else ()
    return OrderTokens(
        order.id,
        order.placed_at,
        (
            *(token_of(scope, one) for scope in scopes for one in personal),
            *(token_of(EVERYWHERE, one) for one in tokens.carried_personal),
        ),
        (
            *(token_of(scope, one) for scope in scopes for one in tokens.lasting),
            *(token_of(EVERYWHERE, one) for one in tokens.carried),
        ),
    )


async def _in_order(
    database: Database, wish: tuple[tuple[str, ...], ...], scope: str
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """The need that the fewest orders of a scope meet, which may be none, and the others."""
    hashes = {one: token_of(scope, one) for need in wish for one in need}
    rows = await database.rows(
        queries.count_order_tokens, tokens=[*hashes.values()], most=_COUNTED_MAX
    )
    counts = {row["token"]: row["orders"] for row in rows}
    rarest = min(wish, key=lambda need: sum(counts[hashes[one]] for one in need))
    lead = tuple(one for one in rarest if counts[hashes[one]])
    return lead, tuple(one for one in wish if one is not rarest)


def _scoped(asked: OrderSearch, wanted: Wanted) -> tuple[tuple[str, ...], Wanted]:
    """Where to look, which says what a zone that is asked for would say."""
    if asked.sought.carried_by is not None:
        return (EVERYWHERE,), wanted
    zones = asked.zones
    scopes: tuple[str, ...] = (EVERYWHERE,) if zones is None else zones
    asked_for = [one.value for one in wanted.only if one.column == "zone_id"]
    if asked_for:
        scopes = tuple(str(one) for one in asked_for if zones is None or one in zones)
    rest = tuple(one for one in wanted.only if one.column != "zone_id")
    return scopes, replace(wanted, only=rest)


def token_of(scope: str, text: str) -> int:
    """The number of a text among all orders (scope "") or among those of a zone."""
    digest = hashlib.blake2b(f"{scope}|{text}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
