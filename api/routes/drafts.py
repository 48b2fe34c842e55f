"""Drafts: gifts that are thought of, changed as often as one likes, quoted, and then placed."""

from typing import Annotated, Any

from fastapi import APIRouter, Request
from msgspec import to_builtins
from msgspec.structs import replace
from starlette.responses import Response

from actors.chance import new_id
from api.bodies import DraftBody
from api.deps import IfMatch, MaybeKey, PartsDep, PathId, granted, version_in
from api.description import WITH_BODY, WITH_KEY, WITH_STORE, WITH_TOKEN, answers, tagged
from api.errors import Refused
from api.json_answer import Json
from api.once import Asked, once
from api.order_answers import DraftShown, DraftsShown, ReadyToPlace
from api.ordering_again import to_place
from api.parts import Parts
from api.quoting import make_quote_for, quote_shown
from api.recipients import recipient_of
from api.refusals import IF_MATCH_MISSING, INVALID_REQUEST
from api.splits import split_of
from engine.dispatch.view import place_view
from engine.geo.zone import OUTSIDE_ZONES
from engine.identity.access import Permission
from engine.identity.phone import BAD_PHONE
from engine.kernel.messages import Caller
from engine.kernel.place import Place
from engine.orders.drafting import (
    DRAFT_INCOMPLETE,
    STALE_DRAFT,
    TOO_MANY_DRAFTS,
    UNKNOWN_DRAFT,
    Draft,
    DraftId,
    missing,
)
from engine.orders.messages import BAD_WINDOW
from engine.orders.quote import Wishes, order_id_of

router = APIRouter(prefix="/v1/drafts", tags=["orders"])
Customer = Annotated[Caller, granted(Permission.KEEP_DRAFTS)]
_FINDING = (*WITH_TOKEN, *WITH_STORE, INVALID_REQUEST, UNKNOWN_DRAFT)


@router.post(
    "",
    status_code=201,
    responses=tagged(
        answers(
            201,
            DraftShown,
            *WITH_BODY,
            *WITH_TOKEN,
            *WITH_STORE,
            *WITH_KEY,
            BAD_PHONE,
            TOO_MANY_DRAFTS,
        )
    ),
)
async def begin_draft(
    body: DraftBody, caller: Customer, request: Request, *, parts: PartsDep, key: MaybeKey = None
) -> Response:
    """Begin to describe a gift: with all of it, a part, or nothing yet."""
    draft_id = DraftId(new_id(parts.clock, parts.chance))
    blank = Draft(version=1, id=draft_id, customer_id=caller.user_id, changed_at=0)
    draft = _told(parts, blank, body)

    async def keep() -> Response:
        if not await parts.drafts.begin(draft):
            raise Refused(TOO_MANY_DRAFTS())
        return _answer(draft, 201)

    asked = Asked(
        who=caller.user_id, route="POST /v1/drafts", key=key, body=body.model_dump(mode="json")
    )
    return await once(request, parts, asked, keep)


@router.get("", responses=answers(200, DraftsShown, *WITH_TOKEN, *WITH_STORE))
async def list_drafts(caller: Customer, parts: PartsDep) -> Json:
    """The caller's own that were not ordered yet."""
    found = await parts.drafts.list_of(caller.user_id)
    return Json({"drafts": [_shown(one) for one in found if await _is_open(parts, one)]})


@router.get("/{draft_id}", responses=tagged(answers(200, DraftShown, *_FINDING)))
async def get_draft(draft_id: PathId, caller: Customer, parts: PartsDep) -> Json:
    """One of them, with what is still missing."""
    return _answer(await _find(parts, caller, draft_id))


@router.put(
    "/{draft_id}",
    responses=tagged(
        answers(200, DraftShown, *WITH_BODY, *_FINDING, BAD_PHONE, IF_MATCH_MISSING, STALE_DRAFT)
    ),
)
async def change_draft(
    draft_id: PathId,
    body: DraftBody,
    caller: Customer,
    *,
    parts: PartsDep,
    if_match: IfMatch = None,
) -> Json:
    """All of it anew; what is left out is not told any more."""
    if if_match is None:
        raise Refused(IF_MATCH_MISSING())
    draft = await _find(parts, caller, draft_id)
    seen = version_in(if_match)
    later = replace(_told(parts, draft, body), version=draft.version + 1, order_id=None)
    if seen != str(draft.version) or not await parts.drafts.save(later):
        raise Refused(STALE_DRAFT(last_version=draft.version))
    return _answer(later)


