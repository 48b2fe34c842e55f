"""What may be done only by who has proven lately who he is: he logged in, or proved it again."""

from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from api.deps import ProvenDep
from api.errors import Refused
from api.tokens import Proven
from engine.identity.sessions import STEP_UP_NEEDED

if TYPE_CHECKING:
    from actors.sessions import Sessions


async def demand_proof(request: Request, proven: Proven) -> None:
    """Let through whose session has a fresh proof; raises the refusal that says how to give one."""
    sessions: Sessions = request.app.state.sessions
    refusal = await sessions.objection(proven.session_id, proven.caller.role)
    if refusal is not None:
        raise Refused(refusal)


async def _fresh(request: Request, proven: ProvenDep) -> Proven:
    await demand_proof(request, proven)
    return proven


# After what says who may do it at all.
FreshDep = Annotated[Proven, Depends(_fresh)]
FRESHLY = (STEP_UP_NEEDED,)
