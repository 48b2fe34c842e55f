"""Access tokens: JWTs (RFC 9068) signed with ES256, every header and claim checked."""

from dataclasses import dataclass
from typing import Any, Final

import msgspec
from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jws import extract_compact
from joserfc.jwt import ClaimsOption, JWTClaimsRegistry

from api.identity_settings import IdentitySettings
from api.keys import KeyRing
from api.refusals import NOT_AUTHENTICATED, TOKEN_EXPIRED
from engine.identity.ids import SessionId
from engine.kernel.ids import UserId, ZoneId, is_id
from engine.kernel.messages import Caller, Role
from engine.kernel.refusals import Refusal
from engine.kernel.timing import SECOND_MS, Instant

_ALGORITHM: Final = "ES256"
_TYPE: Final = "at+jwt"
_HEADERS: Final = {"alg", "kid", "typ"}
_ROLES: Final = [role.value for role in Role if role is not Role.SYSTEM]
_LENGTH_MAX: Final = 2048
_KNOWN_MAX: Final = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """Who a token speaks for, in which session, and until when."""

    caller: Caller
    session_id: SessionId
    expires_at: Instant


class Tokens:
    """Makes and reads tokens of this installation; the times are those of the wall clock."""

    def __init__(self, ring: KeyRing, settings: IdentitySettings) -> None:
        self._ring = ring
        self._settings = settings
        # A signature costs a hundred times what all else does, and a phone sends the same token.
        self._known: dict[str, Proven] = {}
        self._known_by = ring.keys

    def issue(self, caller: Caller, session_id: SessionId, *, now: Instant) -> str:
        """A token for `access_token_s` from now."""
        now_s = now // SECOND_MS
        claims: dict[str, Any] = {
            "iss": self._settings.issuer,
            "aud": self._settings.audience,
            "sub": caller.user_id,
            "sid": session_id,
            "role": caller.role.value,
            "iat": now_s,
            "exp": now_s + self._settings.access_token_s,
        }
        if caller.zones is not None:
            claims["zones"] = list(caller.zones)
        key = self._ring.keys.signer(now)
        header = {"alg": _ALGORITHM, "kid": key.kid, "typ": _TYPE}
        return jwt.encode(header, claims, key, algorithms=[_ALGORITHM])

    def read(self, text: str, *, now: Instant) -> Proven | Refusal:
        """Who it speaks for; a no when it is not ours, expired, or in any way odd."""
        if len(self._known) >= _KNOWN_MAX or self._known_by is not self._ring.keys:
            self._known, self._known_by = {}, self._ring.keys
        proven = self._known.get(text)
        if proven is not None:
            return proven if now < proven.expires_at else TOKEN_EXPIRED()
        try:
            found = self._verified(text, now)
        except ExpiredTokenError:
            return TOKEN_EXPIRED()
        except (JoseError, ValueError, TypeError, msgspec.MsgspecError):
            found = None
        if found is None:
            return NOT_AUTHENTICATED()
        self._known[text] = found
        return found

    def _verified(self, text: str, now: Instant) -> Proven | None:
        if len(text) > _LENGTH_MAX or not text.isascii():
            return None
        header = extract_compact(text.encode()).headers()
        key = self._ring.keys.verifier(header.get("kid"))
        # A header that names a key of its own, or asks for more than we know, is not ours.
        if key is None or header.keys() != _HEADERS or header["typ"] != _TYPE:
            return None
        claims = jwt.decode(text, key, algorithms=[_ALGORITHM]).claims
        self._registry(now).validate(claims)
        if not (is_id(claims["sub"]) and is_id(claims["sid"])):
            return None
        return _proven(claims)

    def _registry(self, now: Instant) -> JWTClaimsRegistry:
        now_s = now // SECOND_MS
        return _Strict(
            now=now_s,
            skew_s=self._settings.clock_skew_s,
            iss={"essential": True, "value": self._settings.issuer},
            aud={"essential": True, "value": self._settings.audience},
            sub={"essential": True},
            sid={"essential": True},
            role={"essential": True, "values": _ROLES},
            iat={"essential": True},
            exp={"essential": True},
        )


class _Strict(JWTClaimsRegistry):
    """Tokens of a process whose clock is ahead are taken, but none lives a moment longer."""

    def __init__(self, now: int, skew_s: int, **options: ClaimsOption) -> None:
        super().__init__(now=now, leeway=0, **options)
        self._latest_s = now + skew_s

    def validate_iat(self, value: object) -> None:
        """Not from the future, but for the difference of two clocks."""
        if isinstance(value, bool) or not isinstance(value, int) or value > self._latest_s:
            raise ValueError("issued in the future")


def _proven(claims: dict[str, Any]) -> Proven:
    zones = claims.get("zones")
    return Proven(
        caller=Caller(
            user_id=UserId(claims["sub"]),
            role=Role(claims["role"]),
            zones=None if zones is None else tuple(ZoneId(one) for one in zones),
        ),
        session_id=SessionId(claims["sid"]),
        expires_at=int(claims["exp"]) * SECOND_MS,
    )
