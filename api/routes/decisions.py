"""Why an order has its courier, or none yet: every offer and every reason to wait, in time."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter
from msgspec import to_builtins

from actors.bus import CellUnavailable
from api.decision_answers import DecisionsShown
from api.deps import PartsDep, PathId, granted
from api.description import WITH_STORE, WITH_TOKEN, answers
from api.json_answer import Json
from api.order_views import find_visible
from api.parts import Parts
from api.refusals import INVALID_REQUEST
from engine.dispatch.offer import Offer, Ranked
from engine.dispatch.waiting import Wait
from engine.dispatch.why import TEXTS, Why
from engine.identity.access import Permission
from engine.kernel.messages import Caller
from engine.orders.messages import UNKNOWN_ORDER
from engine.orders.order import Order, OrderStatus

router = APIRouter(prefix="/v1/orders", tags=["orders"])
_SEEING = (*WITH_TOKEN, *WITH_STORE, UNKNOWN_ORDER, INVALID_REQUEST)
_OF_OFFER: Final = (
    "courier_id",
    "others",
    "mode",
    "place_in_line",
    "status",
    "order_ids",
    "expires_at",
    "answered_at",
    "decline_reason",
)


@router.get("/{order_id}/decisions", responses=answers(200, DecisionsShown, *_SEEING))
async def get_decisions(
    order_id: PathId, caller: Annotated[Caller, granted(Permission.SEE_DISPATCH)], parts: PartsDep
) -> Json:
    """Every offer with its explanation, every reason to wait, and why it waits now."""
    order = await find_visible(parts, caller, order_id)
    offers, waits = await asyncio.gather(
        parts.store.list_offers_for(order.id), parts.store.list_waits(order.id)
    )
    now = await _why_it_waits(parts, order, waits)
    told = [*(_offer(one) for one in offers), *(_wait(one) for one in waits)]
    told.sort(key=lambda one: (one["at"], one["kind"]))
    shown = {
        "order_id": order.id,
        "status": order.status.value,
        "waiting": now and _wait(now),
        "decisions": told,
    }
    return Json(shown)


async def _why_it_waits(parts: Parts, order: Order, stored: Sequence[Wait]) -> Wait | None:
    """As its zone sees it; what was stored last must do when its cell does not answer."""
    if order.status is not OrderStatus.WAITING:
        return None
    try:
        return await parts.bus.why_it_waits(order.id)
    except CellUnavailable:
        return stored[-1] if stored else None


def _offer(offer: Offer) -> dict[str, Any]:
    shown = to_builtins(offer)
    why = offer.explanation
    return {
        "kind": "offer",
        "at": offer.made_at,
        "offer_id": offer.id,
        **{name: shown[name] for name in _OF_OFFER},
        "gone": shown["gone"],
        "parameters_version": why.parameters_version,
        "candidates": why.candidates,
        "reach_s": why.reach_s,
        "pickup_at": why.pickup_at,
        "deliveries_at": list(why.deliveries_at),
        "couriers": [_courier(one) for one in why.against],
    }


def _wait(wait: Wait) -> dict[str, Any]:
    return {
        "kind": "wait",
        "at": wait.at,
        **_worded(wait.reason.why.value),
        "courier_id": wait.reason.courier_id,
        "leaves_at": wait.reason.leaves_at,
        "reach_s": wait.reach_s,
        "parameters_version": wait.parameters_version,
        "couriers": [_courier(one) for one in wait.against],
    }


def _courier(one: Ranked) -> dict[str, Any]:
    return {"courier_id": one.courier_id, "cost_more": one.cost_more, **_worded(one.reason)}


def _worded(reason: str) -> dict[str, str]:
    en, ar = TEXTS[Why(reason)]
    return {"reason": reason, "text": en, "text_ar": ar}
