"""What must hold of gift links."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.kernel.ids import UserId
from engine.kernel.place import Place
from engine.kernel.refusals import Refusal
from engine.kernel.timing import HOUR_MS
from engine.orders import gift_link as rules
from engine.orders.gift_link import REMINDERS, GiftLink, GiftLinkId, GiftLinkStatus
from engine.orders.order import Gift, Recipient
from engine.orders.quote import Quote, order_id_of
from tests.builders import DOOR, NOON, SHOP, a_quote, a_zone, new_id

ZONE = a_zone()
HOME = Place(point=DOOR, address="Building 7")
S = GiftLinkStatus


def a_link(**fields: object) -> GiftLink:
    return replace(
        GiftLink(
            id=GiftLinkId(new_id()),
            customer_id=UserId(new_id()),
            gift=Gift(description="Oud"),
            recipient=Recipient(name="Noura", phone="+966501234567"),
            shop=Place(point=SHOP),
            preparation_s=600,
            limit_halalas=10_000,
            made_at=NOON,
            expires_at=NOON + 72 * HOUR_MS,
        ),
        **fields,
    )


def a_quote_for(link: GiftLink, **fields: object) -> Quote:
    return replace(a_quote(ZONE, customer_id=link.customer_id), **fields)


def answered(link: GiftLink) -> GiftLink:
    told = rules.answer(link, HOME, a_quote_for(link), now=NOON)
    assert isinstance(told, GiftLink)
    return told


def test_an_answer_becomes_the_one_order_of_its_quote() -> None:
    link = a_link()
    told = answered(link)
    assert (told.status, told.version, told.door) == (S.ANSWERED, 2, HOME)
    assert told.quote is not None
    assert told.order_id == order_id_of(told.quote.id)
    done = rules.placed(told)
    assert (done.status, done.version) == (S.PLACED, 3)
    assert done.refund_halalas == link.limit_halalas - told.quote.total_halalas


def test_what_costs_more_than_was_agreed_to_is_out_of_reach_and_nobody_hears_of_money() -> None:
    link = a_link()
    dear = a_quote_for(link, total_halalas=link.limit_halalas + 1)
    refused = rules.answer(link, HOME, dear, now=NOON)
    assert refused == Refusal(code="gift_out_of_reach", detail={})
    fits = rules.answer(link, HOME, replace(dear, total_halalas=link.limit_halalas), now=NOON)
    assert isinstance(fits, GiftLink)
    assert rules.placed(fits).due_at is None


@pytest.mark.parametrize("status", sorted(set(S) - {S.OPEN}))
def test_only_an_open_link_is_answered_or_withdrawn(status: GiftLinkStatus) -> None:
    link = a_link(status=status)
    refused = rules.answer(link, HOME, a_quote_for(link), now=NOON)
    assert isinstance(refused, Refusal)
    assert refused.code == "gift_link_closed"
    withdrawn = rules.withdraw(link)
    assert (withdrawn is link) is (status is S.WITHDRAWN)
    assert rules.remind_or_expire(link, now=link.expires_at) is None


def test_a_quote_of_somebody_else_answers_nothing_and_a_late_answer_comes_too_late() -> None:
    link = a_link()
    for quoted, now in ((a_quote(ZONE), NOON), (a_quote_for(link), link.expires_at + 1)):
        assert isinstance(rules.answer(link, HOME, quoted, now=now), Refusal)


def test_an_order_that_could_not_be_placed_leaves_the_link_open() -> None:
    link = answered(a_link())
    opened = rules.reopened(link)
    assert (opened.status, opened.door, opened.quote) == (S.OPEN, None, None)
    assert opened.version == link.version + 1


def test_time_reminds_twice_and_then_gives_everything_back() -> None:
    link = a_link()
    seen = []
    while link.due_at is not None and link.status is S.OPEN:
        due_at = link.due_at
        assert rules.remind_or_expire(link, now=due_at - 1) is None
        later = rules.remind_or_expire(link, now=due_at)
        assert later is not None
        seen.append((due_at - NOON) // HOUR_MS)
        link = later
    assert (seen, link.reminded, link.status) == ([24, 48, 72], REMINDERS, S.EXPIRED)
    assert link.refund_halalas == link.limit_halalas
    assert link.due_at is not None
    paid = rules.refunded(link)
    assert (paid.due_at, paid.owes_refund) == (None, False)


@given(st.integers(0, 100 * HOUR_MS))
def test_whenever_somebody_looks_at_most_one_reminder_is_sent(after_ms: int) -> None:
    link, now = a_link(), NOON + after_ms
    later = rules.remind_or_expire(link, now=now)
    if later is None:
        assert after_ms < 24 * HOUR_MS
        return
    assert later.version == 2
    assert rules.remind_or_expire(later, now=now) is None
    assert (later.status is S.EXPIRED) is (now >= link.expires_at)
