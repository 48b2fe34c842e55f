"""Requests about one's own data, consents, and the order in which what is stored is let go."""

from hypothesis import given
from hypothesis import strategies as st

from engine.kernel.ids import UserId
from engine.kernel.refusals import Refusal
from engine.kernel.timing import DAY_MS
from engine.privacy import consents, requests
from engine.privacy.consents import NEEDED, Consent, ConsentPurpose
from engine.privacy.places import PLACES, TABLES, Fate, erasure_order
from engine.privacy.requests import (
    PrivacyRequest,
    PrivacyRequestId,
    PrivacyRules,
    RequestKind,
    Unfinished,
)
from engine.privacy.retention import DELETED, REDACTED, Periods, before
from tests.builders import NOON, new_id

RULES = PrivacyRules(grace_ms=7 * DAY_MS, fetch_ms=DAY_MS)
ME = UserId(new_id())


def asked(kind: RequestKind, phone: str = "") -> PrivacyRequest:
    return requests.ask(PrivacyRequestId(new_id()), ME, kind, RULES, by=ME, now=NOON, phone=phone)


def test_an_account_can_be_kept_for_a_while_and_all_else_is_done_at_once() -> None:
    assert asked(RequestKind.ERASURE).due_at == NOON + 7 * DAY_MS
    assert asked(RequestKind.ERASURE, phone="+966501234567").due_at == NOON
    assert asked(RequestKind.EXPORT).due_at == NOON
    assert asked(RequestKind.EXPORT).answer_by == NOON + 30 * DAY_MS


def test_what_ended_stays_ended_and_forgets_the_phone() -> None:
    request = asked(RequestKind.ERASURE, phone="+966501234567")
    waiting = requests.put_off(request, (Unfinished.GIFTS,), now=NOON)
    assert (waiting.is_open, waiting.due_at > NOON, waiting.phone) == (True, True, request.phone)
    for ended in (
        requests.finish(waiting, now=NOON),
        requests.withdraw(waiting, now=NOON),
    ):
        assert isinstance(ended, PrivacyRequest)
        assert (ended.is_open, ended.phone, ended.waits_for) == (False, "", ())
        assert ended.version == waiting.version + 1
        assert isinstance(requests.withdraw(ended, now=NOON), Refusal)
    assert isinstance(requests.withdraw(None, now=NOON), Refusal)


@given(
    st.lists(
        st.tuples(st.sampled_from(ConsentPurpose), st.sampled_from(["1", "2", None])), max_size=30
    )
)
def test_of_each_purpose_at_most_one_consent_is_open(
    wishes: list[tuple[ConsentPurpose, str | None]],
) -> None:
    kept: dict[tuple[ConsentPurpose, int], Consent] = {}
    for now, (purpose, wording) in enumerate(wishes):
        open_now = [one for one in kept.values() if one.ended_at is None]
        before_ = next((one for one in open_now if one.purpose is purpose), None)
        if wording is not None:
            changed = consents.give(before_, ME, purpose, wording, now=now)
        else:
            withdrawn = consents.withdraw(before_, purpose, now=now)
            assert isinstance(withdrawn, Refusal) == (purpose in NEEDED or before_ is None)
            changed = () if isinstance(withdrawn, Refusal) else (withdrawn,)
        kept |= {(one.purpose, one.given_at): one for one in changed}
        standing = [one.purpose for one in kept.values() if one.ended_at is None]
        assert len(set(standing)) == len(standing)
        if wording is not None:
            assert purpose in standing


def test_every_place_is_reached_before_those_by_whose_rows_it_is_found() -> None:
    order = erasure_order()
    assert len(order) == len(set(order))
    for name in order:
        for other in TABLES[name].found_by:
            assert other not in order or order.index(name) < order.index(other), (name, other)


def test_what_is_kept_says_why() -> None:
    names = [one.name for one in PLACES]
    assert len(set(names)) == len(names)
    for one in PLACES:
        assert one.why or one.fate in {Fate.DELETE, Fate.REDACT, Fate.NOBODY}, one.name
        assert {*one.found_by} <= {*names}, one.name


def test_every_period_is_of_a_place() -> None:
    periods = Periods()
    assert {*DELETED, *REDACTED} == {*Periods.__struct_fields__} <= TABLES.keys()
    assert before(periods, "trail", now=NOON) == NOON - periods.trail * DAY_MS
