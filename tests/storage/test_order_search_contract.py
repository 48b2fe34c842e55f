"""What must hold of searching all orders in a store."""

from collections.abc import Sequence
from functools import partial

from msgspec.structs import replace

from engine.kernel.filters import Condition, Operator
from engine.kernel.ids import ZoneId
from engine.kernel.listing import one_of
from engine.kernel.pages import Wanted
from engine.kernel.timing import MINUTE_MS
from engine.listings import ORDER_SEARCH
from engine.orders.finding import Sought, sought
from engine.orders.order import Order, OrderStatus, Recipient
from engine.orders.viewing import Viewer
from storage.database import Database
from storage.order_tokens import index_old
from storage.postgres import PostgresStore
from storage.queries import queries
from storage.settings import DatabaseSettings
from storage.store import OrderSearch, Store
from tests.builders import NOON, a_placing, a_quote, new_id, placed
from tests.storage.telling import a_staffed_zone, a_told_story, tell
from tests.storage.walking import expected_of, keeps_its_word

NAMES = ("محمد العتيبي", "محمود العتيبي", "محمد القحطاني", "Huda Otaibi")


# Their first six letters are the same, and so is all that two names leave together.
LIKE_EACH_OTHER = ("عبدالرحمن العتيبي", *(5 * ("عبدالرحيم العتيبي",)))


async def told(
    store: Store, count: int = 8, names: Sequence[str] = NAMES
) -> tuple[ZoneId, list[Order]]:
    """Orders of a zone, newest first: of these names in turn, the ends of phones rising."""
    zone, _ = await a_staffed_zone(store)
    decisions = []
    for number in range(count):
        at = NOON + number // 2 * MINUTE_MS
        recipient = Recipient(name=names[number % len(names)], phone=f"+96650123{4000 + number}")
        quoted = a_quote(zone, customer_id=new_id(), at=at)
        placing = replace(a_placing(zone, quoted=quoted), recipient=recipient)
        decisions.append(placed(zone, placing, at=at))
    await tell(store, decisions)
    orders = [one.changes[0].thing for one in decisions]
    return zone.id, sorted(orders, key=lambda one: (one.placed_at, one.id), reverse=True)


def a_search(text: str = "", **fields: object) -> OrderSearch:
    wish = fields.pop("sought", None) or sought(text)
    assert isinstance(wish, Sought)
    search = OrderSearch(sought=wish, viewer=Viewer.OPERATOR)
    return replace(search, **fields)


async def found(store: Store, search: OrderSearch, *only: Condition) -> list[Order]:
    return [*(await store.search_orders(search, Wanted(limit=50, only=only))).rows]


async def test_what_is_found_is_what_the_rule_says(store: Store) -> None:
    zone_id, orders = await told(store)
    other_id, others = await told(store)
    everything = sorted([*orders, *others], key=lambda one: (one.placed_at, one.id), reverse=True)
    filters = (
        (),
        (
            Condition("placed_at", Operator.GTE, NOON + MINUTE_MS),
            Condition("placed_at", Operator.LT, NOON + 3 * MINUTE_MS),
        ),
        (one_of("status", OrderStatus.CANCELLED.value),),
        (one_of("status", orders[0].status.value, OrderStatus.CANCELLED.value),),
        (one_of("zone_id", zone_id),),
    )
    texts = ("", "محمد", "محم", "عتيبي", "محمد عتيبي", "otaibi", "4003", "محمود 4001", "سعد")
    searches = [
        (a_search(text, zones=zones), only)
        for text in texts
        for zones in (None, (zone_id,), (other_id, zone_id), ())
        for only in filters
    ]
    searches.append((a_search(sought=sought("", code=orders[3].code)), ()))
    searches.append((a_search(sought=sought("", phone_end="01234001")), ()))
    hits = 0
    for search, only in searches:
        meant = [one for one in everything if search.finds(one)]
        wanted = expected_of(ORDER_SEARCH, meant, Wanted(limit=50, only=only))
        assert await found(store, search, *only) == wanted, (search, only)
        hits += bool(wanted)
    assert hits > len(searches) // 3


