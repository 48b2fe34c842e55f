"""What a route can ask for: the parts, who is calling, the words of a header."""

from typing import Annotated, Any, Final

from fastapi import Depends, Header, Path, Request
from fastapi.security import HTTPBearer
from fastapi.security.base import SecurityBase
from msgspec.structs import replace
from pydantic import StringConstraints

from api.errors import Refused
from api.gate import proven_by
from api.parts import Parts
from api.tokens import Proven
from engine.identity.access import GRANTS, Deed, may
from engine.kernel.messages import Caller, Role
from engine.kernel.refusals import NOT_ALLOWED, Refusal

_bearer = HTTPBearer(auto_error=False, description="The access token of `POST /v1/auth/token`.")
_IN_CHARGE: Final = {Role.OPERATOR, Role.ADMIN}
_UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"


# All of them are coroutines, though nothing in them waits: FastAPI runs plain functions in threads.
async def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


PartsDep = Annotated[Parts, Depends(_parts)]


def place_of(request: Request) -> str:
    """The address from which the request came; a trusted proxy names it."""
    return request.client.host if request.client else ""


def _prove(request: Request) -> Proven:
    proven = proven_by(request.scope)
    if isinstance(proven, Refusal):
        raise Refused(proven)
    return proven


class _Token(SecurityBase):
    """What asks for a token, as it is described; one call each, for every call costs a request."""

    def __init__(self) -> None:
        self.model = _bearer.model
        self.scheme_name = _bearer.scheme_name


class _Session(_Token):
    async def __call__(self, request: Request) -> Proven:
        return _prove(request)


ProvenDep = Annotated[Proven, Depends(_Session())]


class Granted(_Token):
    """Lets through who may do one of these deeds, and in a zone of the address who may act there.

    For a route whose body says which command is meant: the door asks again for that command.
    """

    def __init__(self, *deeds: Deed) -> None:
        super().__init__()
        assert GRANTS.keys() >= set(deeds), "a deed that the table of grants does not know"
        self.deeds = deeds

    async def __call__(self, request: Request) -> Caller:
        """The caller; raises the refusal."""
        caller = _prove(request).caller
        if caller.role in _IN_CHARGE:
            # Of others nobody needs to know from where they call.
            caller = replace(caller, place=place_of(request))
        zone_id = request.path_params.get("zone_id")
        is_elsewhere = zone_id is not None and not caller.may_act_in(zone_id)
        if is_elsewhere or not any(may(caller, one) for one in self.deeds):
            raise Refused(NOT_ALLOWED(role=caller.role.value))
        return caller


def granted(*deeds: Deed) -> Any:  # noqa: ANN401 - as `Depends` itself
    """For `Annotated[Caller, granted(...)]`: who may do this, by the table of grants."""
    return Depends(Granted(*deeds))


Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=128,
        description="Any text of yours; the same key and body are the same request.",
    ),
]
IfMatch = Annotated[str | None, Header(alias="If-Match", description="The version you saw.")]


def version_in(tag: str) -> str:
    """What an ETag says, weak or strong, without its quotes."""
    return tag.strip().removeprefix("W/").strip('"')


MaybeKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=128,
        description="Send one, and a lost answer can be fetched by asking again, for a day.",
    ),
]
IdText = Annotated[str, StringConstraints(pattern=_UUID)]
PathId = Annotated[str, Path(pattern=_UUID)]
