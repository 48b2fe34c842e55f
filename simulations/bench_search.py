"""How long it takes to find orders among a million, beside reading the same rows by their keys."""

import asyncio
from collections.abc import Awaitable, Callable
from statistics import mean, median, quantiles
from typing import Final, NamedTuple, TypeVar

from msgspec import Struct
from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

from actors.chance import Chance, SeededChance
from actors.solver import real_stopwatch
from engine.kernel.ids import OrderId, ZoneId
from engine.kernel.pages import Wanted
from engine.orders.finding import Sought, sought
from engine.orders.order import Order
from engine.orders.viewing import Viewer
from simulations.filled_city import filled_city
from storage.database import Database
from storage.filled import City, code_of, courier_id_of, name_of, phone_of
from storage.kinds import decode
from storage.order_tokens import search
from storage.queries import queries
from storage.store import OrderSearch

_PAGE: Final = Wanted(limit=20)
_WARM_UP: Final = 20
T = TypeVar("T")
Making = Callable[[int], OrderSearch]


class Found(Struct, frozen=True, kw_only=True):
    """Milliseconds of one kind of search, and of the same rows by their keys; rows on average."""

    kind: str
    rows: float
    search_p50: float
    search_p95: float
    bare_p50: float
    bare_p95: float

    @property
    def ratio(self) -> float:
        """Of the 95th percentiles."""
        return self.search_p95 / self.bare_p95


class _Least(NamedTuple):
    """The rows that one search finds, and the least milliseconds that it and its keys took."""

    rows: int
    search_ms: float
    bare_ms: float


def run(*, orders: int, asked: int, seed: int, times: int = 1) -> list[Found]:
    """Fill a throw-away PostgreSQL, ask each kind so often, and print the table.

    Each search is timed so many `times`, in turn with its look-up by keys, and the least counts.
    """
    chance = SeededChance(seed)
    found = asyncio.run(_measure(orders=orders, asked=asked, chance=chance, times=times))
    table = Table(
        "search", "rows", "p50 ms", "p95 ms", "by keys p50", "by keys p95", "ratio of p95"
    )
    for one in found:
        measured = (one.search_p50, one.search_p95, one.bare_p50, one.bare_p95)
        told = [f"{ms:.2f}" for ms in measured]
        table.add_row(one.kind, f"{one.rows:.1f}", *told, f"{one.ratio:.2f}")
    Console().print(table)
    return found


async def _measure(*, orders: int, asked: int, chance: Chance, times: int) -> list[Found]:
    async with filled_city(orders=orders) as (database, city, progress):
        kinds = _kinds(city)
        bar = progress.add_task("searching", total=len(kinds) * (asked + _WARM_UP))
        found = []
        for kind, making in kinds.items():
            searches = [making(chance.below(orders)) for _ in range(asked + _WARM_UP)]
            least: list[_Least] = []
            for one in searches:
                least.append(await _beside(database, one, times=times))
                progress.advance(bar)
            # Who is first pays for connections and for the plans of statements.
            found.append(_told(kind, least[_WARM_UP:]))
        return found


def _kinds(city: City) -> dict[str, Making]:
    """What people remember of the order of a number."""
    operator = Viewer.OPERATOR
    some = (city.zones[0],)

    def of(wish: Sought, zones: tuple[ZoneId, ...] | None = None) -> OrderSearch:
        return OrderSearch(sought=wish, viewer=operator, zones=zones)

    def work(number: int, text: str = "") -> OrderSearch:
        wish = replace(sought(text), carried_by=courier_id_of(number))
        return OrderSearch(sought=wish, viewer=Viewer.COURIER)

    return {
        "code": lambda n: of(sought("", code=code_of(n))),
        "end of a phone (4 digits)": lambda n: of(sought("", phone_end=phone_of(n)[-4:])),
        "end of a phone (6 digits)": lambda n: of(sought("", phone_end=phone_of(n)[-6:])),
        "whole phone": lambda n: of(sought(phone_of(n))),
        "first name": lambda n: of(sought(name_of(n).split()[0])),
        "beginning of a name (3 letters)": lambda n: of(sought(name_of(n)[:3])),
        "both names": lambda n: of(sought(name_of(n))),
        "both names, in a zone": lambda n: of(sought(name_of(n)), some),
        "both names, in 20 zones": lambda n: of(sought(name_of(n)), city.zones),
        "newest of a zone": lambda _: of(Sought(), some),
        "a courier's past work": work,
        "of it a first name": lambda n: work(n, name_of(n).split()[0]),
    }


async def _beside(database: Database, asked: OrderSearch, *, times: int) -> _Least:
    """Neither is to find the rows colder than the other, so each is made once before."""
    page = await search(database, asked, _PAGE)
    ids = [one.id for one in page.rows]
    searching, bare = [], []
    for _ in range(times):
        again, ms = await _timed(search(database, asked, _PAGE))
        searching.append(ms)
        assert again == page
        rows, ms = await _timed(_by_keys(database, ids))
        bare.append(ms)
        assert len(rows) == len(ids)
    return _Least(len(ids), min(searching), min(bare))


def _told(kind: str, least: list[_Least]) -> Found:
    search_p50, search_p95 = _percentiles([one.search_ms for one in least])
    bare_p50, bare_p95 = _percentiles([one.bare_ms for one in least])
    return Found(
        kind=kind,
        rows=mean(one.rows for one in least),
        search_p50=search_p50,
        search_p95=search_p95,
        bare_p50=bare_p50,
        bare_p95=bare_p95,
    )


async def _by_keys(database: Database, ids: list[OrderId]) -> list[Order]:
    rows = await database.rows(queries.tell_orders, orders=ids)
    return [decode(Order, row["told"]) for row in rows]


async def _timed(doing: Awaitable[T]) -> tuple[T, float]:
    elapsed_s = real_stopwatch()
    found = await doing
    return found, elapsed_s() * 1000


def _percentiles(times: list[float]) -> tuple[float, float]:
    return median(times), quantiles(times, n=20)[-1]
