"""Customers who pay: for themselves or together, by link, for another door, and once more."""

import random
from collections.abc import Callable
from typing import Any, Final

from msgspec.structs import replace

from actors.chance import Chance
from engine.kernel.ids import PaymentId, QuoteId, UserId, derived_id
from engine.kernel.place import Point
from engine.orders.messages import PlaceOrder
from engine.orders.order import Order
from engine.orders.quote import Wishes, again, redelivery_of
from engine.payments.payment import Payment, Refund, RefundReason, RefundStatus
from engine.pricing.lines import PriceLine
from simulations.door_bus import CustomerBusDoor, Lobby
from simulations.month.links import Links
from simulations.month.moving import Moving
from simulations.month.office import Office
from simulations.month.purse import DECLINED, Purse
from simulations.month.together import Together
from simulations.views import Told

_COMPLAINS: Final = 0.04
_BY_LINK: Final = 0.06
_TOGETHER: Final = 0.2
_MOVES: Final = 0.12
_ONCE_MORE: Final = 0.7
_GOODS: Final = ("ورد جوري / Roses", "شوكولاتة / Chocolate", "عود / Oud", "كيك / Cake")
_PRICES: Final = ((300, 1_500), (1_999, 30_000), (1_999, 30_000), (1_999, 30_000))


class PayingDoor(CustomerBusDoor):
    """A customer's app where orders are paid for."""

    def __init__(
        self,
        office: Office,
        together: Together,
        lobby: Lobby,
        *,
        name: str,
        zone_of: Callable[[Point], str],
        chance: Chance,
    ) -> None:
        super().__init__(lobby, name=name, zone_of=zone_of, chance=chance)
        self._office, self._together = office, together
        self._luck = random.Random(f"{name} {chance.below(1 << 30)}")
        self._purse = Purse(office, self._id, clock=lobby.clock, luck=self._luck)
        self._links = Links(office, lobby, self._purse, luck=self._luck)
        self._moving = Moving(office, lobby, self._purse, luck=self._luck)

    async def place(self, key: str, order: dict[str, Any]) -> Told:
        """Pay until it is placed, in whichever way."""
        command = await self._placing(order)
        former = self._went_back()
        if former is not None:
            told = await self._alone(await self._once_more(command, former), key)
            self._office.done["redeliveries"] += not told.refused
        elif self._luck.random() < _BY_LINK:
            told = await self._links.give(command)
        elif self._luck.random() < _TOGETHER:
            shared = await self._together.order(self._purse, command)
            told = await self._alone(command, key) if shared is None else shared
        else:
            told = await self._alone(command, key)
        if not told.refused and self._luck.random() < _MOVES:
            self._office.payments.begin(self._moving.move(str(told.body["order_id"])))
        return told

    def _wishes(self) -> Wishes:
        """One or two things, labelled with VAT; cheap ones, too, whose way back costs more."""
        least, most = self._luck.choice(_PRICES)
        names = self._luck.sample(_GOODS, self._luck.choice((1, 1, 2)))
        return Wishes(
            goods=tuple(
                PriceLine(
                    name=one, unit_halalas=self._luck.randrange(least, most), includes_vat=True
                )
                for one in names
            )
        )

    async def _alone(self, command: PlaceOrder, key: str) -> Told:
        paid = await self._purse.pay(command, command.quote.total_halalas, key)
        if not isinstance(paid, Payment):
            return Told(refused="quote_expired" if paid == DECLINED else paid)
        if self._luck.random() < _COMPLAINS:
            await self._complain(paid.id)
        return Told(body={"order_id": paid.order_id})

    async def _complain(self, payment_id: PaymentId) -> None:
        """He wants something back before anything is delivered, and gets it if it was taken."""
        payment = await self._office.payments.find(payment_id)
        if payment.refundable_halalas > 0:
            wish = Refund(
                id=derived_id("month complaint", payment.id),
                amount_halalas=self._luck.randint(1, payment.refundable_halalas),
                reason=self._luck.choice((RefundReason.LATE, RefundReason.GOODS)),
                to=payment.goes_back_to,
                status=RefundStatus.DUE,
                asked_at=self._lobby.clock.now(),
                asked_by=UserId(derived_id("month operator")),
            )
            await self._office.payments.refund(payment, wish)

    def _went_back(self) -> Order | None:
        """A gift of his that the shop has again, and that he would have brought once more."""
        mine = self._office.went_back[self._id]
        return mine.pop() if mine and self._luck.random() < _ONCE_MORE else None

    async def _once_more(self, command: PlaceOrder, former: Order) -> PlaceOrder:
        """What went back, for what was given back of it and the delivery of today."""
        zone = await self._lobby.store.find_zone(command.zone_id)
        assert zone is not None, "a zone is never forgotten"
        halalas = former.total_halalas - (former.charge_halalas or 0)
        line = PriceLine(name="هدية أعيدت / A gift again", unit_halalas=halalas, includes_vat=True)
        wanted = replace(
            command.quote,
            id=QuoteId(self._new_id()),
            goods=(line,) if halalas else (),
            redelivers=former.id,
        )
        quoted = again(wanted, zone)
        await self._lobby.store.save_quote(quoted)
        return replace(command, quote=quoted, gift=former.gift, order_id=redelivery_of(former.id))
