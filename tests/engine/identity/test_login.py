"""The rules of logging in by a code."""

from hypothesis import given
from hypothesis import strategies as st

from engine.identity.login import (
    Attempt,
    Challenge,
    LoginRules,
    Purpose,
    ask,
    attempt,
    code_mac,
    unsent,
)
from engine.kernel.refusals import Refusal
from engine.kernel.timing import HOUR_MS, SECOND_MS
from tests.builders import NOON

PHONE = "+966500000001"
RULES = LoginRules(life_s=300, resend_s=60, tries_max=5, sends_max=3)
RIGHT, WRONG = code_mac(b"pepper", PHONE, "123456"), code_mac(b"pepper", PHONE, "654321")


def asked(last: Challenge | None = None, *, at: int = NOON, mac: str = RIGHT) -> Challenge:
    challenge = ask(last, phone=PHONE, mac=mac, rules=RULES, now=at)
    assert isinstance(challenge, Challenge), challenge
    return challenge


def tried(challenge: Challenge | None, mac: str, *, at: int = NOON) -> Attempt:
    return attempt(challenge, mac=mac, rules=RULES, now=at)


def code_of(attempted: Attempt) -> str:
    return attempted.refusal.code if attempted.refusal else ""


def test_the_right_code_logs_in_once() -> None:
    first = tried(asked(), RIGHT)
    assert first.refusal is None
    assert code_of(tried(first.challenge, RIGHT)) == "wrong_code"


def test_a_code_is_valid_for_five_minutes() -> None:
    challenge = asked()
    assert tried(challenge, RIGHT, at=NOON + 300 * SECOND_MS - 1).refusal is None
    assert code_of(tried(challenge, RIGHT, at=NOON + 300 * SECOND_MS)) == "wrong_code"


def test_five_wrong_tries_burn_the_code() -> None:
    challenge = asked()
    for _ in range(5):
        failed = tried(challenge, WRONG)
        assert code_of(failed) == "wrong_code"
        assert failed.challenge is not None
        challenge = failed.challenge
    assert code_of(tried(challenge, RIGHT)) == "wrong_code"


def test_a_phone_that_was_never_sent_a_code_is_told_the_same_no() -> None:
    assert tried(None, RIGHT).refusal == tried(asked(), WRONG).refusal


def test_another_code_is_sent_after_a_minute_and_replaces_the_first() -> None:
    first = asked()
    early = ask(first, phone=PHONE, mac=WRONG, rules=RULES, now=NOON + 20 * SECOND_MS)
    assert isinstance(early, Refusal)
    assert (early.code, early.detail) == ("code_too_soon", {"retry_after_s": 40})
    second = asked(first, at=NOON + 60 * SECOND_MS, mac=WRONG)
    assert second.version == first.version + 1
    assert code_of(tried(second, RIGHT, at=NOON + 61 * SECOND_MS)) == "wrong_code"


def test_a_phone_is_sent_few_codes_in_an_hour() -> None:
    challenge = asked()
    for number in (1, 2):
        challenge = asked(challenge, at=NOON + number * 60 * SECOND_MS)
    refused = ask(challenge, phone=PHONE, mac=RIGHT, rules=RULES, now=NOON + 180 * SECOND_MS)
    assert isinstance(refused, Refusal)
    assert refused.detail == {"retry_after_s": 3600 - 180}
    assert asked(challenge, at=NOON + HOUR_MS).sends == 1


def test_who_has_logged_in_may_ask_again_at_once() -> None:
    used = tried(asked(), RIGHT).challenge
    assert asked(used, at=NOON + 1).is_open


def test_after_a_message_that_did_not_leave_another_may_be_asked_for() -> None:
    lost = unsent(asked())
    assert code_of(tried(lost, RIGHT)) == "wrong_code"
    assert asked(lost, at=NOON + 1).sends == 2


def test_a_code_is_bound_to_its_phone_and_to_the_pepper() -> None:
    assert code_mac(b"pepper", "+966500000002", "123456") != RIGHT
    assert code_mac(b"salt", PHONE, "123456") != RIGHT
    assert "123456" not in RIGHT


@given(st.lists(st.sampled_from([RIGHT, WRONG]), max_size=12), st.integers(0, 400_000))
def test_of_any_tries_at_one_code_at_most_one_succeeds(tries: list[str], late_ms: int) -> None:
    challenge, successes = asked(), 0
    for mac in tries:
        made = tried(challenge, mac, at=NOON + late_ms)
        successes += made.refusal is None
        if made.challenge is not None:
            assert made.challenge.version == challenge.version + 1
            challenge = made.challenge
    wrong_first = next((i for i, mac in enumerate(tries) if mac == RIGHT), len(tries))
    may_succeed = RIGHT in tries and wrong_first < 5 and late_ms < 300_000
    assert successes == (1 if may_succeed else 0)


def test_a_code_is_bound_to_its_purpose() -> None:
    macs = {code_mac(b"pepper", PHONE, "123456", purpose) for purpose in Purpose}
    assert len(macs) == len(Purpose)


def test_a_phone_is_sent_few_codes_in_a_day() -> None:
    rules = LoginRules(resend_s=60, sends_max=100, sends_of_day_max=4)
    challenge = asked()
    for number in (1, 2, 3):
        found = ask(challenge, phone=PHONE, mac=RIGHT, rules=rules, now=NOON + number * HOUR_MS)
        assert isinstance(found, Challenge)
        challenge = found
    refused = ask(challenge, phone=PHONE, mac=RIGHT, rules=rules, now=NOON + 4 * HOUR_MS)
    assert isinstance(refused, Refusal)
    assert refused.detail == {"retry_after_s": 20 * 3600}
    later = ask(challenge, phone=PHONE, mac=RIGHT, rules=rules, now=NOON + 24 * HOUR_MS)
    assert isinstance(later, Challenge)
    assert later.sends_of_day == 1
