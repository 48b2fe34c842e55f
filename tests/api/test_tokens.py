"""Access tokens: which are taken, what is told of each other one, and how keys are changed."""

import base64
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from actors.chance import SystemChance
from api.identity_settings import IdentitySettings
from api.keys import KeyRing, make_keys, open_keys, rotate_signing_key
from api.tokens import Proven, Tokens
from engine.identity.ids import SessionId
from engine.kernel.ids import UserId
from engine.kernel.messages import Caller, Role
from engine.kernel.refusals import Refusal
from tests.api.town import Town
from tests.builders import NOON, new_id

SETTINGS = IdentitySettings(access_token_s=3600)
KEYS = make_keys(SystemChance())
KEY = KEYS.signing[0].key
CALLER = Caller(user_id=UserId(new_id()), role=Role.COURIER)
SESSION = SessionId(new_id())
NOW_S = NOON // 1000
HEADER = {"alg": "ES256", "kid": KEY.kid, "typ": "at+jwt"}


def tokens() -> Tokens:
    return Tokens(KeyRing(KEYS), SETTINGS)


def claims_with(**claims: Any) -> dict[str, Any]:
    made = {
        "iss": SETTINGS.issuer,
        "aud": SETTINGS.audience,
        "sub": CALLER.user_id,
        "sid": SESSION,
        "role": "courier",
        "iat": NOW_S,
        "exp": NOW_S + 3600,
        **claims,
    }
    return {name: value for name, value in made.items() if value is not None}


