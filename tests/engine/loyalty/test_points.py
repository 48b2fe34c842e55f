"""What must hold of points: promised, spendable, gone; the oldest first, never below nothing."""

from hypothesis import given
from hypothesis import strategies as st

from engine.kernel.ids import UserId
from engine.kernel.messages import Change, Decision
from engine.kernel.timing import DAY_MS, Instant
from engine.loyalty.points import (
    LEAST_REDEEMED,
    PENDING_MS,
    VALID_MS,
    PointsHistory,
    points_due,
    points_for,
    points_of,
    promised_of,
    redeemable,
    redemption,
)
from engine.money.accounts import AccountId, Asset, Balance, asset_of
from engine.money.ledger import Entry, Head, Ledger
from engine.money.transfers import Transfer, TransferId
from engine.orders.order import Order, OrderDelivered, OrderStatus
from tests.builders import NOON, a_story, an_order, new_id

USER = UserId(new_id())


class Book:
    """One customer's points in a ledger, as his deeds and the time go on."""

    def __init__(self) -> None:
        self.now = NOON
        self.transfers: list[Transfer] = []
        self.balances: dict[AccountId, Balance] = {}
        self.entries: dict[TransferId, Entry] = {}

    def enter(self, *transfers: Transfer) -> None:
        for one in transfers:
            ledger = Ledger(Head(), balances=self.balances, entries=self.entries)
            entered = ledger.enter(one, self.now)
            assert isinstance(entered, Entry), entered
            self.transfers += [added.transfer for added in ledger.added]
            self.balances |= ledger.changed
            self.entries |= {added.transfer.id: added for added in ledger.added}

    def history(self) -> PointsHistory:
        return PointsHistory(USER, self.transfers)

    def settle(self) -> None:
        self.enter(*self.history().due(self.now))

    def order(self, halalas: int) -> Order:
        order = an_order(OrderStatus.DELIVERED, customer_id=USER, total_halalas=halalas)
        event = OrderDelivered(at=self.now, proof="pin")
        decision = Decision(changes=(Change(order, (event,)),))
        self.enter(*(one.transfer for one in points_due(decision)))
        return order

    def take_back(self, order: Order, refunded: int) -> None:
        back = self.history().take_back(order, refunded)
        if back is not None:
            self.enter(back)

    def redeem(self, points: int) -> bool:
        available = sum(lot.points for lot in self.history().active(self.now))
        if redeemable(points, available):
            return False
        self.enter(redemption(USER, points, cause=new_id(), at=self.now))
        return True

    def posted(self) -> tuple[int, int]:
        """Promised and spendable, by the ledger."""
        names = (promised_of(USER), points_of(USER))
        promised, active = (self.balances.get(one, Balance()).posted for one in names)
        return promised, active


def test_a_delivery_promises_a_point_for_every_riyal_once() -> None:
    story = a_story(OrderStatus.DELIVERED)
    found = [one for decision in story.decisions for one in points_due(decision)]
    (promise,) = found
    amounts = {leg.account: leg.amount for leg in promise.transfer.legs}
    assert amounts[promised_of(story.order.customer_id)] == story.order.total_halalas // 100
    assert [one for decision in story.decisions for one in points_due(decision)] == found
    assert not points_due(a_story(OrderStatus.RETURNED).decisions[-1])


def test_points_are_promised_then_spendable_then_gone() -> None:
    book = Book()
    book.order(50_050)
    assert book.posted() == (500, 0)
    book.now += PENDING_MS - 1
    book.settle()
    assert book.posted() == (500, 0)
    book.now += 1
    # What is due can be spent, whether or not it was entered before.
    assert [lot.points for lot in book.history().active(book.now)] == [500]
    book.settle()
    assert book.posted() == (0, 500)
    book.now += VALID_MS - 1
    book.settle()
    assert book.posted() == (0, 500)
    book.now += 1
    assert book.history().active(book.now) == []
    book.settle()
    assert book.posted() == (0, 0)
    assert book.history().due(book.now) == ()


def test_the_oldest_are_spent_first_and_only_the_rest_expires() -> None:
    book = Book()
    book.order(30_000)
    book.now += 30 * DAY_MS
    book.order(20_000)
    book.now += PENDING_MS
    book.settle()
    assert book.redeem(250)
    assert [lot.points for lot in book.history().active(book.now)] == [50, 200]
    book.now = NOON + PENDING_MS + VALID_MS
    book.settle()
    assert book.posted() == (0, 200)
    assert book.redeem(LEAST_REDEEMED - 1) is False
    assert book.redeem(201) is False


def test_what_is_given_back_takes_its_part_of_the_points_however_often() -> None:
    book = Book()
    order = book.order(10_000)
    book.take_back(order, 2_550)
    assert book.posted() == (74, 0)
    book.take_back(order, 2_550)
    book.take_back(order, 5_000)
    assert book.posted() == (50, 0)
    book.now += PENDING_MS
    book.settle()
    book.take_back(order, 10_000)
    assert book.posted() == (0, 0)


def test_who_has_spent_his_points_owes_none() -> None:
    book = Book()
    order = book.order(20_000)
    book.now += PENDING_MS
    book.settle()
    assert book.redeem(150)
    book.take_back(order, 20_000)
    assert book.posted() == (0, 0)


deeds = st.lists(
    st.one_of(
        st.tuples(st.just("order"), st.integers(0, 100_000)),
        st.tuples(st.just("wait"), st.integers(1, 200)),
        st.tuples(st.just("redeem"), st.integers(1, 500)),
        st.tuples(st.just("back"), st.integers(0, 120_000)),
    ),
    max_size=25,
)


@given(deeds)
def test_whatever_is_done_the_history_says_what_the_ledger_says(
    chosen: list[tuple[str, int]],
) -> None:
    book, orders, given_back = Book(), list[Order](), dict[str, int]()
    earned: dict[str, Instant] = {}
    for deed, number in chosen:
        if deed == "order":
            orders.append(book.order(number))
            earned[orders[-1].id] = book.now
        elif deed == "wait":
            book.now += number * DAY_MS
        elif deed == "redeem":
            book.settle()
            book.redeem(number)
        elif orders:
            book.settle()
            order = orders[number % len(orders)]
            total = max(given_back.get(order.id, 0), min(number, order.total_halalas))
            given_back[order.id] = total
            book.take_back(order, total)
        book_says(book)
    book.now += PENDING_MS + VALID_MS
    book.settle()
    book.settle()
    assert book.posted() == (0, 0)


def book_says(book: Book) -> None:
    book.settle()
    history = book.history()
    promised, active = book.posted()
    assert sum(lot.points for lot in history.pending()) == promised
    assert sum(lot.points for lot in history.active(book.now)) == active
    assert history.due(book.now) == ()
    totals: dict[Asset, int] = {}
    for name, balance in book.balances.items():
        totals[asset_of(name)] = totals.get(asset_of(name), 0) + balance.posted
    assert not any(totals.values())


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_points_never_grow_by_splitting_an_order(one: int, other: int) -> None:
    assert points_for(one) + points_for(other) <= points_for(one + other)
