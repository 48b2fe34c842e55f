"""Gift links at work: answers become orders, time reminds and expires, payments hear the end."""

import structlog
from msgspec.structs import replace

from actors.payments import Payments
from api.errors import Refused
from api.links import sign_link
from api.parts import Parts
from api.placing import order_of
from api.quoted_zones import QuotedZones
from api.quoting import make_quote_for
from api.sending import carry_out
from engine.kernel.ids import CommandId, PaymentId, derived_id
from engine.kernel.messages import Caller, Role
from engine.kernel.place import Place
from engine.kernel.refusals import CATALOGUE, UNAVAILABLE, Refusal, RefusalKind
from engine.kernel.timing import SECOND_MS
from engine.orders import gift_link as rules
from engine.orders.gift_link import (
    GIFT_LINK_CLOSED,
    GIFT_OUT_OF_REACH,
    GiftLink,
    GiftLinkStatus,
)
from engine.orders.gift_link_notices import notices_of
from engine.orders.messages import PlaceOrder
from engine.orders.order import Window
from engine.orders.quote import Wishes
from engine.payments.linking import MoneyStanding, becoming, ended, money_of
from storage.store import StoreUnavailable

PURPOSE = "gift links"
_LOOK_EVERY_MS = 15 * SECOND_MS
_AT_ONCE = 100


class GiftLinks:
    """One for a process; of several that do the same at once, one does it."""

    def __init__(self, parts: Parts, zones: QuotedZones, payments: Payments) -> None:
        self._parts, self._zones, self._payments = parts, zones, payments

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
        await self._must_be_paid_for(link)
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
        self._close(placed)
        return placed

    async def end(self, link: GiftLink) -> bool:
        """Keep a link that its sender or recipient has ended; False when somebody was quicker."""
        if not await self._save(link):
            return False
        self._close(link)
        return True

    def token(self, link: GiftLink) -> str:
        """What its address ends with."""
        key = self._parts.keys.keys.secret(PURPOSE)
        return sign_link(link.id, 0, link.expires_at, key=key)

    async def _do_due(self, link: GiftLink) -> None:
        if link.status is GiftLinkStatus.ANSWERED:
            link = await self._place(link)
        if link.owes_word:
            await self._tell_payment(link)
            return
        later = rules.remind_or_expire(link, now=self._parts.clock.now())
        if later is not None and await self._save(later) and later.owes_word:
            await self._tell_payment(later)

    async def _must_be_paid_for(self, link: GiftLink) -> None:
        """The bank may have let go of what it held meanwhile; raises `Refused` then."""
        if link.payment_id is None:
            return
        match money_of(await self._payments.find(link.payment_id)):
            case MoneyStanding.IN_DOUBT:
                raise Refused(UNAVAILABLE())
            case MoneyStanding.GONE:
                await self._save(rules.lost(link))
                raise Refused(GIFT_LINK_CLOSED(status=GiftLinkStatus.EXPIRED.value))
            case MoneyStanding.THERE:
                return

    async def _save(self, link: GiftLink) -> bool:
        """With what it tells people, which is sent once although processes die."""
        sender = await self._parts.identity.find_user(link.customer_id)
        notices = notices_of(
            link,
            url=f"{self._parts.settings.edge.public_url}/v1/gift/{self.token(link)}",
            sender_phone="" if sender is None else sender.phone,
        )
        now = self._parts.clock.now()
        return await self._parts.gift_links.save(link, effects=notices, at=now)

    def _close(self, link: GiftLink) -> None:
        """Whoever has answered or declined does not wait for a bank."""
        if link.owes_word:
            self._payments.begin(self._tell_payment(link))

    async def _tell_payment(self, link: GiftLink) -> None:
        assert link.payment_id is not None
        now, terms = self._parts.wall.now(), self._payments.terms
        told = await self._payments.settle(
            await self._payments.find(link.payment_id),
            lambda one: ended(one, link, terms=terms, now=now),
        )
        assert not isinstance(told, Refusal), told
        await self._parts.gift_links.save(rules.refunded(link))

    async def _place(self, link: GiftLink) -> GiftLink:
        """Place the order of an answer; however often it is tried, it is one order."""
        try:
            await self._carry_out(link)
        except Refused as refused:
            if _is_passing(refused.refusal):
                return link
            later = rules.reopened(link)
            is_saved = await self._parts.gift_links.save(later)
        else:
            later = rules.placed(link)
            is_saved = await self._save(later)
        if is_saved:
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
        if link.payment_id is not None:
            command = await self._paid_for(link, command, link.payment_id)
        await carry_out(
            self._parts,
            command,
            Caller(user_id=link.customer_id, role=Role.CUSTOMER),
            command_id=CommandId(derived_id("gift link", link.id, quoted.id)),
            asked=quoted.id,
        )

    async def _paid_for(
        self, link: GiftLink, command: PlaceOrder, payment_id: PaymentId
    ) -> PlaceOrder:
        """The order that its money waits for; the payment hears of it before it can earn."""
        order_id = rules.paid_order_of(link.id)
        paid = replace(command, order_id=order_id, payment_id=payment_id)
        now = self._parts.wall.now()
        payment = await self._payments.find(payment_id)
        await self._payments.settle(payment, lambda one: becoming(one, paid, now=now))
        return paid


def _is_passing(refusal: Refusal) -> bool:
    """Whether the same may be granted a moment later."""
    return CATALOGUE[refusal.code].kind is RefusalKind.UNAVAILABLE
