"""What stands before the routes: how many requests at once, how often, and who goes first."""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from api.allowance import Allowance, Due
from api.errors import problem
from api.gate import proven_by
from api.limit_settings import LimitSettings
from api.raw_headers import Pair, say
from api.refusals import OVERLOADED, QUOTA_EXCEEDED, TOO_MANY_AT_ONCE
from api.route_classes import RouteClass, Weight, class_of
from api.tokens import Proven
from engine.kernel.rates import SECOND_US, Quota, Standing
from engine.kernel.refusals import Refusal

if TYPE_CHECKING:
    from api.parts import Parts

# From which part of the most requests at once on a weight is let go; what is vital never is.
_SHED_FROM: Final = {Weight.LIST: 0.6, Weight.NORMAL: 0.9}
_KNOWN_MAX: Final = 8192


class Throttle:
    """Inside the outermost layer, for every request to `/v1/`.

    Where a day is replayed at a `speed`, so much more is asked in a minute.
    """

    def __init__(self, app: ASGIApp, settings: LimitSettings, speed: float = 1.0) -> None:
        self._app = app
        self._settings = settings
        self._in_flight = 0
        self._of_one: Counter[str] = Counter()
        self._person = Quota(name="person", units=int(settings.person_per_min * speed))
        self._device = Quota(name="device", units=int(settings.device_per_min * speed))
        self._address = Quota(name="address", units=int(settings.address_per_min * speed))
        self._owed_by = lru_cache(_KNOWN_MAX)(self._owed)
        self._policy_of_person = _policy((self._person, self._device))
        self._policy_of_address = _policy((self._address,))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or say why not now."""
        counted = class_of(scope["method"], scope["path"]) if scope["type"] == "http" else None
        if counted is None:
            await self._app(scope, receive, send)
            return
        dues = self._dues(scope, counted)
        whose = dues[0].key
        refusal = self._crowd(whose, counted.weight)
        if refusal is not None:
            await problem(Request(scope), refusal)(scope, receive, send)
            return
        self._in_flight += 1
        self._of_one[whose] += 1
        try:
            if counted.weight is Weight.LIST and not await _may_list(scope):
                await problem(Request(scope), OVERLOADED())(scope, receive, send)
                return
            await self._count(scope, receive, send, dues, fails_open=counted.fails_open)
        finally:
            self._in_flight -= 1
            self._of_one[whose] -= 1
            if not self._of_one[whose]:
                del self._of_one[whose]

    async def _count(
        self, scope: Scope, receive: Receive, send: Send, dues: tuple[Due, ...], *, fails_open: bool
    ) -> None:
        allowance: Allowance = scope["app"].state.allowance
        told = await allowance.spend(dues, fails_open=fails_open)
        if told is None:
            await problem(Request(scope), OVERLOADED())(scope, receive, send)
            return
        is_person = len(dues) > 1
        policy = self._policy_of_person if is_person else self._policy_of_address
        say(scope, policy, _standing(dues, told))
        if not all(one.is_allowed for one in told):
            empty = [due for due, one in zip(dues, told, strict=True) if not one.is_allowed]
            wait_us = max(one.retry_in_us for one in told)
            refusal = QUOTA_EXCEEDED(
                retry_after_s=-(-wait_us // SECOND_US),
                **{"violated-policies": [one.quota.name for one in empty]},
            )
            await problem(Request(scope), refusal)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _crowd(self, whose: str, weight: Weight) -> Refusal | None:
        if weight is Weight.VITAL:
            return None
        if self._in_flight >= self._settings.in_flight_max * _SHED_FROM[weight]:
            return OVERLOADED()
        if self._of_one[whose] >= self._settings.in_flight_of_one_max:
            return TOO_MANY_AT_ONCE(retry_after_s=1)
        return None

    def _dues(self, scope: Scope, counted: RouteClass) -> tuple[Due, ...]:
        """A person pays for himself and his device; who is not known pays for his address."""
        proven = proven_by(scope)
        if isinstance(proven, Proven):
            return self._owed_by(proven.caller.user_id, proven.session_id, counted.cost)
        key = f"address:{(scope.get('client') or ('',))[0]}"
        return (Due(key=key, quota=self._address, units=counted.cost),)

    def _owed(self, user_id: str, session_id: str, units: int) -> tuple[Due, ...]:
        return (
            Due(key=f"person:{user_id}", quota=self._person, units=units),
            Due(key=f"device:{session_id}", quota=self._device, units=units),
        )


async def _may_list(scope: Scope) -> bool:
    """Lists wait while commands do."""
    parts: Parts = scope["app"].state.parts
    return await parts.admission.may_list()


def _policy(quotas: Sequence[Quota]) -> Pair:
    told = ", ".join(f'"{one.name}";q={one.units};w={one.window_s}' for one in quotas)
    return b"ratelimit-policy", told.encode()


def _standing(dues: Sequence[Due], told: Sequence[Standing]) -> Pair:
    """How the quotas stand (draft-ietf-httpapi-ratelimit-headers-10)."""
    parts = [
        f'"{due.quota.name}";r={one.remaining};t={-(-one.full_in_us // SECOND_US)}'
        for due, one in zip(dues, told, strict=True)
    ]
    return b"ratelimit", ", ".join(parts).encode()
