"""What must hold of searching all orders in a store."""

from msgspec.structs import replace

from engine.kernel.ids import ZoneId
from engine.kernel.pages import Page, Wanted
from engine.kernel.timing import MINUTE_MS
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

NAMES = ("محمد العتيبي", "محمود العتيبي", "محمد القحطاني", "Huda Otaibi")


async def told(store: Store, count: int = 8) -> tuple[ZoneId, list[Order]]:
    """Orders of a zone, newest first: of these names in turn, the ends of phones rising."""
    zone, _ = await a_staffed_zone(store)
    decisions = []
    for number in range(count):
        at = NOON + number // 2 * MINUTE_MS
        recipient = Recipient(name=NAMES[number % len(NAMES)], phone=f"+96650123{4000 + number}")
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


async def found(store: Store, search: OrderSearch) -> list[Order]:
    return [*(await store.search_orders(search, Wanted(limit=50))).rows]


async def test_what_is_found_is_what_the_rule_says(store: Store) -> None:
    zone_id, orders = await told(store)
    other_id, others = await told(store)
    everything = sorted([*orders, *others], key=lambda one: (one.placed_at, one.id), reverse=True)
    times = OrderFilter(since=NOON + MINUTE_MS, until=NOON + 3 * MINUTE_MS)
    cancelled = OrderFilter(statuses=(OrderStatus.CANCELLED,))
    open_ones = OrderFilter(statuses=(orders[0].status, OrderStatus.CANCELLED))
    texts = ("", "محمد", "محم", "عتيبي", "محمد عتيبي", "otaibi", "4003", "محمود 4001", "سعد")
    searches = [
        a_search(text, zones=zones, only=only)
        for text in texts
        for zones in (None, (zone_id,), (other_id, zone_id), ())
        for only in (OrderFilter(), times, cancelled, open_ones)
    ]
    searches.append(a_search(sought=sought("", code=orders[3].code)))
    searches.append(a_search(sought=sought("", phone_end="01234001")))
    hits = 0
    for search in searches:
        wanted = [one for one in everything if search.finds(one)]
        assert await found(store, search) == wanted, search
        hits += bool(wanted)
    assert hits > len(searches) // 3


async def test_what_is_found_comes_in_pages_of_both_directions(store: Store) -> None:
    _, orders = await told(store, count=12)
    expected = [one for one in orders if "العتيبي" in one.recipient.name]
    for descending in (True, False):
        rows = expected if descending else expected[::-1]
        wanted = Wanted(limit=4, descending=descending)
        first = await store.search_orders(a_search("عتيبي"), wanted)
        assert first == Page(rows=tuple(rows[:4]), has_next=True)
        last = first.rows[-1]
        rest = await store.search_orders(
            a_search("عتيبي"), replace(wanted, beyond=(last.placed_at, last.id))
        )
        assert rest == Page(rows=tuple(rows[4:]), has_previous=True)
        begin = rest.rows[0]
        back = replace(wanted, beyond=(begin.placed_at, begin.id), backwards=True)
        assert (await store.search_orders(a_search("عتيبي"), back)).rows == first.rows


async def test_a_couriers_past_work_is_found_when_it_has_ended(store: Store) -> None:
    done = await a_told_story(store, OrderStatus.DELIVERED)
    carried = await a_told_story(store, OrderStatus.PICKED_UP)
    for story, expected in ((done, [done.order]), (carried, [])):
        mine = replace(sought(""), carried_by=story.courier.id)
        search = OrderSearch(sought=mine, viewer=Viewer.COURIER)
        assert await found(store, search) == expected


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
