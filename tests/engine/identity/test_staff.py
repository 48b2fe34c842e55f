"""What must hold of passwords, second factors, links and the tries that anybody has."""

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from actors.passwords import common_passwords
from engine.identity import links, staff
from engine.identity.ids import LinkId
from engine.identity.links import Link, LinkPurpose
from engine.identity.passwords import weakness
from engine.identity.profiles import Language
from engine.identity.second_factor import (
    otpauth_uri,
    proven,
    recovery_digest,
    secret_from,
    spell_recovery,
)
from engine.identity.staff import StaffAccount, TryRules
from engine.kernel.ids import UserId
from tests.builders import NOON, new_id

KEY = b"k" * 32
SECRET = secret_from(KEY, "token")
STEP_MS = 30_000


def an_account(**fields: object) -> StaffAccount:
    account = StaffAccount(
        version=1,
        user_id=UserId(new_id()),
        email="noura@example.com",
        password_hash="",
        totp_secret=SECRET,
        created_at=NOON,
    )
    return replace(account, **fields)


def shown(at: int) -> str:
    return pyotp.TOTP(SECRET).at(at // 1000)


@pytest.mark.parametrize(
    "password",
    [
        "",
        "elevenchars",
        "x" * 129,
        "aaaaaaaaaaaa",
        "abcabcabcabc",
        "abcdefghijkl",
        "987654321098",
        "Password1234",
        "123456qwerty",
        "!!password!!99",
        "noura1234567",
        "hadiyati12345",
        "هديتي١٢٣٤٥٦٧٨",
    ],
)
def test_what_is_tried_first_is_no_password(password: str) -> None:
    assert weakness(password, "noura@example.com", common_passwords()) is not None


@pytest.mark.parametrize(
    "password",
    [
        "a bird in the palm grove",
        "سبعة طيور على النخلة",
        "correct horse battery",
        "🐪🌴🌙⭐ kept for you",
    ],
)
def test_what_nobody_expects_is_one_whatever_its_letters(password: str) -> None:
    assert weakness(password, "noura@example.com", common_passwords()) is None


@given(st.integers(0, 10**6))
def test_a_code_is_good_in_its_step_and_beside_it_and_once(step: int) -> None:
    now = NOON + step * STEP_MS
    for off in (-1, 0, 1):
        used = proven(an_account(), shown(now + off * STEP_MS), now=now)
        assert used is not None
        assert used.version == 2
        assert proven(used, shown(now + off * STEP_MS), now=now) is None
    for off in (-3, -2, 2, 3):
        assert proven(an_account(), shown(now + off * STEP_MS), now=now) is None


def test_no_code_is_good_that_is_older_than_one_that_was_used() -> None:
    used = proven(an_account(), shown(NOON), now=NOON)
    assert used is not None
    assert proven(used, shown(NOON - STEP_MS), now=NOON) is None
    assert proven(used, shown(NOON + STEP_MS), now=NOON) is not None


@given(st.binary(min_size=15, max_size=15), st.text(max_size=40))
def test_a_recovery_code_is_good_once_however_it_is_copied(secret: bytes, other: str) -> None:
    code = spell_recovery(secret)
    account = an_account(recovery=("ab" * 32, recovery_digest(code)))
    for copied in (code, code.upper(), code.replace("-", " "), code.replace("-", "")):
        used = proven(account, copied, now=NOON)
        assert used is not None
        assert used.recovery == ("ab" * 32,)
        assert proven(used, copied, now=NOON) is None
    assert proven(account, other, now=NOON) is None


def test_an_authenticator_reads_who_and_where() -> None:
    read = pyotp.parse_uri(otpauth_uri(SECRET, "noura@example.com"))
    assert (read.name, read.issuer, read.secret) == ("noura@example.com", "Hadiyati", SECRET)
    assert secret_from(KEY, "token") == SECRET != secret_from(KEY, "another")
    assert len(SECRET) == 32


def a_link(**fields: object) -> Link:
    link = Link(
        id=LinkId(new_id()),
        purpose=LinkPurpose.INVITE,
        email="noura@example.com",
        language=Language.ENGLISH,
    )
    return links.send(replace(link, **fields), KEY, now=NOON)


def test_a_link_opens_what_it_is_for_while_it_lives() -> None:
    link = a_link()
    text = links.token(link, KEY)
    life_ms = links.LIFE_MS[LinkPurpose.INVITE]
    assert links.id_in(text) == link.id
    assert links.objection(link, text, LinkPurpose.INVITE, NOON) is None
    assert links.objection(link, text, LinkPurpose.INVITE, NOON + life_ms - 1) is None
    for refused, at, purpose in (
        (link, NOON + life_ms, LinkPurpose.INVITE),
        (link, NOON, LinkPurpose.RESET_PASSWORD),
        (links.use(link, now=NOON), NOON, LinkPurpose.INVITE),
        (links.revoke(link, now=NOON), NOON, LinkPurpose.INVITE),
        (links.send(link, KEY, now=NOON), NOON, LinkPurpose.INVITE),
        (None, NOON, LinkPurpose.INVITE),
    ):
        assert links.objection(refused, text, purpose, at) is not None
    assert link.digest != text
    assert links.token(link, b"x" * 32) != text


@given(st.text(max_size=120), st.integers(0, 67))
def test_no_other_text_opens_it(noise: str, at: int) -> None:
    link = a_link()
    text = links.token(link, KEY)
    changed = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
    for other in (noise, changed, text + "="):
        if links.id_in(other) is not None:
            assert links.objection(link, other, LinkPurpose.INVITE, NOON) is not None


@given(st.binary(min_size=16, max_size=16), st.text(max_size=60))
def test_a_device_is_known_to_its_account_only(nonce: bytes, noise: str) -> None:
    text = staff.spell_device(nonce, "noura@example.com", KEY)
    assert staff.read_device(text, "noura@example.com", KEY) == nonce.hex()
    assert staff.read_device(text, "hala@example.com", KEY) is None
    assert staff.read_device(text, "noura@example.com", b"x" * 32) is None
    assert staff.read_device(noise, "noura@example.com", KEY) is None


def test_a_known_device_pays_from_no_budget_that_strangers_can_empty() -> None:
    rules = TryRules()
    known = staff.login_charges("a", "192.0.2.1", "device", rules, now=NOON)
    strangers = staff.login_charges("a", "192.0.2.1", None, rules, now=NOON)
    assert not {one.key for one in known} & {one.key for one in strangers}
    assert {one.spent_max for one in strangers} == {5, 30, 60}
    later = staff.login_charges("a", "192.0.2.1", None, rules, now=strangers[0].expires_at)
    assert later[0].key != strangers[0].key
