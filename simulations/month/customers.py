"""Customers who pay: with every card there is, with patience, or with what is in their wallet."""

import random
from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from actors.chance import Chance
from actors.checkout import Checkout
from engine.kernel.ids import PaymentId, UserId, derived_id
from engine.kernel.place import Point
from engine.kernel.refusals import Refusal
from engine.kernel.timing import SECOND_MS
from engine.money.accounts import AccountKind, account
from engine.orders.messages import PlaceOrder
from engine.orders.quote import Wishes
from engine.payments.gateways import Network, Source, SourceKind
from engine.payments.payment import (
    Payment,
    PaymentStatus,
    Refund,
    RefundReason,
    RefundStatus,
)
from engine.pricing.lines import PriceLine
from simulations.door_bus import CustomerBusDoor, Lobby
from simulations.gateways.moyasar import PUBLISHABLE_KEY
from simulations.month.office import Office
from simulations.views import Told

_TRIES_MAX: Final = 4
_COMPLAINS: Final = 0.04
_LOOK_MS: Final = 2 * SECOND_MS
_ENDED: Final = frozenset(
    {PaymentStatus.DECLINED, PaymentStatus.VOIDED, PaymentStatus.REFUNDED, PaymentStatus.MISMATCHED}
)
_DECLINED: Final = "declined"
_GOODS: Final = ("ورد جوري / Roses", "شوكولاتة / Chocolate", "عود / Oud", "كيك / Cake")
_PRICES: Final = ((300, 1_500), (1_999, 30_000), (1_999, 30_000), (1_999, 30_000))


class Means(Struct, frozen=True, kw_only=True):
    """Something to pay with; of so many payments this share begins with it."""

    share: float
    network: Network
    number: str = ""
    is_sound: bool = True


# Shares as one hears of them in Saudi Arabia, with more misfortune than there is.
MEANS: Final = (
    Means(share=0.40, network=Network.MADA, number="4201320111111010"),
    Means(share=0.18, network=Network.VISA, number="4111111111111111"),
    Means(share=0.12, network=Network.MASTERCARD, number="5421080101000000"),
    Means(share=0.03, network=Network.AMEX, number="340000000900000"),
    Means(share=0.05, network=Network.STC_PAY),
    Means(share=0.10, network=Network.CASH),
    Means(share=0.07, network=Network.MADA, number="4201320000013020"),
    Means(share=0.05, network=Network.VISA, number="4000000000003220"),
    Means(share=0.03, network=Network.MADA, number="4201320000311101", is_sound=False),
    Means(share=0.02, network=Network.VISA, number="4000000000000002", is_sound=False),
    Means(share=0.01, network=Network.VISA, number="4000000000000069", is_sound=False),
    Means(share=0.03, network=Network.VISA, number="4000000000000119", is_sound=False),
    Means(share=0.01, network=Network.VISA, number="4000000000000127", is_sound=False),
)
_SOUND: Final = tuple(one for one in MEANS if one.is_sound)
_FROM_WALLET: Final = Means(share=0, network=Network.WALLET)


class PayingDoor(CustomerBusDoor):
    """A customer's app where orders are paid for."""

    def __init__(
        self,
        office: Office,
        lobby: Lobby,
        *,
        name: str,
        zone_of: Callable[[Point], str],
        chance: Chance,
    ) -> None:
        super().__init__(lobby, name=name, zone_of=zone_of, chance=chance)
        self._office = office
        self._luck = random.Random(f"{name} {chance.below(1 << 30)}")

    async def place(self, key: str, order: dict[str, Any]) -> Told:
        """Pay until it is placed; what is declined is tried with another card."""
        command = await self._placing(order)
        for attempt in range(_TRIES_MAX):
            told = await self._pay(command, f"{key} {attempt}", is_first=attempt == 0)
            if told.refused != _DECLINED:
                return told
        return Told(refused="quote_expired")

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

    async def _pay(self, command: PlaceOrder, cause: str, *, is_first: bool) -> Told:
        means = await self._choose(command.quote.total_halalas, is_first=is_first)
        if means.network is Network.CASH:
            # Whoever pays at the door is told what it costs, and that something comes.
            command = replace(command, gift=replace(command.gift, hide_price=False, surprise=False))
        wish = Checkout(
            payment_id=PaymentId(derived_id("simulated payment", cause)),
            customer_id=self._id,
            order=command,
            network=means.network,
            source=await self._source(means),
        )
        found = await self._office.payments.pay(wish)
        if isinstance(found, Refusal):
            return Told(refused=found.code)
        told = await self._outcome(found)
        if not told.refused and self._luck.random() < _COMPLAINS:
            await self._complain(found.id)
        return told

    async def _complain(self, payment_id: PaymentId) -> None:
        """He wants something back before anything is delivered, and gets it if it was taken."""
        payment = await self._office.paid.find(payment_id)
        assert payment is not None, "a payment is never forgotten"
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

    async def _choose(self, halalas: int, *, is_first: bool) -> Means:
        kinds = AccountKind.CUSTOMER_WALLET, AccountKind.GIFT_CREDIT
        mine = [await self._office.books.find_balance(account(one, self._id)) for one in kinds]
        if is_first and sum(one.available for one in mine) >= halalas:
            return _FROM_WALLET
        offered = MEANS if is_first else _SOUND
        (found,) = self._luck.choices(offered, [one.share for one in offered])
        return found

    async def _source(self, means: Means) -> Source:
        if means.network is Network.WALLET:
            return Source(kind=SourceKind.WALLET)
        if means.network is Network.CASH:
            return Source(kind=SourceKind.CASH)
        if not means.number:
            return Source(kind=SourceKind.STC_PAY, value="0500000001")
        card = {"name": "Sara", "number": means.number, "month": "12", "year": "2030", "cvc": "1"}
        made = await self._office.http.post("/v1/tokens", json=card, auth=(PUBLISHABLE_KEY, ""))
        return Source(kind=SourceKind.TOKEN, value=str(made.json()["id"]))

    async def _outcome(self, payment: Payment) -> Told:
        """Watch it until the order is there, or the money is not."""
        has_confirmed = False
        while not payment.is_placed:
            if payment.status in _ENDED:
                is_ours = payment.status is not PaymentStatus.DECLINED and payment.reason
                return Told(refused=payment.reason if is_ours else _DECLINED)
            if payment.challenge_url and not has_confirmed:
                has_confirmed = True
                await self._confirm(payment)
            await self._lobby.clock.sleep(_LOOK_MS)
            newest = await self._office.paid.find(payment.id)
            assert newest is not None, "a payment is never forgotten"
            payment = newest
        return Told(body={"order_id": payment.order_id})

    async def _confirm(self, payment: Payment) -> None:
        """At his bank: he confirms, mostly, and comes back, mostly."""
        await self._lobby.clock.sleep(self._luck.uniform(5, 60) * SECOND_MS)
        answer = "no" if self._luck.random() < 0.08 else "yes"
        await self._office.http.post(payment.challenge_url, data={"answer": answer})
        if self._luck.random() < 0.9:
            await self._office.payments.returned(payment)
