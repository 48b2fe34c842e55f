"""The lists that can be had as sheets: how each is read, and which columns it has."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, assert_never

from msgspec.structs import replace

from api.joined_histories import joined_history
from api.parts import Parts
from engine import listings
from engine.kernel.ids import CourierId, UserId
from engine.kernel.listing import Listing
from engine.kernel.messages import Caller
from engine.kernel.pages import Page, Wanted
from engine.orders.finding import Sought, sought
from engine.orders.order import Order
from engine.orders.search import matches
from engine.orders.sheet import HEADINGS, WORK_HEADINGS, row_of
from engine.orders.viewing import Viewer
from engine.payments import history
from engine.payments import sheet as payment_sheet
from engine.sheets import SheetKind
from storage.store import OrderSearch

Beside = Mapping[str, int | str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetSource:
    """A list, page after page, and the rows of a sheet that each of its rows gives."""

    read: Callable[[Wanted], Awaitable[Page[Any]]]
    listing: Listing
    headings: Sequence[str]
    rows_of: Callable[[Any], Iterable[Sequence[str]]]
    name: str

    def rows_in(self, page: Page[Any]) -> list[Sequence[str]]:
        """The rows of a sheet that a page gives."""
        return [row for one in page.rows for row in self.rows_of(one)]

    async def pages(self, wanted: Wanted) -> AsyncGenerator[Page[Any]]:
        """Each page from the one that is wanted on, read when it is asked for."""
        while True:
            page = await self.read(wanted)
            yield page
            if not page.has_next:
                return
            wanted = replace(wanted, beyond=self.listing.key(wanted.by)(page.rows[-1]))


def source_of(kind: SheetKind, parts: Parts, caller: Caller, beside: Beside) -> SheetSource:
    """The list as this caller may see it; `beside` is what he seeks in it."""
    match kind:
        case SheetKind.ORDERS:
            read = partial(parts.store.list_orders_of, caller.user_id)
            words = str(beside.get("q", ""))
            return _orders(read, listings.ORDERS, is_meant=lambda one: matches(one, words))
        case SheetKind.ORDER_SEARCH:
            search = partial(parts.store.search_orders, in_zones(beside, caller))
            return _orders(search, listings.ORDER_SEARCH)
        case SheetKind.PAST_WORK:
            search = partial(parts.store.search_orders, of_courier(beside, caller))
            return _orders(search, listings.PAST_WORK, headings=WORK_HEADINGS)
        case SheetKind.PAYMENTS:
            payments = partial(parts.payments.list_of, caller.user_id)
            return _payments(payments, listings.PAYMENTS, payment_sheet.HEADINGS)
        case SheetKind.PAYMENT_SEARCH:
            every = parts.payments.list_all
            return _payments(every, listings.PAYMENT_SEARCH, payment_sheet.STAFF_HEADINGS)
        case SheetKind.PAYMENT_HISTORY:
            return history_of(parts, caller.user_id)
    assert_never(kind)


def history_of(parts: Parts, customer_id: UserId) -> SheetSource:
    """All that a customer paid, got back and has with us."""
    return SheetSource(
        read=partial(joined_history, parts, customer_id),
        listing=listings.PAYMENT_HISTORY,
        headings=history.HEADINGS,
        rows_of=history.rows_of,
        name="payment-history",
    )


def in_zones(beside: Beside, caller: Caller) -> OrderSearch:
    """What an operator seeks in his zones."""
    return OrderSearch(sought=_wish(beside), viewer=Viewer.OPERATOR, zones=caller.zones)


def of_courier(beside: Beside, caller: Caller) -> OrderSearch:
    """What a courier seeks in what he has carried."""
    wish = replace(_wish(beside), carried_by=CourierId(caller.user_id))
    return OrderSearch(sought=wish, viewer=Viewer.COURIER)


def _orders(
    read: Callable[[Wanted], Awaitable[Page[Order]]],
    listing: Listing,
    *,
    headings: Sequence[str] = HEADINGS,
    is_meant: Callable[[Order], bool] = lambda _: True,
) -> SheetSource:
    return SheetSource(
        read=read,
        listing=listing,
        headings=headings,
        rows_of=lambda one: [row_of(one, headings)] if is_meant(one) else [],
        name="orders",
    )


def _payments(
    read: Callable[[Wanted], Awaitable[Page[Any]]], listing: Listing, headings: Sequence[str]
) -> SheetSource:
    return SheetSource(
        read=read,
        listing=listing,
        headings=headings,
        rows_of=partial(payment_sheet.rows_of, headings=headings),
        name="payments",
    )


def _wish(beside: Beside) -> Sought:
    text, end, code = (str(beside.get(one, "")) for one in ("q", "phone_suffix", "code"))
    return sought(text, phone_end=end, code=code)
