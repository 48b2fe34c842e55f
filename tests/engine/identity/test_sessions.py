"""The rules of sessions and their refresh tokens."""

import base64
import uuid

from hypothesis import given
from hypothesis import strategies as st

from engine.identity.ids import SessionId
from engine.identity.refresh_tokens import SECRET_BYTES, RefreshToken, read, spell
from engine.identity.sessions import (
    Refreshed,
    Session,
    SessionEnd,
    SessionRules,
    begin,
    end,
    refresh,
)
from engine.kernel.ids import UserId
from engine.kernel.messages import Role
from tests.builders import NOON, new_id

KEY = b"k" * 32
RULES = SessionRules(idle_s=1000, life_s=2500, grace_s=30)


def begun() -> tuple[Session, RefreshToken]:
    draft = Session(
        id=SessionId(new_id()),
        user_id=UserId(new_id()),
        role=Role.CUSTOMER,
        device="phone",
        place="",
        began_at=NOON,
        seen_at=NOON,
        expires_at=NOON,
        refresh_digest="",
    )
    return begin(draft, b"s" * 32, RULES)


def refreshed(session: Session | None, token: RefreshToken, *, at: int = NOON) -> Refreshed:
    return refresh(session, token, nonce=f"nonce-{at}", rules=RULES, now=at)


def code_of(told: Refreshed) -> str:
    return told.refusal.code if told.refusal else ""


def rotated(session: Session, token: RefreshToken, *, at: int) -> tuple[Session, RefreshToken]:
    told = refreshed(session, token, at=at)
    assert told.session is not None
    assert told.token is not None
    return told.session, told.token


def test_a_token_is_traded_for_another_and_its_secret_is_not_stored() -> None:
    session, token = begun()
    after, successor = rotated(session, token, at=NOON + 5)
    assert successor.secret != token.secret
    assert (after.generation, after.version, after.seen_at) == (1, 2, NOON + 5)
    for secret in (token.secret, successor.secret):
        assert secret.hex() not in repr(after)


def test_a_lost_answer_is_given_again_and_nothing_changes() -> None:
    session, token = begun()
    after, successor = rotated(session, token, at=NOON)
    again = refreshed(after, token, at=NOON + 29_999)
    assert (again.session, again.token, code_of(again)) == (None, successor, "")


def test_a_used_token_that_comes_back_late_ends_the_session_for_everybody() -> None:
    session, token = begun()
    after, successor = rotated(session, token, at=NOON)
    told = refreshed(after, token, at=NOON + 30_000)
    assert code_of(told) == "session_ended"
    assert told.session is not None
    assert told.session.end is SessionEnd.REUSED
    assert code_of(refreshed(told.session, successor, at=NOON + 30_001)) == "session_ended"


def test_a_request_that_was_overtaken_twice_harms_nobody() -> None:
    session, token = begun()
    session, successor = rotated(session, token, at=NOON)
    session, third = rotated(session, successor, at=NOON + 10)
    late = refreshed(session, token, at=NOON + 20)
    assert (late.session, code_of(late)) == (None, "refresh_superseded")
    assert refreshed(session, third, at=NOON + 30).token is not None


def test_an_unused_session_ends_and_a_used_one_has_an_end_too() -> None:
    session, token = begun()
    assert code_of(refreshed(session, token, at=NOON + 1_000_000)) == "session_ended"
    for at in (900_000, 1_800_000):
        session, token = rotated(session, token, at=NOON + at)
    assert session.expires_at == NOON + 2_500_000
    assert code_of(refreshed(session, token, at=NOON + 2_500_000)) == "session_ended"


def test_what_has_ended_stays_as_it_ended() -> None:
    ended = end(begun()[0], SessionEnd.LOGGED_OUT, now=NOON)
    assert end(ended, SessionEnd.REUSED, now=NOON + 1) == ended
    assert code_of(refreshed(None, begun()[1])) == "session_ended"


def test_a_token_is_read_as_it_was_spelt() -> None:
    _, token = begun()
    assert read(spell(token, KEY), KEY) == token
    assert read(spell(token, KEY), b"another") is None


@given(st.integers(0, 90), st.characters(codec="ascii"))
def test_a_made_up_token_is_none_of_ours(place: int, letter: str) -> None:
    session_id = SessionId(str(uuid.UUID(int=2**128 - 1)))
    token = RefreshToken(session_id=session_id, generation=0, secret=b"s" * SECRET_BYTES)
    text = spell(token, KEY)
    at = place % len(text)
    changed = text[:at] + letter + text[at + 1 :]
    assert (read(changed, KEY) is None) or changed == text


@given(st.text(max_size=120) | st.binary(max_size=100).map(lambda b: base64.b64encode(b).decode()))
def test_no_text_is_too_odd_to_be_refused(text: str) -> None:
    assert read(text, KEY) is None
    assert read("hr1." + text, KEY) is None


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20_000)), max_size=30))
def test_a_phone_whose_answers_get_lost_within_the_grace_is_never_logged_out(
    story: list[tuple[int, int]],
) -> None:
    """It repeats its question until an answer comes; each repetition comes within the grace."""
    session, held = begun()
    now = NOON
    for losses, gap_ms in story:
        answer = None
        for loss in range(losses + 1):
            told = refreshed(session, held, at=now + loss * 7_000)
            assert told.refusal is None
            session = told.session or session
            answer = told.token
        assert answer is not None
        held, now = answer, now + losses * 7_000 + gap_ms
        if now > NOON + 2_000_000:
            return
