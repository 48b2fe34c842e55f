"""What begins when the money is there, only once: an order, a gift link, or a change."""

from msgspec.structs import replace

from actors.bus import Bus
from actors.clock import Clock
from engine.kernel.ids import CommandId, derived_id
from engine.kernel.messages import Caller, Envelope, Role
from engine.kernel.refusals import UNAVAILABLE, Refusal
from engine.kernel.timing import SECOND_MS
from engine.orders.fees import Supplement
from engine.orders.gift_link import UNKNOWN_GIFT_LINK, GiftLinkId, paid
from engine.orders.messages import ChangeOrder, PlaceOrder, PlaceOrders
from engine.payments.owed import Supplementing
from engine.payments.payment import Payment
from storage.gift_links import GiftLinkStore


class Paid:
    """One for a process; however often it is asked about one payment, it begins one thing."""

    def __init__(
        self, bus: Bus, gift_links: GiftLinkStore, *, clock: Clock, patience_s: float
    ) -> None:
        self._bus, self._gift_links, self._clock = bus, gift_links, clock
        self._patience_ms = int(patience_s * SECOND_MS * clock.speed)

    async def begin(self, payment: Payment) -> Refusal | None:
        """Why it could not begin; None when it has."""
        if payment.gift_link_id is not None:
            return await self._open(payment, payment.gift_link_id)
        if payment.supplement is not None:
            return await self._change(payment, payment.supplement)
        if payment.orders:
            zone_id = payment.orders[0].zone_id
            return await self._place(payment, PlaceOrders(zone_id=zone_id, orders=payment.orders))
        assert payment.order is not None, "a payment is for an order or for a gift link"
        return await self._place(payment, payment.order)

    async def _change(self, payment: Payment, wanted: Supplementing) -> Refusal | None:
        assert wanted.change is not None, "what was not made yet is known"
        paid = Supplement(payment_id=payment.id, halalas=payment.amount_halalas)
        return await self._place(payment, replace(wanted.change, supplement=paid))

    async def _place(
        self, payment: Payment, order: PlaceOrder | PlaceOrders | ChangeOrder
    ) -> Refusal | None:
        answer = await self._bus.execute(
            Envelope(
                id=CommandId(derived_id("paid order", payment.id)),
                command=order,
                caller=Caller(user_id=payment.customer_id, role=Role.CUSTOMER),
                deadline=self._clock.now() + self._patience_ms,
                fingerprint=payment.id,
            )
        )
        return answer.refusal

    async def _open(self, payment: Payment, gift_link_id: GiftLinkId) -> Refusal | None:
        link = await self._gift_links.find(gift_link_id)
        if link is None:
            return UNKNOWN_GIFT_LINK()
        opened = paid(link, payment.id, now=self._clock.now())
        if isinstance(opened, Refusal):
            return opened
        is_there = opened is link or await self._gift_links.save(opened)
        # Whoever was quicker may have withdrawn it: asked again, that is told.
        return None if is_there else UNAVAILABLE()
