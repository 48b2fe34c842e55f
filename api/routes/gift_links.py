"""Gift links: a sender makes one, its recipient answers it."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from msgspec import to_builtins
from pydantic import Field

from actors.gateways.settings import PaymentsMode
from api.bodies import (
    PRICE_HALALAS_MAX,
    Body,
    GiftBody,
    PlaceBody,
    PriceLineBody,
    RecipientBody,
    WindowBody,
)
from api.deps import Key, PartsDep, PathId, granted
from api.description import WITH_BODY, WITH_STORE, WITH_TOKEN, answers
from api.errors import Refused
from api.gift_links import PURPOSE, GiftLinks
from api.json_answer import Json
from api.links import LINK_EXPIRED, UNKNOWN_LINK, read_link
from api.list_queries import GIFT_LINKS
from api.order_answers import GiftAsked, GiftLinkShown, GiftLinksShown
from api.paging import Paging, listed
from api.parts import Parts
from api.recipients import recipient_of
from api.refusals import INVALID_REQUEST
from api.sending import id_of_command
from engine.geo.zone import OUTSIDE_ZONES
from engine.identity.access import Permission
from engine.identity.phone import BAD_PHONE
from engine.kernel.ids import derived_id
from engine.kernel.messages import Caller, Role
from engine.kernel.refusals import KEY_REUSED, Refusal
from engine.kernel.timing import HOUR_MS
from engine.orders import gift_link as rules
from engine.orders.gift_link import (
    GIFT_LINK_CLOSED,
    GIFT_OUT_OF_REACH,
    UNKNOWN_GIFT_LINK,
    GiftLink,
    GiftLinkId,
    GiftLinkStatus,
)
from engine.orders.messages import BAD_WINDOW
from engine.payments.messages import PAYMENT_REQUIRED

router = APIRouter(prefix="/v1", tags=["gift links"])
Token = Annotated[str, Path(max_length=200)]


class GiftLinkBody(Body):
    """A gift without an address, and the most that it may cost with its delivery."""

    gift: GiftBody
    recipient: RecipientBody
    shop: PlaceBody
    preparation_s: Annotated[int, Field(ge=0, le=86_400)]
    goods: Annotated[tuple[PriceLineBody, ...], Field(strict=False, max_length=50)] = ()
    limit_halalas: Annotated[int, Field(ge=1, le=PRICE_HALALAS_MAX)]
    hours: Annotated[int, Field(ge=1, le=14 * 24)] = 72


class AnswerBody(Body):
    """Where the gift may come, and when; without a window as soon as it can."""

    door: PlaceBody
    window: WindowBody | None = None


@router.post(
    "/gift-links",
    status_code=201,
    responses=answers(
        201,
        GiftLinkShown,
        *WITH_BODY,
        *WITH_TOKEN,
        *WITH_STORE,
        BAD_PHONE,
        KEY_REUSED,
        PAYMENT_REQUIRED,
    ),
)
async def make_gift_link(
    body: GiftLinkBody,
    *,
    key: Key,
    caller: Annotated[Caller, granted(Permission.MAKE_GIFT_LINKS)],
    parts: PartsDep,
    request: Request,
) -> Json:
    """A link by which the recipient says where his gift may come.

    Not where orders are paid for: nobody has paid for what the recipient would then order.
    """
    if parts.settings.payments.mode is PaymentsMode.REQUIRED:
        raise Refused(PAYMENT_REQUIRED())
    now = parts.clock.now()
    command_id = id_of_command(caller, "POST /v1/gift-links", key)
    link = GiftLink(
        id=GiftLinkId(derived_id("gift link", command_id)),
        customer_id=caller.user_id,
        gift=body.gift.gift(),
        recipient=recipient_of(body.recipient),
        shop=body.shop.place(),
        preparation_s=body.preparation_s,
        goods=tuple(one.line() for one in body.goods),
        limit_halalas=body.limit_halalas,
        made_at=now,
        expires_at=now + body.hours * HOUR_MS,
    )
    if not await parts.gift_links.save(link):
        made = await _find(parts, link.id)
        if _asks(made) != _asks(link):
            raise Refused(KEY_REUSED())
        link = made
    return Json(_shown(request, link), 201)


@router.get(
    "/gift-links",
    responses=answers(200, GiftLinksShown, *WITH_TOKEN, *WITH_STORE, INVALID_REQUEST),
)
async def list_gift_links(
    caller: Annotated[Caller, granted(Permission.MAKE_GIFT_LINKS)],
    parts: PartsDep,
    request: Request,
    paging: Annotated[Paging, listed(GIFT_LINKS)],
) -> Json:
    """The caller's own, newest first."""
    page = await parts.gift_links.list_of(caller.user_id, paging.wanted)
    return paging.answer(page, "gift_links", [_shown(request, one) for one in page.rows])