async def test_what_is_found_comes_in_pages_of_both_directions(store: Store) -> None:
    _, orders = await told(store, count=12)
    await told(store, count=1)
    search = a_search("عتيبي")
    expected = [one for one in await found(store, a_search()) if search.finds(one)]
    assert 6 <= len(expected) < len(orders)
    await keeps_its_word(ORDER_SEARCH, expected, partial(store.search_orders, search))


async def test_pages_are_whole_though_most_that_is_read_first_is_not_meant(store: Store) -> None:
    zone_id, orders = await told(store, count=48, names=LIKE_EACH_OTHER)
    for zones in (None, (zone_id,)):
        search = a_search("عبدالرحمن عتيبي", zones=zones)
        expected = [one for one in orders if search.finds(one)]
        assert len(expected) == len(orders) // len(LIKE_EACH_OTHER)
        await keeps_its_word(ORDER_SEARCH, expected, partial(store.search_orders, search))


async def test_who_is_found_by_two_of_his_tokens_is_found_once(store: Store) -> None:
    zone, _ = await a_staffed_zone(store)
    quoted = a_quote(zone, customer_id=new_id(), at=NOON)
    placing = a_placing(zone, quoted=quoted)
    code = placed(zone, placing).changes[0].thing.code
    named = replace(placing, recipient=Recipient(name=f"{code} Otaibi"))
    await tell(store, [placed(zone, named)])
    for text in (code, f"{code} Otaibi"):
        page = await store.search_orders(a_search(text, zones=(zone.id,)), Wanted(limit=1))
        assert ([one.id for one in page.rows], page.has_next) == ([placing.order_id], False)


async def test_a_couriers_past_work_is_found_when_it_has_ended(store: Store) -> None:
    done = await a_told_story(store, OrderStatus.DELIVERED)
    carried = await a_told_story(store, OrderStatus.PICKED_UP)
    for story, expected in ((done, [done.order]), (carried, [])):
        mine = replace(sought(""), carried_by=story.courier.id)
        search = OrderSearch(sought=mine, viewer=Viewer.COURIER)
        assert await found(store, search) == expected
    zone_id, other_id = done.order.zone_id, carried.order.zone_id
    name, other = done.order.recipient.name.split()[0], "Nobody"
    for text, zones, only, is_meant in (
        (name, None, (), True),
        (name[:3], (zone_id,), (), True),
        (name[:3], (other_id,), (), False),
        (name, None, (one_of("zone_id", zone_id),), True),
        (name, None, (one_of("zone_id", other_id),), False),
        (f"{name} {done.order.recipient.phone[-4:]}", None, (), True),
        (f"{name} {other}", None, (), False),
        (done.order.code, None, (), True),
    ):
        mine = replace(sought(text), carried_by=done.courier.id)
        search = OrderSearch(sought=mine, viewer=Viewer.COURIER, zones=zones)
        assert await found(store, search, *only) == [done.order] * is_meant, (text, zones, only)


async def test_old_orders_get_their_tokens_and_an_end_is_found_where_it_was_stopped(
    postgres: PostgresStore, database_settings: DatabaseSettings
) -> None:
    _, orders = await told(postgres)
    story = await a_told_story(postgres, OrderStatus.DELIVERED)
    database = await Database.open(database_settings)
    try:
        async with database.session() as session:
            kept = await session.connection.fetch("select * from order_tokens order by 1, 2, 3")
            await session.connection.execute("truncate order_tokens")
            assert await found(postgres, a_search("محمد")) == []
            done = [one async for one in index_old(database)]
            assert done[-1][0] == len(orders) + 1
            made = await session.connection.fetch("select * from order_tokens order by 1, 2, 3")
            assert made == kept
            # What is done is not done again.
            assert [one[0] async for one in index_old(database)] == [0]
            ids = [one.id for one in (*orders, story.order)]
            await session.run(queries.erase_order_tokens, orders=ids)
        assert await found(postgres, a_search("محمد")) == []
        assert await found(postgres, a_search("4003")) == []
        assert await found(postgres, a_search(orders[0].code)) == [orders[0]]
    finally:
        await database.close()
