"""What becomes of what customers owe when their orders are over: paid, given up, or left owed."""

import random
from collections import Counter

from engine.kernel.ids import UserId, derived_id
from engine.kernel.refusals import Refusal
from engine.orders.order import Order
from engine.payments.dues import due_of, give_up
from engine.payments.owed import Settlement, SettlementKind, Supplementing
from engine.payments.payment import Payment
from simulations.month.office import Office
from simulations.month.purse import Purse


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
        purse = Purse(self._office, order.customer_id, clock=self._office.clock, luck=self._luck)
        paid = await purse.pay(due, due.halalas, f"due {order.id}")
        self._done["dues_paid" if isinstance(paid, Payment) else "dues_left"] += 1

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
