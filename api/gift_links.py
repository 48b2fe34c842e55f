"""Gift links at work: answers become orders, time reminds and expires, refunds are handed on."""

import structlog

from actors.gateways.refunds import Refunds
from actors.gateways.sms import SmsFailed
from api.errors import Refused
from api.links import sign_link
from api.parts import Parts
from api.placing import order_of
from api.quoted_zones import QuotedZones
from api.quoting import make_quote_for
from api.sending import carry_out
from engine.kernel.ids import CommandId, derived_id
from engine.kernel.messages import Caller, Role
from engine.kernel.place import Place
from engine.kernel.refusals import CATALOGUE, Refusal, RefusalKind
from engine.kernel.timing import SECOND_MS
from engine.orders import gift_link as rules
from engine.orders.gift_link import (
    GIFT_LINK_CLOSED,
    GIFT_OUT_OF_REACH,
    GiftLink,
    GiftLinkStatus,
)
from engine.orders.order import Window
from engine.orders.quote import Wishes
from storage.store import StoreUnavailable

PURPOSE = "gift links"
_LOOK_EVERY_MS = 15 * SECOND_MS
_AT_ONCE = 100


class GiftLinks:
    """One for a process; of several that do the same at once, one does it."""

    def __init__(self, parts: Parts, zones: QuotedZones, refunds: Refunds) -> None:
        self._parts, self._zones, self._refunds = parts, zones, refunds

    async def run(self) -> None:
        """Do what is due until cancelled."""
        while True:
            try:
                await self.look()
            except StoreUnavailable as error:
                structlog.get_logger(__name__).warning("gift_links_wait", why=str(error))
            await self._parts.wall.sleep(_LOOK_EVERY_MS)

    async def look(self) -> None:
        """Do what is due now; what fails is done at the next look and holds nothing else up."""
        for link in await self._parts.gift_links.list_due(self._parts.clock.now(), limit=_AT_ONCE):
            try:
                await self._do_due(link)
            except StoreUnavailable:
                raise
            except Exception as error:  # noqa: BLE001 - one link must not stop the others
                structlog.get_logger(__name__).warning(
                    "gift_link_failed", gift_link=link.id, why=repr(error)
                )

    async def answer(self, link: GiftLink, door: Place, window: Window | None) -> GiftLink:
        """The recipient's answer, as far as it has come; raises `Refused` with what he may know."""
        if link.status is not GiftLinkStatus.OPEN:
            raise Refused(GIFT_LINK_CLOSED(status=link.status.value))
        quoted = await make_quote_for(
            self._parts,
            self._zones,
            customer_id=link.customer_id,
            shop=link.shop.point,
            door=door.point,
            preparation_s=link.preparation_s,
            wishes=Wishes(goods=link.goods, vehicles=link.gift.vehicles, window=window),
        )
        await self._parts.store.save_quote(quoted)
        answered = rules.answer(link, door, quoted, now=self._parts.clock.now())
        if isinstance(answered, Refusal):
            raise Refused(answered)
        if not await self._parts.gift_links.save(answered):
            raise Refused(GIFT_LINK_CLOSED())
        placed = await self._place(answered)
        if placed.status is GiftLinkStatus.OPEN:
            raise Refused(GIFT_OUT_OF_REACH())
        return placed

    def token(self, link: GiftLink) -> str:
        """What its address ends with."""
        key = self._parts.keys.keys.secret(PURPOSE)
        return sign_link(link.id, 0, link.expires_at, key=key)

    async def _do_due(self, link: GiftLink) -> None:
        if link.status is GiftLinkStatus.ANSWERED:
            await self._place(link)
        elif link.owes_refund:
            key = derived_id("refund of", link.id)
            await self._refunds.refund(link.id, link.refund_halalas, key)
            await self._parts.gift_links.save(rules.refunded(link))
        else:
            await self._remind_or_expire(link)

    async def _remind_or_expire(self, link: GiftLink) -> None:
        later = rules.remind_or_expire(link, now=self._parts.clock.now())
        if later is None or not await self._parts.gift_links.save(later):
            return
        if later.status is GiftLinkStatus.OPEN and link.recipient.phone:
            await self._remind(later)

    async def _remind(self, link: GiftLink) -> None:
        """A reminder may be lost, but is not sent twice: it is noted before."""
        url = f"{self._parts.settings.edge.public_url}/v1/gift/{self.token(link)}"
        text = f"هدية بانتظار عنوانك: {url}\nA gift waits for your address: {url}"
        key = derived_id("reminder", link.id, str(link.reminded))
        try:
            await self._parts.sms.send(link.recipient.phone, text, key)
        except SmsFailed as error:
            structlog.get_logger(__name__).warning("reminder_lost", why=repr(error))

    async def _place(self, link: GiftLink) -> GiftLink:
        """Place the order of an answer; however often it is tried, it is one order."""
        try:
            await self._carry_out(link)
        except Refused as refused:
            if _is_passing(refused.refusal):
                return link
            later = rules.reopened(link)
        else:
            later = rules.placed(link)
        if await self._parts.gift_links.save(later):
            return later
        return await self._parts.gift_links.find(link.id) or later

    async def _carry_out(self, link: GiftLink) -> None:
        quoted, door = link.quote, link.door
        assert quoted is not None
        assert door is not None
        command = order_of(
            self._parts,
            quoted,
            gift=link.gift,
            recipient=link.recipient,
            shop=link.shop,
            door=door,
            window=link.window,
        )
        await carry_out(
            self._parts,
            command,
            Caller(user_id=link.customer_id, role=Role.CUSTOMER),
            command_id=CommandId(derived_id("gift link", link.id, quoted.id)),
            asked=quoted.id,
        )


def _is_passing(refusal: Refusal) -> bool:
    """Whether the same may be granted a moment later."""
    return CATALOGUE[refusal.code].kind is RefusalKind.UNAVAILABLE
