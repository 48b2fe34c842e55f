"""Gift links in a month: their limit is paid, and their recipients answer, or will not have it."""

import random
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from engine.kernel.ids import CommandId, derived_id
from engine.kernel.messages import Caller, Role
from engine.kernel.refusals import Refusal
from engine.kernel.timing import DAY_MS, MINUTE_MS
from engine.orders import gift_link as rules
from engine.orders.gift_link import GiftLink, GiftLinkId, GiftLinkStatus
from engine.orders.messages import PlaceOrder
from engine.payments.linking import MoneyStanding, becoming, ended, money_of
from engine.payments.payment import Payment
from simulations.door_bus import Lobby
from simulations.month.office import Office
from simulations.month.purse import Purse
from simulations.views import Told

if TYPE_CHECKING:
    from collections import Counter

_DECLINED: Final = 0.25
# A hold outlives the first life; for the second what it costs is charged.
_LIVES_MS: Final = (3 * DAY_MS, 10 * DAY_MS)
_MORE_HALALAS: Final = 4_000
# Long enough that somebody thinks about it, and its quote is still good.
_ANSWERED_MIN: Final = (0.5, 6.0)
# What makes a customer ask for another quote and order it himself.
_ORDERED_OTHERWISE: Final = Told(refused="quote_expired")


class Links:
    """A customer who gives by link; `done` counts what came of them."""

    def __init__(self, office: Office, lobby: Lobby, purse: Purse, *, luck: random.Random) -> None:
        self._office, self._lobby, self._purse, self._luck = office, lobby, purse, luck
        self._done: Counter[str] = office.done

    async def give(self, order: PlaceOrder) -> Told:
        """Pay for a link and have its recipient answer with the door of this order."""
        link = self._link(order)
        assert await self._office.gift_links.save(link)
        paid = await self._purse.pay(link, link.limit_halalas, f"link {link.id}")
        if not isinstance(paid, Payment):
            self._done["links_unpaid"] += 1
            return _ORDERED_OTHERWISE
        await self._lobby.clock.sleep(self._luck.uniform(*_ANSWERED_MIN) * MINUTE_MS)
        link = await self._newest(link.id)
        if self._luck.random() < _DECLINED:
            declined = rules.decline(link, now=self._lobby.clock.now())
            return await self._forgo(declined)
        if money_of(await self._office.payments.find(paid.id)) is not MoneyStanding.THERE:
            return await self._forgo(rules.lost(link))
        return await self._answer(link, order, paid)

    def _link(self, order: PlaceOrder) -> GiftLink:
        now = self._lobby.clock.now()
        return GiftLink(
            id=GiftLinkId(derived_id("month link", order.order_id)),
            customer_id=self._purse.customer_id,
            gift=order.gift,
            recipient=order.recipient,
            shop=order.shop,
            preparation_s=order.quote.preparation_s,
            goods=order.quote.goods,
            limit_halalas=order.quote.total_halalas + self._luck.randrange(_MORE_HALALAS),
            made_at=now,
            expires_at=now + self._luck.choice(_LIVES_MS),
            status=GiftLinkStatus.UNPAID,
        )

    async def _answer(self, link: GiftLink, order: PlaceOrder, paid: Payment) -> Told:
        answered = rules.answer(link, order.door, order.quote, now=self._lobby.clock.now())
        assert not isinstance(answered, Refusal), answered
        assert await self._office.gift_links.save(answered)
        order = replace(order, order_id=rules.paid_order_of(link.id), payment_id=paid.id)
        now = self._office.clock.now()
        await self._office.payments.settle(paid, lambda one: becoming(one, order, now=now))
        told = await self._lobby.execute(
            order,
            Caller(user_id=link.customer_id, role=Role.CUSTOMER),
            CommandId(derived_id("month link placed", link.id)),
        )
        if told.refused:
            reopened = rules.reopened(answered)
            assert await self._office.gift_links.save(reopened)
            return await self._forgo(rules.withdraw(reopened))
        await self._end(rules.placed(answered))
        return Told(body={"order_id": order.order_id})

    async def _forgo(self, link: GiftLink | Refusal) -> Told:
        assert isinstance(link, GiftLink), link
        await self._end(link)
        return _ORDERED_OTHERWISE

    async def _end(self, link: GiftLink) -> None:
        """Its payment hears how it has ended."""
        assert await self._office.gift_links.save(link)
        assert link.payment_id is not None
        self._done[f"links_{link.status.value}"] += 1
        now, terms = self._office.clock.now(), self._office.payments.terms
        told = await self._office.payments.settle(
            await self._office.payments.find(link.payment_id),
            lambda one: ended(one, link, terms=terms, now=now),
        )
        assert not isinstance(told, Refusal), told
        assert await self._office.gift_links.save(rules.refunded(link))

    async def _newest(self, link_id: GiftLinkId) -> GiftLink:
        found = await self._office.gift_links.find(link_id)
        assert found is not None, "a link is never forgotten"
        return found
