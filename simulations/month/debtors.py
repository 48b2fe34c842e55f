"""What becomes of what customers owe when their orders are over: paid, given up, or left owed."""

import random
from collections import Counter

from actors.checkout import Checkout
from engine.kernel.ids import PaymentId, UserId, derived_id
from engine.kernel.refusals import Refusal
from engine.orders.order import Order
from engine.payments.dues import due_of, give_up
from engine.payments.gateways import Network, Source, SourceKind
from engine.payments.owed import Settlement, SettlementKind, Supplementing
from engine.payments.payment import Payment
from simulations.gateways.stc_pay import RIGHT
from simulations.month.office import Office


class Debtors:
    """Customers who owe, and who asks them; `done` counts what came of it."""

    def __init__(self, office: Office, done: Counter[str], *, seed: int) -> None:
        self._office, self._done = office, done
        self._luck = random.Random(f"debtors {seed}")

    async def settle(self, order: Order) -> None:
        """Half of them pay at once; of the others a part is given up, and a part stays owed."""
        first = None if order.payment_id is None else await self._office.paid.find(order.payment_id)
        due = None if first is None else due_of(first, order.id)
        if first is None or not isinstance(due, Supplementing):
            return
        luck = self._luck.random()
        if luck < 0.5:
            await self._pay(order, due)
        elif luck < 0.8:
            kind = SettlementKind.WAIVED if luck < 0.65 else SettlementKind.UNCOLLECTABLE
            await self._give_up(order, first, kind)
        else:
            self._done["dues_left"] += 1

    async def _pay(self, order: Order, due: Supplementing) -> None:
        asked = await self._office.payments.pay(
            Checkout(
                payment_id=PaymentId(derived_id("month due", order.id)),
                customer_id=order.customer_id,
                order=due,
                network=Network.STC_PAY,
                source=Source(kind=SourceKind.STC_PAY, value="0500000001"),
            )
        )
        assert isinstance(asked, Payment), asked
        await self._office.http.post(asked.challenge_url, json={"otp_value": RIGHT})
        paid = await self._office.payments.returned(asked)
        assert paid.is_placed, paid
        self._done["dues_paid"] += 1

    async def _give_up(self, order: Order, first: Payment, kind: SettlementKind) -> None:
        wish = Settlement(
            id=derived_id("month given up", order.id),
            order_id=order.id,
            kind=kind,
            halalas=0,
            at=self._office.clock.now(),
            by=UserId(derived_id("month operator")),
            note="a month",
        )
        settled = await self._office.payments.settle(first, lambda one: give_up(one, wish))
        assert not isinstance(settled, Refusal), settled
        self._done[f"dues_{kind.value}"] += 1