@router.delete("/{draft_id}", responses=answers(200, DraftsShown, *_FINDING))
async def delete_draft(draft_id: PathId, caller: Customer, parts: PartsDep) -> Json:
    """Think of it no more; the answer is what is left."""
    await parts.drafts.forget((await _find(parts, caller, draft_id)).id)
    return await list_drafts(caller, parts)


@router.post(
    "/{draft_id}/quotes",
    status_code=201,
    responses=tagged(
        answers(
            201,
            ReadyToPlace,
            *_FINDING,
            *WITH_KEY,
            DRAFT_INCOMPLETE,
            STALE_DRAFT,
            OUTSIDE_ZONES,
            BAD_WINDOW,
        )
    ),
)
async def quote_draft(
    draft_id: PathId,
    caller: Customer,
    request: Request,
    *,
    parts: PartsDep,
    key: MaybeKey = None,
) -> Response:
    """What it would cost now, and the body with which it is placed or paid for."""
    draft = await _find(parts, caller, draft_id)
    gift, recipient, shop, door = draft.gift, draft.recipient, draft.shop, draft.door
    if gift is None or recipient is None or shop is None or door is None:
        raise Refused(DRAFT_INCOMPLETE(missing=list(missing(draft))))
    made = await make_quote_for(
        parts,
        request.app.state.quoted_zones,
        customer_id=caller.user_id,
        shop=shop.point,
        door=door.point,
        preparation_s=draft.preparation_s,
        wishes=Wishes(goods=draft.goods, vehicles=gift.vehicles, window=draft.window),
    )
    later = replace(draft, version=draft.version + 1, order_id=order_id_of(made.id))

    async def keep() -> Response:
        await parts.store.save_quote(made)
        if not await parts.drafts.save(later):
            raise Refused(STALE_DRAFT(last_version=draft.version))
        split = await split_of(parts, made.customer_id, made.total_halalas)
        order = to_place(made, gift=gift, recipient=recipient, shop=shop, door=door)
        told = {"quote": quote_shown(made, split), "order": order}
        return Json(told, 201, headers=_tag(later))

    asked = Asked(who=caller.user_id, route=f"POST /v1/drafts/{draft_id}/quotes", key=key)
    return await once(request, parts, asked, keep)


def _told(parts: Parts, draft: Draft, body: DraftBody) -> Draft:
    """The draft with all that a body tells, and nothing else."""
    return replace(
        draft,
        changed_at=parts.clock.now(),
        gift=body.gift.gift() if body.gift else None,
        recipient=recipient_of(body.recipient) if body.recipient else None,
        shop=body.shop.place() if body.shop else None,
        door=body.door.place() if body.door else None,
        preparation_s=body.preparation_s,
        goods=tuple(one.line() for one in body.goods),
        window=body.window.window() if body.window else None,
    )


async def _find(parts: Parts, caller: Caller, draft_id: str) -> Draft:
    draft = await parts.drafts.find(DraftId(draft_id))
    if draft is None or draft.customer_id != caller.user_id or not await _is_open(parts, draft):
        raise Refused(UNKNOWN_DRAFT())
    return draft


async def _is_open(parts: Parts, draft: Draft) -> bool:
    """Whether it is no order yet; one that is, is a draft no more."""
    if draft.order_id is None or await parts.store.find_order(draft.order_id) is None:
        return True
    await parts.drafts.forget(draft.id)
    return False


def _answer(draft: Draft, status: int = 200) -> Json:
    return Json(_shown(draft), status, headers=_tag(draft))


def _tag(draft: Draft) -> dict[str, str]:
    return {"etag": f'"{draft.version}"'}


def _shown(draft: Draft) -> dict[str, Any]:
    return {
        "draft_id": draft.id,
        "version": draft.version,
        "changed_at": draft.changed_at,
        "missing": list(missing(draft)),
        "gift": to_builtins(draft.gift),
        "recipient": to_builtins(draft.recipient),
        "shop": _place(draft.shop),
        "door": _place(draft.door),
        "preparation_s": draft.preparation_s,
        "goods": to_builtins(draft.goods),
        "window": to_builtins(draft.window),
    }


def _place(place: Place | None) -> dict[str, Any] | None:
    return None if place is None else place_view(place)
