"""A database filled with the history of a city, as fast as it takes it, for measuring plans.

Every row is spelled from one of the engine's own structs, in which only ids and times are others.
Triggers and keys to other tables are left out while it is filled: the rows are true by making.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

import msgspec
from msgspec import Struct

from engine.couriers.courier import Courier, Duty
from engine.dispatch.offer import Explanation, Offer, OfferStatus
from engine.geo.travel import VehicleKind
from engine.geo.zone import Zone
from engine.kernel.ids import (
    CellId,
    CourierId,
    OfferId,
    OrderId,
    QuoteId,
    UserId,
    ZoneId,
)
from engine.kernel.place import Place, Point
from engine.kernel.timing import MINUTE_MS, SECOND_MS, Instant
from engine.orders.order import Gift, Order, OrderStatus, Recipient
from storage.database import Database
from storage.kinds import encode
from storage.order_tokens import made_of

_AT_ONCE: Final = 20_000
COURIERS: Final = 2_000
ORDERS_OF_CUSTOMER: Final = 20
_TOKENS_OF_ORDER: Final = 27
_OPEN_OF: Final = 1_000
# Some first names are everywhere, some families small: each is as rare as its place in the list.
_FIRST: Final = (
    *("محمد", "نورة", "عبدالله", "سارة", "فهد", "ريم", "خالد", "منيرة", "تركي", "هيفاء"),
    *("عبدالعزيز", "جواهر", "Omar", "Lina"),
)
_FAMILIES: Final = (
    *("القحطاني", "العتيبي", "الغامدي", "الشهري", "الدوسري", "المطيري", "الزهراني", "الحربي"),
    "Smith",
)
_ROUND: Final = 997
_BETWEEN_MS: Final = 2_000
_SHOP, _DOOR = Point(lat=24.7136, lng=46.6753), Point(lat=24.7263, lng=46.6911)
Tell = Callable[[str, int, int], None]
Row = tuple[Any, ...]


class City(Struct, frozen=True, kw_only=True):
    """What a filled database is asked about: somebody and something in the middle of it."""

    zones: tuple[ZoneId, ...]
    cell: CellId
    began_at: Instant
    ended_at: Instant
    order_id: OrderId
    customer_id: UserId
    courier_id: CourierId


def named(kind: int, number: int) -> str:
    """An id that is spread as UUIDv7s are: later ones are greater."""
    return f"{number:08x}-0000-7000-8{kind:03x}-{number:012x}"


_ORDER, _OFFER, _COURIER, _CUSTOMER, _QUOTE, _COMMAND, _SESSION, _EFFECT, _LINK = range(9)


async def fill(
    database: Database, zones: tuple[Zone, ...], *, orders: int, now: Instant, on_rows: Tell
) -> City:
    """Fill an empty database; `on_rows` hears a table, its rows so far, and how many there are."""
    began_at = now - orders * _BETWEEN_MS
    made = _Made(zones, orders=orders, began_at=began_at)
    async with database.session() as session:
        await session.connection.execute("set session_replication_role = replica")
        try:
            for table, (columns, count, rows) in made.tables().items():
                done = 0
                while part := _taken(rows, _AT_ONCE):
                    await session.connection.copy_records_to_table(
                        table, records=part, columns=list(columns), timeout=300
                    )
                    done += len(part)
                    on_rows(table, done, count)
            await session.connection.execute("vacuum analyze", timeout=600)
        finally:
            await session.connection.execute("reset session_replication_role")
    middle = orders // 2
    return City(
        zones=tuple(one.id for one in zones),
        cell=made.cell,
        began_at=began_at,
        ended_at=now,
        order_id=OrderId(named(_ORDER, middle)),
        customer_id=UserId(named(_CUSTOMER, middle // ORDERS_OF_CUSTOMER)),
        courier_id=courier_id_of(middle),
    )


class _Made:
    """The rows of every table, spelled from templates."""

    def __init__(self, zones: tuple[Zone, ...], *, orders: int, began_at: Instant) -> None:
        self._zones, self._orders, self._began_at = zones, orders, began_at
        self.cell = zones[0].anchor
        self._templates = {
            "order": _template(_an_order()),
            "open": _template(_an_order(is_open=True)),
            "offer": _template(_an_offer()),
            "courier": _template(_a_courier()),
        }

    def tables(self) -> dict[str, tuple[tuple[str, ...], int, Iterator[Row]]]:
        """Each table's columns, how many rows it gets, and the rows."""
        n = self._orders
        numbers = range(n)
        thing = ("cell", "state")
        return {
            "zones": (thing, len(self._zones), ((self.cell, encode(z)) for z in self._zones)),
            "couriers": (thing, COURIERS, map(self._courier, range(COURIERS))),
            "orders": (thing, n, map(self._order, numbers)),
            "order_tokens": (
                ("token", "placed_at", "order_id", "is_personal"),
                n * _TOKENS_OF_ORDER,
                (row for number in numbers for row in self._tokens(number)),
            ),
            "offers": (thing, n, map(self._offer, numbers)),
            "assignments": (
                ("offer_id", "order_id", "courier_id", "status"),
                n,
                (
                    (named(_OFFER, i), named(_ORDER, i), named(_COURIER, i % COURIERS), "finished")
                    for i in numbers
                ),
            ),
            "events": (
                (
                    *("thing_kind", "thing_id", "version", "position", "type", "at"),
                    *("command_id", "data"),
                ),
                3 * n,
                (self._event(i, step) for i in numbers for step in range(3)),
            ),
            "trail": (
                ("courier_id", "at", "lat", "lng", "accuracy_m"),
                2 * n,
                map(self._fix, range(2 * n)),
            ),
            "quotes": (("state",), n, map(self._quote, numbers)),
            "answers": (
                ("command_id", "at", "state"),
                n,
                ((named(_COMMAND, i), _when(self._at(i)), _json(reply={})) for i in numbers),
            ),
            "outbox": (
                ("effect_id", "type", "effect", "made_at", "due_at", "done_at"),
                n,
                map(self._effect, numbers),
            ),
            "sessions": (("state",), n // 10, map(self._session, range(n // 10))),
            "gift_links": (("state", "due_at"), n // 10, map(self._gift_link, range(n // 10))),
        }

    def _at(self, number: int) -> Instant:
        return self._began_at + number * _BETWEEN_MS

    def _zone_of(self, number: int) -> Zone:
        return self._zones[number % len(self._zones)]

    def _common(self, number: int) -> dict[bytes, bytes]:
        at = self._at(number)
        named_ones = {
            b"order": named(_ORDER, number),
            b"offer": named(_OFFER, number),
            b"customer": named(_CUSTOMER, number // ORDERS_OF_CUSTOMER),
            b"courier": named(_COURIER, number % COURIERS),
            b"quote": named(_QUOTE, number),
            b"zone": self._zone_of(number).id,
        }
        texts = {
            b"name": name_of(number),
            b"phone": phone_of(number),
            b"code": code_of(number),
        }
        times = {b"at": at, b"later": at + 5 * MINUTE_MS, b"ended": at + 40 * MINUTE_MS}
        return {k: str(v).encode() for k, v in (named_ones | texts | times).items()}

    def _order(self, number: int) -> Row:
        is_open = number % _OPEN_OF == 0
        state = self._templates["open" if is_open else "order"] % self._common(number)
        return (self.cell, state)

    def _tokens(self, number: int) -> Iterator[Row]:
        is_open = number % _OPEN_OF == 0
        order = msgspec.structs.replace(
            _an_order(is_open=is_open),
            id=OrderId(named(_ORDER, number)),
            zone_id=self._zone_of(number).id,
            courier_id=None if is_open else courier_id_of(number),
            code=code_of(number),
            recipient=Recipient(name=name_of(number), phone=phone_of(number)),
            placed_at=self._at(number),
        )
        at = _when(order.placed_at)
        made = made_of(order)
        for is_personal, tokens in ((True, made.personal), (False, made.lasting)):
            for one in tokens:
                yield (one, at, order.id, is_personal)

    def _offer(self, number: int) -> Row:
        return (self.cell, self._templates["offer"] % self._common(number))

    def _courier(self, number: int) -> Row:
        return (self.cell, self._templates["courier"] % self._common(number))

    def _event(self, number: int, step: int) -> Row:
        kind, thing = ("order", _ORDER) if step else ("offer", _OFFER)
        types = ("OfferAccepted", "OrderPlaced", "OrderDelivered")
        at = _when(self._at(number) + step * 20 * MINUTE_MS)
        command = named(_COMMAND, number) if step == 1 else None
        return (kind, named(thing, number), step + 1, 0, types[step], at, command, b"{}")

    def _fix(self, number: int) -> Row:
        at = _when(self._began_at + number * _BETWEEN_MS // 2)
        return (named(_COURIER, number % COURIERS), at, 24.7, 46.7, 5.0)

    def _effect(self, number: int) -> Row:
        at = _when(self._at(number))
        effect = _json(type="SendSms", id=named(_EFFECT, number), phone="", text="")
        done_at = None if number % _OPEN_OF == 0 else at
        return (named(_EFFECT, number), "SendSms", effect, at, at, done_at)

    def _quote(self, number: int) -> Row:
        state = _json(
            id=named(_QUOTE, number),
            customer_id=named(_CUSTOMER, number // ORDERS_OF_CUSTOMER),
            zone_id=self._zone_of(number).id,
            total_halalas=23_000,
            valid_until=self._at(number),
        )
        return (state,)

    def _session(self, number: int) -> Row:
        at = self._at(number * 10)
        ended_at = at if number % 2 else None
        state = _json(
            id=named(_SESSION, number),
            user_id=named(_CUSTOMER, number // 2),
            version=1,
            seen_at=at,
            expires_at=at + 30 * 86_400_000,
            ended_at=ended_at,
        )
        return (state,)

    def _gift_link(self, number: int) -> Row:
        at = self._at(number * 10)
        state = _json(
            id=named(_LINK, number),
            version=1,
            customer_id=named(_CUSTOMER, number // 2),
            status="open" if number % _OPEN_OF == 0 else "placed",
            made_at=at,
        )
        return (state, _when(at) if number % _OPEN_OF == 0 else None)


def courier_id_of(number: int) -> CourierId:
    """Who carried an order."""
    return CourierId(UserId(named(_COURIER, number % COURIERS)))


def name_of(number: int) -> str:
    """Whom an order is for: the first names of the list most often, of large and small families."""
    turn = number * 7919 % _ROUND
    first = _FIRST[min(int(len(_FIRST) * (turn / _ROUND) ** 2), len(_FIRST) - 1)]
    family = _FAMILIES[number % len(_FAMILIES)]
    return f"{first} {family}" if number % 5 else f"{first} بن{number % 3_000:04}"


def phone_of(number: int) -> str:
    """Whom to call about it; no two orders have the same."""
    return f"+9665{number * 7_654_321 % 100_000_000:08}"


def code_of(number: int) -> str:
    """How it is called aloud."""
    return f"K{number:07X}"


# Stand in a struct for what is other in each row.
_IDS: Final = {
    name: named(0xFFF, place)
    for place, name in enumerate(("order", "offer", "customer", "courier", "quote", "zone"))
}
_TEXTS: Final = {"name": "<name>", "phone": "<phone>", "code": "<code>"}
_TIMES: Final = {"at": 1_111_111_111_111, "later": 1_222_222_222_222, "ended": 1_333_333_333_333}


def _template(thing: Struct) -> bytes:
    text = encode(thing).replace(b"%", b"%%")
    for name, stands_for in (_IDS | _TEXTS | _TIMES).items():
        text = text.replace(str(stands_for).encode(), f"%({name})b".encode())
    return text


def _an_order(*, is_open: bool = False) -> Order:
    times = _TIMES
    order = Order(
        version=1,
        id=OrderId(_IDS["order"]),
        code=_TEXTS["code"],
        customer_id=UserId(_IDS["customer"]),
        zone_id=ZoneId(_IDS["zone"]),
        quote_id=QuoteId(_IDS["quote"]),
        status=OrderStatus.WAITING if is_open else OrderStatus.DELIVERED,
        gift=Gift(description="باقة ورد", message="كل عام وأنتم بخير", occasion="birthday"),
        recipient=Recipient(name=_TEXTS["name"], phone=_TEXTS["phone"]),
        shop=Place(point=_SHOP, name="Flowers"),
        door=Place(point=_DOOR, address="Building 7"),
        pin="4711",
        total_halalas=23_000,
        placed_at=times["at"],
        ready_at=times["later"],
        due_at=times["ended"],
    )
    if is_open:
        return order
    return msgspec.structs.replace(
        order,
        offer_id=OfferId(_IDS["offer"]),
        courier_id=CourierId(UserId(_IDS["courier"])),
        assigned_at=times["later"],
        picked_up_at=times["later"],
        ended_at=times["ended"],
    )


def _an_offer() -> Offer:
    return Offer(
        version=1,
        id=OfferId(_IDS["offer"]),
        zone_id=ZoneId(_IDS["zone"]),
        courier_id=CourierId(UserId(_IDS["courier"])),
        order_ids=(OrderId(_IDS["order"]),),
        stops=(),
        status=OfferStatus.ACCEPTED,
        made_at=_TIMES["at"],
        expires_at=_TIMES["later"],
        answered_at=_TIMES["later"],
        explanation=Explanation(
            parameters_version=1,
            candidates=3,
            pickup_at=_TIMES["later"],
            deliveries_at=(_TIMES["ended"],),
        ),
    )


def _a_courier() -> Courier:
    return Courier(
        version=1,
        id=CourierId(UserId(_IDS["courier"])),
        name="سالم",
        vehicle=VehicleKind.CAR,
        capacity_units=4,
        duty=Duty.OFF,
        zone_id=ZoneId(_IDS["zone"]),
        last_point=_SHOP,
    )


def _json(**fields: object) -> bytes:
    return encode(fields)


def _when(at: Instant) -> datetime:
    return datetime.fromtimestamp(at / SECOND_MS, UTC)


def _taken(rows: Iterator[Row], most: int) -> list[Row]:
    return list(islice(rows, most))
