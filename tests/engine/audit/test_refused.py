"""What is recorded of refusals: all of them are counted, in few rows, and nobody is named."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from api.refusals import NOT_AUTHENTICATED, ORIGIN_NOT_ALLOWED, QUOTA_EXCEEDED
from engine.audit.refused import RefusedKind, RefusedTry, Tally, hidden, hidden_place, kind_of
from engine.identity.login import CODE_TOO_SOON, WRONG_CODE
from engine.identity.profiles import STALE_PROFILE, UNKNOWN_PROFILE
from engine.identity.sessions import SESSION_ENDED
from engine.identity.staff import TOO_MANY_TRIES, WRONG_CREDENTIALS
from engine.kernel.refusals import NOT_ALLOWED
from engine.kernel.timing import MINUTE_MS
from tests.builders import NOON

KEYS_MAX = 3
A_TRY = RefusedTry(
    kind=RefusedKind.LOG_IN,
    code="wrong_credentials",
    route="POST /v1/auth/password",
    subject="tried:a",
    place="b",
    first_at=NOON,
    last_at=NOON,
)
steps = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 20_000), st.booleans()), max_size=60)


@given(steps)
def test_every_refusal_is_counted_once_in_few_rows(tried: list[tuple[int, int, bool]]) -> None:
    tally, now, rows = Tally(KEYS_MAX), NOON, list[RefusedTry]()
    for who, wait_ms, is_taken in tried:
        now += wait_ms
        tally.add(replace(A_TRY, subject=f"tried:{who}", first_at=now, last_at=now))
        if is_taken:
            rows += tally.take(now)
    rows += tally.finish()
    assert sum(one.count for one in rows) == len(tried)
    assert all(one.first_at // MINUTE_MS == one.last_at // MINUTE_MS for one in rows)
    in_a_minute = Counter(one.first_at // MINUTE_MS for one in rows)
    # The first of each, the rest of each, and both once more of those without a name.
    assert all(count <= 2 * (KEYS_MAX + 1) for count in in_a_minute.values())


def test_the_first_is_told_at_once_and_the_rest_when_the_minute_is_over() -> None:
    tally = Tally()
    assert [tally.add(A_TRY) for _ in range(5)] == [True, False, False, False, False]
    assert [one.count for one in tally.take(NOON + 1_000)] == [1]
    assert tally.take(NOON + 2_000) == ()
    assert [one.count for one in tally.take(NOON + MINUTE_MS)] == [4]


def test_of_too_many_at_once_it_is_not_told_whom_they_tried() -> None:
    tally = Tally(1)
    for who in "abc":
        tally.add(replace(A_TRY, subject=f"tried:{who}"))
    assert {(one.subject, one.count) for one in tally.finish()} == {("tried:a", 1), ("", 2)}


def test_what_could_not_be_kept_is_told_again_and_does_not_grow_without_end() -> None:
    tally = Tally(2)
    for minute in range(50):
        at = NOON + minute * MINUTE_MS
        for who in "ab":
            one = replace(A_TRY, subject=f"tried:{who}{minute}", first_at=at, last_at=at)
            tally.add(one)
        tally.put_back(tally.take(at))
    rows = tally.finish()
    assert sum(one.count for one in rows) == 100
    assert len(rows) < 40


def test_what_tells_of_a_trespass_is_recorded_and_what_does_not_is_not() -> None:
    log_in = (WRONG_CODE(), WRONG_CREDENTIALS(), TOO_MANY_TRIES(), SESSION_ENDED())
    assert {kind_of(one) for one in log_in} == {RefusedKind.LOG_IN}
    access = (NOT_ALLOWED(), UNKNOWN_PROFILE(), NOT_AUTHENTICATED(), ORIGIN_NOT_ALLOWED())
    assert {kind_of(one) for one in access} == {RefusedKind.ACCESS}
    harmless = (CODE_TOO_SOON(), STALE_PROFILE(), QUOTA_EXCEEDED())
    assert {kind_of(one) for one in harmless} == {None}
    assert kind_of(UNKNOWN_PROFILE(), is_named=False) is None


def test_what_is_hidden_is_alike_for_the_same_and_under_this_key_alone() -> None:
    key, other = b"k" * 32, b"o" * 32
    assert hidden(key, "tried", "+966500000001") == hidden(key, "tried", "+966500000001")
    assert hidden(key, "tried", "a") != hidden(other, "tried", "a")
    assert hidden_place(key, "2001:db8::1") == hidden_place(key, "2001:db8::2")
    assert hidden_place(key, "") == ""
