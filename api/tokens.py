"""Access tokens: JWTs signed with ES256, every claim checked."""

from dataclasses import dataclass

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwt import JWTClaimsRegistry

from api.keys import Keys
from api.settings import IdentitySettings
from engine.kernel.ids import UserId, is_id
from engine.kernel.messages import Caller, Role
from engine.kernel.timing import SECOND_MS, Instant

_ALGORITHM = "ES256"
_TYPE = "access"
_ROLES = [Role.CUSTOMER.value, Role.COURIER.value, Role.OPERATOR.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """Who a token speaks for, and until when."""

    caller: Caller
    expires_at: Instant


class Tokens:
    """Makes and reads tokens of this installation; the times are those of the wall clock."""

    def __init__(self, keys: Keys, settings: IdentitySettings) -> None:
        self._key = keys.signing
        self._settings = settings

    def issue(self, caller: Caller, *, now: Instant) -> str:
        """A token for `access_token_s` from now."""
        now_s = now // SECOND_MS
        claims = {
            "iss": self._settings.issuer,
            "aud": self._settings.issuer,
            "typ": _TYPE,
            "sub": caller.user_id,
            "role": caller.role.value,
            "iat": now_s,
            "exp": now_s + self._settings.access_token_s,
        }
        header = {"alg": _ALGORITHM, "kid": self._key.kid}
        return jwt.encode(header, claims, self._key, algorithms=[_ALGORITHM])

    def read(self, text: str, *, now: Instant) -> Proven | None:
        """Who it speaks for, or None when it is not ours, expired, or in any way odd."""
        registry = JWTClaimsRegistry(
            now=now // SECOND_MS,
            iss={"essential": True, "value": self._settings.issuer},
            aud={"essential": True, "value": self._settings.issuer},
            typ={"essential": True, "value": _TYPE},
            sub={"essential": True},
            role={"essential": True, "values": _ROLES},
            exp={"essential": True},
        )
        try:
            token = jwt.decode(text, self._key, algorithms=[_ALGORITHM])
            registry.validate(token.claims)
        except (JoseError, ValueError):
            return None
        if token.header.get("kid") != self._key.kid or not is_id(token.claims["sub"]):
            return None
        return Proven(
            caller=Caller(user_id=UserId(token.claims["sub"]), role=Role(token.claims["role"])),
            expires_at=int(token.claims["exp"]) * SECOND_MS,
        )