def a_token(*, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """A token signed with our key, with some headers or claims of another kind."""
    made = {name: one for name, one in {**HEADER, **(header or {})}.items() if one is not None}
    return jwt.encode(made, claims_with(**claims), KEY, algorithms=["ES256"])


def packed(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def signed_by(key: OctKey | RSAKey | ECKey, **header: Any) -> str:
    made = {**HEADER, **header}
    return jwt.encode(made, claims_with(), key, algorithms=[made["alg"]])


def flipped(token: str) -> str:
    head, body, signature = token.split(".")
    return f"{head}.{body}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"


STRANGER = ECKey.generate_key("P-256", auto_kid=True)
PUBLIC = json.dumps(KEY.as_dict(private=False))
BAD: dict[str, tuple[str, str]] = {
    "nothing": ("", "not_authenticated"),
    "a word": ("x", "not_authenticated"),
    "three words": ("a.b.c", "not_authenticated"),
    "not ASCII": ("é" * 9, "not_authenticated"),
    "endless": ("x" * 10_000, "not_authenticated"),
    "unsigned": (a_token().rpartition(".")[0] + ".", "not_authenticated"),
    "alg none": (packed({**HEADER, "alg": "none"}, claims_with()), "not_authenticated"),
    "alg None": (packed({**HEADER, "alg": "None"}, claims_with()), "not_authenticated"),
    "forged signature": (flipped(a_token()), "not_authenticated"),
    "foreign key, our kid": (signed_by(STRANGER, kid=KEY.kid), "not_authenticated"),
    "foreign key, its kid": (signed_by(STRANGER, kid=STRANGER.kid), "not_authenticated"),
    "public key as secret": (
        signed_by(OctKey.import_key(PUBLIC), alg="HS256"),
        "not_authenticated",
    ),
    "HMAC": (signed_by(OctKey.import_key("x" * 32), alg="HS256"), "not_authenticated"),
    "no kid": (a_token(header={"kid": None}), "not_authenticated"),
    "unknown kid": (a_token(header={"kid": "another"}), "not_authenticated"),
    "kid of a file": (a_token(header={"kid": "../../keys.json"}), "not_authenticated"),
    "no typ": (a_token(header={"typ": None}), "not_authenticated"),
    "another typ": (a_token(header={"typ": "JWT"}), "not_authenticated"),
    "key in the header": (
        signed_by(STRANGER, kid=KEY.kid, jwk=STRANGER.as_dict(private=False)),
        "not_authenticated",
    ),
    "key elsewhere": (a_token(header={"jku": "https://evil.example"}), "not_authenticated"),
    "another issuer": (a_token(iss="https://elsewhere.example"), "not_authenticated"),
    "another audience": (a_token(aud="another-api"), "not_authenticated"),
    "the system's role": (a_token(role="system"), "not_authenticated"),
    "an unknown role": (a_token(role="king"), "not_authenticated"),
    "a subject that is no id": (a_token(sub="nobody"), "not_authenticated"),
    "a session that is no id": (a_token(sid="none"), "not_authenticated"),
    "expiry is a word": (a_token(exp="never"), "not_authenticated"),
    "issued too far in the future": (a_token(iat=NOW_S + 61), "not_authenticated"),
    "just expired": (a_token(exp=NOW_S), "token_expired"),
    "long expired": (a_token(exp=NOW_S - 86_400), "token_expired"),
    **{
        f"no {name}": (a_token(**{name: None}), "not_authenticated")
        for name in ("iss", "aud", "sub", "sid", "role", "iat", "exp")
    },
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_token_speaks_for_nobody_and_the_code_says_what_to_do(kind: str) -> None:
    token, code = BAD[kind]
    told = tokens().read(token, now=NOON)
    assert isinstance(told, Refusal)
    assert told.code == code


async def test_no_bad_token_opens_a_route(town: Town) -> None:
    for kind, (token, _) in BAD.items():
        headers = {"Authorization": f"Bearer {token.encode('ascii', 'ignore').decode()}".strip()}
        refused = await town.client.get("/v1/me", headers=headers)
        # The town signs with keys of its own, so here the expired ones are foreign, too.
        assert (refused.status_code, refused.json()["code"]) == (401, "not_authenticated"), kind
        assert refused.headers["www-authenticate"] == "Bearer"


@given(st.binary(max_size=80), st.integers(0, 2**16))
def test_no_changed_byte_leaves_a_token_valid(noise: bytes, place: int) -> None:
    reader, token = tokens(), a_token()
    at = place % len(token)
    changed = token[:at] + base64.urlsafe_b64encode(noise).decode() + token[at + 1 :]
    # The last letter of a signature has bits that mean nothing.
    if changed[:-1] != token[:-1]:
        assert isinstance(reader.read(changed, now=NOON), Refusal)


def test_a_token_speaks_for_its_caller_until_it_expires() -> None:
    reader = tokens()
    token = reader.issue(CALLER, SESSION, now=NOON)
    expected = Proven(caller=CALLER, session_id=SESSION, expires_at=NOON + 3_600_000)
    for _ in range(2):
        assert reader.read(token, now=NOON + 3_599_000) == expected
        late = reader.read(token, now=NOON + 3_600_000)
        assert isinstance(late, Refusal)
        assert late.code == "token_expired"


def test_a_token_of_a_process_whose_clock_is_ahead_is_taken() -> None:
    ahead = tokens().issue(CALLER, SESSION, now=NOON + 60_000)
    assert isinstance(tokens().read(ahead, now=NOON), Proven)


def test_keys_are_made_once_and_are_their_owners_only(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "keys.json"
    first, again = (open_keys(file, SystemChance()).keys for _ in range(2))
    assert first.pepper == again.pepper
    assert len(first.pepper) == 32
    assert [one.key.kid for one in first.signing] == [one.key.kid for one in again.signing]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [one.name for one in file.parent.iterdir()] == ["keys.json"]


def test_a_file_of_the_first_kind_is_read(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    old = {"signing": KEY.as_dict(private=True), "pepper": base64.b64encode(b"p" * 32).decode()}
    file.write_text(json.dumps(old))
    ring = open_keys(file, SystemChance())
    token = Tokens(ring, SETTINGS).issue(CALLER, SESSION, now=NOON)
    assert isinstance(tokens().read(token, now=NOON), Proven)


def test_while_keys_are_rotated_no_token_is_rejected(tmp_path: Path) -> None:
    """Two processes read the file at different moments; a day of rotations, a token a minute."""
    file = tmp_path / "keys.json"
    rings = [open_keys(file, SystemChance()) for _ in range(2)]
    processes = [Tokens(ring, SETTINGS) for ring in rings]
    living: list[tuple[str, int]] = []
    signers: set[str | None] = set()
    for minute in range(24 * 60):
        now = NOON + minute * 60_000
        if minute % 90 == 30:
            rotate_signing_key(file, now=now, known_in_ms=300_000, valid_for_ms=3_600_000)
        rings[minute % 2].look()
        if minute % 5 == 0:
            living = [(token, until) for token, until in living if until > now]
            living += [(one.issue(CALLER, SESSION, now=now), now + 3_600_000) for one in processes]
            for token, _ in living:
                for process in processes:
                    assert isinstance(process.read(token, now=now), Proven)
        signers.add(rings[0].keys.signer(now).kid)
    assert len(signers) == 17
    assert len(open_keys(file, SystemChance()).keys.signing) <= 3
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_the_published_keys_check_a_token_and_hold_nothing_secret(town: Town) -> None:
    person = await town.log_in("customer")
    (published,) = (await town.client.get("/.well-known/jwks.json")).json()["keys"]
    assert set(published) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    read = jwt.decode(person.token, ECKey.import_key(published), algorithms=["ES256"])
    assert read.claims["sub"] == person.user_id
    assert read.header["kid"] == published["kid"]
