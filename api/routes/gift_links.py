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
from api.description import WITH_BODY, WITH_KEY, WITH_STORE, WITH_TOKEN, answers
from api.errors import Refused
from api.gift_links import PURPOSE, GiftLinks
from api.json_answer import Json
from api.links import LINK_EXPIRED, UNKNOWN_LINK, read_link
from api.list_queries import GIFT_LINKS
from api.order_answers import GiftAsked, GiftLinkPriced, GiftLinkShown, GiftLinksShown
from api.paging import Paging, listed
from api.parts import Parts
from api.paying import PAYING, PaidWith, charged
from api.payment_answers import PaymentShown
from api.payment_answers import shown as payment_shown
from api.recipients import recipient_of
from api.refusals import INVALID_REQUEST
from api.sending import id_of_command
from api.zones_of import zone_of
from engine.geo.travel import VehicleKind
from engine.geo.zone import OUTSIDE_ZONES
from engine.identity.access import Permission
from engine.identity.phone import BAD_PHONE
from engine.kernel.ids import PaymentId, derived_id
from engine.kernel.messages import Caller, Role
from engine.kernel.place import Place
from engine.kernel.refusals import KEY_REUSED, Refusal
from engine.kernel.timing import HOUR_MS
from engine.orders import gift_link as rules
from engine.orders.gift_link import (
    GIFT_LINK_CLOSED,
    GIFT_OUT_OF_REACH,
    LIMIT_TOO_LOW,
    UNKNOWN_GIFT_LINK,
    GiftLink,
    GiftLinkId,
    GiftLinkStatus,
)
from engine.orders.messages import BAD_WINDOW
from engine.orders.quote import Wishes
from engine.orders.reach import PriceRange, price_range

router = APIRouter(prefix="/v1", tags=["gift links"])
Token = Annotated[str, Path(max_length=200)]


class GiftLinkBody(Body):
    """A gift without an address, and the most that it may cost with its delivery.

    Without a limit as much as the farthest door of the shop's zone may cost.
    """

    gift: GiftBody
    recipient: RecipientBody
    shop: PlaceBody
    preparation_s: Annotated[int, Field(ge=0, le=86_400)]
    goods: Annotated[tuple[PriceLineBody, ...], Field(strict=False, max_length=50)] = ()
    limit_halalas: Annotated[int, Field(ge=1, le=PRICE_HALALAS_MAX)] | None = None
    hours: Annotated[int, Field(ge=1, le=14 * 24)] = 72


class GiftLinkPriceBody(Body):
    """What would be sold with a delivery to an address that nobody knows yet."""

    shop: PlaceBody
    goods: Annotated[tuple[PriceLineBody, ...], Field(strict=False, max_length=50)] = ()
    vehicles: Annotated[tuple[VehicleKind, ...], Field(strict=False, max_length=3)] = ()


class GiftLinkPaymentBody(PaidWith):
    """What the limit of a gift link is paid with; whether to save that."""


class AnswerBody(Body):
    """Where the gift may come, and when; without a window as soon as it can."""

    door: PlaceBody
    window: WindowBody | None = None


@router.post(
    "/gift-link-prices",
    responses=answers(200, GiftLinkPriced, *WITH_BODY, *WITH_TOKEN, *WITH_STORE, OUTSIDE_ZONES),
)
async def price_gift_link(
    body: GiftLinkPriceBody,
    caller: Annotated[Caller, granted(Permission.MAKE_GIFT_LINKS)],
    parts: PartsDep,
) -> Json:
    """What a gift would cost at least, and at most wherever in the shop's zone it goes."""
    del caller
    wishes = Wishes(goods=tuple(one.line() for one in body.goods), vehicles=body.vehicles)
    priced = await _priced(parts, body.shop.place(), wishes)
    return Json(to_builtins(priced))


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
        LIMIT_TOO_LOW,
        OUTSIDE_ZONES,
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

    Where orders are paid for it is opened by the payment of its limit.
    """
    now = parts.clock.now()
    gift, shop = body.gift.gift(), body.shop.place()
    goods = tuple(one.line() for one in body.goods)
    priced = await _priced(parts, shop, Wishes(goods=goods, vehicles=gift.vehicles))
    is_paid_for = parts.settings.payments.mode is PaymentsMode.REQUIRED
    command_id = id_of_command(caller, "POST /v1/gift-links", key)
    link = GiftLink(
        id=GiftLinkId(derived_id("gift link", command_id)),
        customer_id=caller.user_id,
        gift=gift,
        recipient=recipient_of(body.recipient),
        shop=shop,
        preparation_s=body.preparation_s,
        goods=goods,
        limit_halalas=body.limit_halalas or priced.most_halalas,
        made_at=now,
        expires_at=now + body.hours * HOUR_MS,
        status=GiftLinkStatus.UNPAID if is_paid_for else GiftLinkStatus.OPEN,
    )
    made = await parts.gift_links.find(link.id)
    if made is None:
        refusal = rules.payable(link, priced.least_halalas)
        if refusal is not None:
            raise Refused(refusal)
        made = link if await parts.gift_links.save(link) else await _find(parts, link.id)
    if _asks(made) != _asks(link):
        raise Refused(KEY_REUSED())
    return Json(_shown(request, made), 201)


async def _priced(parts: Parts, shop: Place, wishes: Wishes) -> PriceRange:
    """By the tariff of the shop's zone; raises `Refused` outside all of them."""
    zone_id = await zone_of(parts.store, shop.point)
    zone = None if zone_id is None else await parts.store.find_zone(zone_id)
    if zone is None:
        raise Refused(OUTSIDE_ZONES(place="shop"))
    return price_range(zone, shop.point, wishes)


