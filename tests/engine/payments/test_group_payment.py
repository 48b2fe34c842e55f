"""What must hold of one payment for several orders: each has its own part, and all add up."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.money.accounts import AccountKind, account
from engine.orders.order import OrderStatus
from engine.payments import decide
from engine.payments.gateways import Network
from engine.payments.payment import PaymentStatus
from engine.payments.settling import follow
from tests.builders import NOON, an_order
from tests.engine.payments.purse import TERMS, Purse

ENDS = st.sampled_from(
    [OrderStatus.DELIVERED, OrderStatus.CANCELLED, OrderStatus.RETURNED, OrderStatus.PICKED_UP]
)


@given(
    st.sampled_from([Network.VISA, Network.MADA]),
    st.lists(st.tuples(ENDS, st.integers(0, 1)), min_size=1, max_size=5),
)
def test_however_each_ends_its_part_alone_is_kept_and_the_ledger_is_empty(
    network: Network, ends: list[tuple[OrderStatus, int]]
) -> None:
    purse = Purse(network, len(ends))
    purse.settle()
    purse.take(decide.placed(purse.payment, now=NOON))
    assert purse.payment.orders == ()
    kept = 0
    for command, (status, is_charged) in zip(purse.orders, ends, strict=True):
        total = command.quote.total_halalas
        charge = total // 3 * is_charged
        order = replace(
            an_order(),
            id=command.order_id,
            payment_id=purse.payment.id,
            status=status,
            total_halalas=total,
            charge_halalas=charge,
        )
        purse.take(follow(purse.payment, order, terms=TERMS, now=NOON))
        assert follow(purse.payment, order, terms=TERMS, now=NOON) is None
        purse.settle()
        if status is OrderStatus.PICKED_UP:
            delivered = replace(order, status=OrderStatus.DELIVERED)
            purse.take(follow(purse.payment, delivered, terms=TERMS, now=NOON))
            purse.settle()
        is_brought = status in {OrderStatus.DELIVERED, OrderStatus.PICKED_UP}
        kept += total if is_brought else charge
    assert purse.captured - purse.refunded == kept
    assert purse.payment.is_over
    name = account(AccountKind.ORDER, purse.payment.order_id)
    assert purse.books.get(name, 0) == 0
    assert sum(purse.books.values()) == 0
    sold = sum(one.sale.total_halalas for one in purse.payment.shares if one.sale is not None)
    assert sold == kept
    if kept == 0:
        assert purse.payment.status in {PaymentStatus.VOIDED, PaymentStatus.REFUNDED}


def test_of_a_group_whose_hold_lapsed_each_order_that_was_brought_is_owed() -> None:
    purse = Purse(Network.VISA, 3)
    purse.settle()
    purse.take(decide.placed(purse.payment, now=NOON))
    purse.payment = replace(purse.payment, status=PaymentStatus.VOIDED)
    ends = (OrderStatus.DELIVERED, OrderStatus.CANCELLED, OrderStatus.DELIVERED)
    for command, status in zip(purse.orders, ends, strict=True):
        order = replace(
            an_order(),
            id=command.order_id,
            payment_id=purse.payment.id,
            status=status,
            total_halalas=command.quote.total_halalas,
            charge_halalas=0,
        )
        purse.take(follow(purse.payment, order, terms=TERMS, now=NOON))
        assert follow(purse.payment, order, terms=TERMS, now=NOON) is None
    wanted = [command.quote.total_halalas for command in purse.orders]
    wanted[1] = 0
    assert [purse.payment.owed_for(one.order_id) for one in purse.orders] == wanted
    assert [purse.books[account(AccountKind.RECEIVABLE, one.order_id)] for one in purse.orders] == [
        -one for one in wanted
    ]
    assert sum(purse.books.values()) == 0
