"""What customers pay with: every card there is, with patience, or what is in their wallet."""

import random
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from actors.checkout import Checkout
from actors.clock import Clock
from engine.kernel.ids import PaymentId, UserId, derived_id
from engine.kernel.refusals import Refusal
from engine.kernel.timing import SECOND_MS
from engine.money.accounts import AccountKind, account
from engine.orders.messages import PlaceOrder
from engine.payments.decide import Payable
from engine.payments.gateways import Network, Source, SourceKind
from engine.payments.payment import Payment, PaymentStatus
from simulations.gateways.moyasar import PUBLISHABLE_KEY
from simulations.gateways.stc_pay import RIGHT, WRONG
from simulations.month.office import Office

DECLINED: Final = "declined"
_TRIES_MAX: Final = 4
_LOOK_MS: Final = 2 * SECOND_MS
_ENDED: Final = frozenset(
    {PaymentStatus.DECLINED, PaymentStatus.VOIDED, PaymentStatus.REFUNDED, PaymentStatus.MISMATCHED}
)


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


class Purse:
    """A customer's cards and his wallet."""

    def __init__(
        self, office: Office, customer_id: UserId, *, clock: Clock, luck: random.Random
    ) -> None:
        self._office, self.customer_id = office, customer_id
        self._clock, self._luck = clock, luck

    async def pay(self, what: Payable, halalas: int, cause: str) -> Payment | str:
        """Pay until it has begun; what is declined is tried with another card.

        The payment, or why it has not begun.
        """
        why = DECLINED
        for attempt in range(_TRIES_MAX):
            means = await self._choose(what, halalas, is_first=attempt == 0)
            found = await self._pay(what, means, f"{cause} {attempt}")
            if isinstance(found, Payment):
                return found
            why = found
            if why != DECLINED:
                break
        return why

    async def _pay(self, what: Payable, means: Means, cause: str) -> Payment | str:
        if means.network is Network.CASH and isinstance(what, PlaceOrder):
            # Whoever pays at the door is told what it costs, and that something comes.
            what = replace(what, gift=replace(what.gift, hide_price=False, surprise=False))
        wish = Checkout(
            payment_id=PaymentId(derived_id("simulated payment", cause)),
            customer_id=self.customer_id,
            order=what,
            network=means.network,
            source=await self._source(means),
        )
        found = await self._office.payments.pay(wish)
        return found.code if isinstance(found, Refusal) else await self._outcome(found)

    async def _choose(self, what: Payable, halalas: int, *, is_first: bool) -> Means:
        kinds = AccountKind.CUSTOMER_WALLET, AccountKind.GIFT_CREDIT
        mine = [
            await self._office.books.find_balance(account(one, self.customer_id)) for one in kinds
        ]
        if is_first and sum(one.available for one in mine) >= halalas:
            return _FROM_WALLET
        # A link has no door yet at which it could be paid for, and a group has several.
        at_door = isinstance(what, PlaceOrder)
        offered = [
            one
            for one in (MEANS if is_first else _SOUND)
            if at_door or one.network is not Network.CASH
        ]
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

    async def _outcome(self, payment: Payment) -> Payment | str:
        """Watch it until what was paid for has begun, or the money is not there."""
        has_confirmed = False
        while not payment.is_placed:
            if payment.status in _ENDED:
                is_ours = payment.status is not PaymentStatus.DECLINED and payment.reason
                return payment.reason if is_ours else DECLINED
            if payment.challenge_url and not has_confirmed:
                has_confirmed = True
                await self._confirm(payment)
            await self._clock.sleep(_LOOK_MS)
            newest = await self._office.paid.find(payment.id)
            assert newest is not None, "a payment is never forgotten"
            payment = newest
        return payment

    async def _confirm(self, payment: Payment) -> None:
        """At his bank: he confirms, mostly, and comes back, mostly."""
        await self._clock.sleep(self._luck.uniform(5, 60) * SECOND_MS)
        is_sure = self._luck.random() >= 0.08
        if payment.network is Network.STC_PAY:
            code = RIGHT if is_sure else WRONG
            await self._office.http.post(payment.challenge_url, json={"otp_value": code})
        else:
            answer = "yes" if is_sure else "no"
            await self._office.http.post(payment.challenge_url, data={"answer": answer})
        if self._luck.random() < 0.9:
            await self._office.payments.returned(payment)