@router.post(
    "/gift-links/{gift_link_id}/payments",
    status_code=201,
    responses=answers(
        201,
        PaymentShown,
        *WITH_BODY,
        *WITH_TOKEN,
        *WITH_STORE,
        *WITH_KEY,
        UNKNOWN_GIFT_LINK,
        GIFT_LINK_CLOSED,
        *PAYING,
    ),
)
async def pay_gift_link(
    gift_link_id: PathId,
    body: GiftLinkPaymentBody,
    *,
    key: Key,
    caller: Annotated[Caller, granted(Permission.PAY)],
    parts: PartsDep,
    request: Request,
) -> Json:
    """Pay the limit; as soon as it is held or taken the link is open and may be shared."""
    link = await _find(parts, GiftLinkId(gift_link_id))
    if link.customer_id != caller.user_id:
        raise Refused(UNKNOWN_GIFT_LINK())
    command_id = id_of_command(caller, f"POST /v1/gift-links/{link.id}/payments", key)
    payment_id = PaymentId(derived_id("payment", command_id))
    if link.status is not GiftLinkStatus.UNPAID and link.payment_id != payment_id:
        raise Refused(GIFT_LINK_CLOSED(status=link.status.value))
    made = await charged(request, caller, body, payment_id=payment_id, what=link)
    return Json(payment_shown(made), 201)


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
    links: GiftLinks = request.app.state.gift_links
    if withdrawn is not link and not await links.end(withdrawn):
        raise Refused(GIFT_LINK_CLOSED())
    return Json(_shown(request, withdrawn))


@router.get(
    "/gift/{token}",
    responses=answers(200, GiftAsked, INVALID_REQUEST, *WITH_STORE, UNKNOWN_LINK, LINK_EXPIRED),
)
async def show_gift(token: Token, parts: PartsDep) -> Json:
    """What its recipient is asked: that a gift waits, and neither what it is nor what it costs."""
    return await _asked(parts, await _read(parts, token))


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
        return await _asked(parts, link)
    links: GiftLinks = request.app.state.gift_links
    return await _asked(parts, await links.answer(link, door, window))


@router.post(
    "/gift/{token}/decline",
    responses=answers(
        200,
        GiftAsked,
        INVALID_REQUEST,
        *WITH_STORE,
        UNKNOWN_LINK,
        LINK_EXPIRED,
        GIFT_LINK_CLOSED,
    ),
)
async def decline_gift(token: Token, parts: PartsDep, request: Request) -> Json:
    """No, thank you: its sender is told, and may give something else."""
    link = await _read(parts, token)
    declined = rules.decline(link, now=parts.clock.now())
    if isinstance(declined, Refusal):
        raise Refused(declined)
    links: GiftLinks = request.app.state.gift_links
    if declined is not link and not await links.end(declined):
        raise Refused(GIFT_LINK_CLOSED())
    return await _asked(parts, declined)


async def _read(parts: Parts, token: str) -> GiftLink:
    """What a holder of the link may ask about; raises `Refused` while nobody has paid for it."""
    read = read_link(token, key=parts.keys.keys.secret(PURPOSE), now=parts.clock.now())
    if isinstance(read, Refusal):
        raise Refused(read)
    link = await parts.gift_links.find(GiftLinkId(read[0]))
    if link is None or link.status is GiftLinkStatus.UNPAID:
        raise Refused(UNKNOWN_LINK())
    return link


async def _find(parts: Parts, gift_link_id: GiftLinkId) -> GiftLink:
    link = await parts.gift_links.find(gift_link_id)
    if link is None:
        raise Refused(UNKNOWN_GIFT_LINK())
    return link


def _may_see(caller: Caller, link: GiftLink) -> bool:
    is_everywhere = caller.role is Role.OPERATOR and caller.zones is None
    return is_everywhere or link.customer_id == caller.user_id


def _asks(link: GiftLink) -> tuple[object, ...]:
    life = link.expires_at - link.made_at
    asked = (link.gift, link.recipient, link.shop, link.goods, link.preparation_s)
    return *asked, link.limit_halalas, life


async def _asked(parts: Parts, link: GiftLink) -> Json:
    """What a holder of the link is told; of a surprise not even from whom."""
    gift = link.gift
    is_named = not (gift.hide_sender or gift.surprise)
    order = None
    if link.status is GiftLinkStatus.PLACED and link.order_id is not None:
        order = await parts.store.find_order(link.order_id)
    told = {
        "status": link.status.value,
        "public_status": None if order is None else order.public_status.value,
        "recipient_name": link.recipient.name,
        "sender_name": gift.sender_name if is_named else "",
        "expires_at": link.expires_at,
        "window": to_builtins(link.window if order is None else order.window),
    }
    return Json(told, headers={"cache-control": "no-store", "referrer-policy": "no-referrer"})


def _shown(request: Request, link: GiftLink) -> dict[str, Any]:
    links: GiftLinks = request.app.state.gift_links
    return {
        "gift_link_id": link.id,
        "path": "" if link.status is GiftLinkStatus.UNPAID else f"/v1/gift/{links.token(link)}",
        "status": link.status.value,
        "recipient": to_builtins(link.recipient),
        "limit_halalas": link.limit_halalas,
        "refund_halalas": link.refund_halalas,
        "made_at": link.made_at,
        "expires_at": link.expires_at,
        "payment_id": link.payment_id,
        "order_id": link.order_id if link.status is GiftLinkStatus.PLACED else None,
    }
