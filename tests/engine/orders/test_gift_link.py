"""What must hold of gift links."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.kernel.ids import PaymentId, UserId
from engine.kernel.place import Place
from engine.kernel.refusals import Refusal
from engine.kernel.timing import HOUR_MS
from engine.orders import gift_link as rules
from engine.orders.gift_link import REMINDERS, GiftLink, GiftLinkId, GiftLinkStatus
from engine.orders.gift_link_notices import notices_of
from engine.orders.order import Gift, Recipient
from engine.orders.quote import Quote, order_id_of
from tests.builders import DOOR, NOON, SHOP, a_quote, a_zone, new_id

ZONE = a_zone()
PAYMENT = PaymentId(new_id())
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


@pytest.mark.parametrize("status", sorted(set(S) - {S.OPEN, S.UNPAID}))
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
    # Nobody has paid for it, so nobody is to be told.
    assert (link.due_at, link.owes_word) == (None, False)


def a_paid_link() -> GiftLink:
    unpaid = a_link(status=S.UNPAID)
    opened = rules.paid(unpaid, PAYMENT, now=NOON)
    assert isinstance(opened, GiftLink)
    assert (opened.status, opened.version) == (S.OPEN, 2)
    return opened


def test_a_payment_opens_a_link_once_and_no_other_one_may() -> None:
    link = a_paid_link()
    assert rules.paid(link, PAYMENT, now=NOON) is link
    refusals = (
        rules.paid(link, PaymentId(new_id()), now=NOON),
        rules.paid(a_link(status=S.UNPAID), PAYMENT, now=NOON + 72 * HOUR_MS),
        rules.paid(a_link(status=S.WITHDRAWN), PAYMENT, now=NOON),
    )
    for one in refusals:
        assert isinstance(one, Refusal)
        assert one.code == "gift_link_closed"


def test_an_unpaid_link_reminds_nobody_and_gives_nothing_back() -> None:
    link = a_link(status=S.UNPAID)
    assert link.due_at == link.expires_at
    assert rules.remind_or_expire(link, now=link.expires_at - 1) is None
    assert isinstance(rules.answer(link, HOME, a_quote_for(link), now=NOON), Refusal)
    for ended in (rules.remind_or_expire(link, now=link.expires_at), rules.withdraw(link)):
        assert isinstance(ended, GiftLink)
        assert (ended.refund_halalas, ended.owes_word, ended.due_at) == (0, False, None)


@pytest.mark.parametrize("end", ["expired", "withdrawn", "declined", "lost", "placed"])
def test_a_paid_link_owes_its_payment_word_of_its_end_once(end: str) -> None:
    link = a_paid_link()
    told = answered(link)
    assert told.order_id == rules.paid_order_of(link.id)
    ends = {
        "expired": rules.remind_or_expire(link, now=link.expires_at),
        "withdrawn": rules.withdraw(link),
        "declined": rules.decline(link, now=NOON),
        "lost": rules.lost(link),
        "placed": rules.placed(told),
    }
    over = ends[end]
    assert isinstance(over, GiftLink)
    assert over.owes_word
    assert over.due_at == link.made_at
    whole = link.limit_halalas
    assert (over.refund_halalas == whole) is (end != "placed")
    heard = rules.refunded(over)
    assert (heard.due_at, heard.owes_word) == (None, False)


def test_no_thank_you_is_said_once_and_only_of_what_is_open() -> None:
    link = a_link()
    declined = rules.decline(link, now=NOON)
    assert isinstance(declined, GiftLink)
    assert rules.decline(declined, now=NOON) is declined
    assert isinstance(rules.decline(link, now=link.expires_at + 1), Refusal)
    assert isinstance(rules.decline(answered(link), now=NOON), Refusal)


def test_people_are_told_in_both_languages_and_never_what_it_is_or_costs() -> None:
    link = a_link(gift=Gift(description="Oud", message="مبروك"))
    surprise = replace(link, gift=replace(link.gift, surprise=True))

    def told(one: GiftLink | Refusal | None) -> list[str]:
        assert isinstance(one, GiftLink)
        notices = notices_of(one, url="https://x.example/g", sender_phone="+966500000009")
        assert len({notice.id for notice in notices}) == len(notices)
        for notice in notices:
            assert not {"Oud", "مبروك", "10000", "100"} & set(notice.text.split())
        return [notice.phone[-1] for notice in notices]

    assert told(replace(link, reminded=1)) == ["7"]
    assert told(replace(link, reminded=REMINDERS)) == ["7", "9"]
    # A surprise is no secret any more once we have written to who is to be surprised.
    assert [told(replace(surprise, reminded=n)) for n in (1, REMINDERS)] == [["9"], ["9"]]
    for ended in (rules.lost(link), rules.decline(link, now=NOON), rules.placed(answered(link))):
        assert told(ended) == ["9"]
    assert told(rules.withdraw(link)) == []
    assert told(rules.withdraw(a_link(status=S.UNPAID))) == []
    assert notices_of(rules.lost(link), url="", sender_phone="") == ()


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
