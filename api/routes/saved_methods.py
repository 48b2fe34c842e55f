"""What a customer pays with again: a list, and a way to be forgotten."""

from typing import Annotated, Any

from fastapi import APIRouter

from api.deps import PartsDep, PathId, granted
from api.description import WITH_STORE, WITH_TOKEN, answers
from api.errors import Refused
from api.json_answer import Json
from api.payment_answers import SavedMethodsShown, card_shown
from api.refusals import INVALID_REQUEST
from engine.identity.access import Permission
from engine.kernel.messages import Caller
from engine.payments.saved import UNKNOWN_METHOD, SavedMethod

router = APIRouter(prefix="/v1/saved-methods", tags=["payments"])


@router.get("", responses=answers(200, SavedMethodsShown, *WITH_TOKEN, *WITH_STORE))
async def list_saved_methods(
    caller: Annotated[Caller, granted(Permission.PAY)], parts: PartsDep
) -> Json:
    """The caller's own, newest first; the token itself is not told."""
    found = await parts.saved_methods.list_of(caller.user_id)
    return Json({"methods": [_shown(one) for one in found]})


@router.delete(
    "/{method_id}",
    responses=answers(
        200, SavedMethodsShown, *WITH_TOKEN, *WITH_STORE, UNKNOWN_METHOD, INVALID_REQUEST
    ),
)
async def forget_saved_method(
    method_id: PathId, caller: Annotated[Caller, granted(Permission.PAY)], parts: PartsDep
) -> Json:
    """Forget a saved method; the answer is what is left."""
    method = await parts.saved_methods.find(method_id)
    if method is None or method.customer_id != caller.user_id:
        raise Refused(UNKNOWN_METHOD())
    await parts.saved_methods.forget(method_id)
    return await list_saved_methods(caller, parts)


def _shown(one: SavedMethod) -> dict[str, Any]:
    return {
        "method_id": one.id,
        "network": one.network,
        "gateway": one.gateway,
        "card": card_shown(one.card),
        "saved_at": one.saved_at,
    }