@router.post(
    "/gift-links/{gift_link_id}/withdraw",
    responses=answers(
        200,
        GiftLinkShown,
        *WITH_TOKEN,
        *WITH_STORE,
        INVALID_REQUEST,
        UNKNOWN_GIFT_LINK,
        GIFT_LINK_CLOSED,
    ),
)
async def withdraw_gift_link(
    gift_link_id: PathId,
    caller: Annotated[Caller, granted(Permission.MAKE_GIFT_LINKS)],
    parts: PartsDep,
    request: Request,
) -> Json:
    """Take a link back that nobody has answered; all of its limit is given back."""
    link = await _find(parts, GiftLinkId(gift_link_id))
    if not _may_see(caller, link):
        raise Refused(UNKNOWN_GIFT_LINK())
    withdrawn = rules.withdraw(link)
    if isinstance(withdrawn, Refusal):
        raise Refused(withdrawn)
    if withdrawn is not link and not await parts.gift_links.save(withdrawn):
        raise Refused(GIFT_LINK_CLOSED())
    return Json(_shown(request, withdrawn))


@router.get(
    "/gift/{token}",
    responses=answers(200, GiftAsked, INVALID_REQUEST, *WITH_STORE, UNKNOWN_LINK, LINK_EXPIRED),
)
async def show_gift(token: Token, parts: PartsDep) -> Json:
    """What its recipient is asked: that a gift waits, and neither what it is nor what it costs."""
    return _asked(await _read(parts, token))


@router.post(
    "/gift/{token}",
    responses=answers(
        200,
        GiftAsked,
        *WITH_BODY,
        *WITH_STORE,
        UNKNOWN_LINK,
        LINK_EXPIRED,
        GIFT_LINK_CLOSED,
        GIFT_OUT_OF_REACH,
        OUTSIDE_ZONES,
        BAD_WINDOW,
    ),
)
async def answer_gift(token: Token, body: AnswerBody, parts: PartsDep, request: Request) -> Json:
    """Where and when the gift may come; the first answer counts, and the same again is the same."""
    link = await _read(parts, token)
    door, window = body.door.place(), body.window.window() if body.window else None
    if link.door == door and link.window == window:
        return _asked(link)
    links: GiftLinks = request.app.state.gift_links
    return _asked(await links.answer(link, door, window))


async def _read(parts: Parts, token: str) -> GiftLink:
    read = read_link(token, key=parts.keys.keys.secret(PURPOSE), now=parts.clock.now())
    if isinstance(read, Refusal):
        raise Refused(read)
    return await _find(parts, GiftLinkId(read[0]))


async def _find(parts: Parts, gift_link_id: GiftLinkId) -> GiftLink:
    link = await parts.gift_links.find(gift_link_id)
    if link is None:
        raise Refused(UNKNOWN_GIFT_LINK())
    return link


def _may_see(caller: Caller, link: GiftLink) -> bool:
    is_everywhere = caller.role is Role.OPERATOR and caller.zones is None
    return is_everywhere or link.customer_id == caller.user_id


def _asks(link: GiftLink) -> tuple[object, ...]:
    return link.gift, link.recipient, link.shop, link.goods, link.limit_halalas, link.preparation_s


def _asked(link: GiftLink) -> Json:
    """What a holder of the link is told; of a surprise not even from whom."""
    gift = link.gift
    is_named = not (gift.hide_sender or gift.surprise)
    told = {
        "status": link.status.value,
        "recipient_name": link.recipient.name,
        "sender_name": gift.sender_name if is_named else "",
        "expires_at": link.expires_at,
        "window": to_builtins(link.window),
    }
    return Json(told, headers={"cache-control": "no-store", "referrer-policy": "no-referrer"})


def _shown(request: Request, link: GiftLink) -> dict[str, Any]:
    links: GiftLinks = request.app.state.gift_links
    return {
        "gift_link_id": link.id,
        "path": f"/v1/gift/{links.token(link)}",
        "status": link.status.value,
        "recipient": to_builtins(link.recipient),
        "limit_halalas": link.limit_halalas,
        "refund_halalas": link.refund_halalas,
        "made_at": link.made_at,
        "expires_at": link.expires_at,
        "order_id": link.order_id if link.status is GiftLinkStatus.PLACED else None,
    }
