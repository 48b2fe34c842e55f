"""What a route can ask for: the parts, who is calling, the words of a header."""

from typing import Annotated

from fastapi import Depends, Header, Path, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import StringConstraints

from api.errors import Refused
from api.gate import Gate
from api.parts import Parts
from api.tokens import Proven
from engine.kernel.messages import Caller, Role
from engine.kernel.refusals import NOT_ALLOWED, Refusal

_bearer = HTTPBearer(auto_error=False, description="The access token of `POST /v1/auth/token`.")
_UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"


# All of them are coroutines, though nothing in them waits: FastAPI runs plain functions in threads.
async def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


PartsDep = Annotated[Parts, Depends(_parts)]


async def _proven(
    request: Request, bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]
) -> Proven:
    gate: Gate = request.app.state.gate
    proven = gate.prove(bearer.credentials if bearer else "")
    if isinstance(proven, Refusal):
        raise Refused(proven)
    return proven


ProvenDep = Annotated[Proven, Depends(_proven)]


async def _caller(proven: ProvenDep) -> Caller:
    return proven.caller


AnyCaller = Annotated[Caller, Depends(_caller)]


class _Holding:
    """Lets through who calls in one of these roles, and to a zone in the address who may act there.

    `everywhere` lets through only who is limited to no zones.
    """

    def __init__(self, *roles: Role, everywhere: bool = False) -> None:
        self._roles = frozenset(roles)
        self._everywhere = everywhere

    async def __call__(self, request: Request, caller: AnyCaller) -> Caller:
        zone_id = request.path_params.get("zone_id")
        is_elsewhere = zone_id is not None and not caller.may_act_in(zone_id)
        is_limited = self._everywhere and caller.zones is not None
        if caller.role not in self._roles or is_elsewhere or is_limited:
            raise Refused(NOT_ALLOWED(role=caller.role.value))
        return caller


CurrentCustomer = Annotated[Caller, Depends(_Holding(Role.CUSTOMER, Role.OPERATOR))]
CurrentCourier = Annotated[Caller, Depends(_Holding(Role.COURIER))]
CurrentOperator = Annotated[Caller, Depends(_Holding(Role.OPERATOR))]
UnlimitedOperator = Annotated[Caller, Depends(_Holding(Role.OPERATOR, everywhere=True))]
CustomerOrCourier = Annotated[Caller, Depends(_Holding(Role.CUSTOMER, Role.COURIER))]
CourierOrOperator = Annotated[Caller, Depends(_Holding(Role.COURIER, Role.OPERATOR))]

Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=128,
        description="Any text of yours; the same key and body are the same request.",
    ),
]
IdText = Annotated[str, StringConstraints(pattern=_UUID)]
PathId = Annotated[str, Path(pattern=_UUID)]
