"""Customers who want their gift brought to another door while it is on its way."""

import random
from typing import Final

from actors.chance import new_id
from engine.dispatch.change import to_pay
from engine.geo.travel import VehicleKind, travel_times
from engine.kernel.ids import CommandId, OrderId, QuoteId, derived_id
from engine.kernel.messages import Caller, Role
from engine.kernel.place import Place, Point, distance_m
from engine.kernel.refusals import Refusal
from engine.kernel.timing import MINUTE_MS
from engine.orders.changing import preparation_left_s
from engine.orders.messages import ChangeOrder
from engine.orders.order import Order
from engine.orders.policy import change_terms
from engine.orders.quote import Quote, Way, Wishes
from engine.orders.quote import quote as quote_rule
from engine.payments.owed import Supplementing
from engine.payments.payment import Payment
from simulations.door_bus import Lobby
from simulations.month.office import Office
from simulations.month.purse import Purse

_AFTER_MIN: Final = (0.5, 25.0)
# Up to half a kilometre in each direction.
_APART_DEGREES: Final = 0.005


class Moving:
    """A customer who moves doors; `done` counts what came of it."""

    def __init__(self, office: Office, lobby: Lobby, purse: Purse, *, luck: random.Random) -> None:
        self._office, self._lobby, self._purse, self._luck = office, lobby, purse, luck

    async def move(self, order_id: str) -> None:
        """Some time later: quote another door, pay what it costs more, and have it changed."""
        await self._lobby.clock.sleep(self._luck.uniform(*_AFTER_MIN) * MINUTE_MS)
        order = await self._lobby.store.find_order(OrderId(order_id))
        assert order is not None, "what was ordered is stored"
        self._office.done[f"doors_{await self._changed(order)}"] += 1

    async def _changed(self, order: Order) -> str:
        now = self._lobby.clock.now()
        caller = Caller(user_id=self._purse.customer_id, role=Role.CUSTOMER)
        terms = change_terms(order, Role.CUSTOMER, now=now)
        if terms is None:
            return "too_late"
        command = await self._wanted(order, terms.charge_halalas)
        more = to_pay(order, command, caller, now=now)
        if isinstance(more, Refusal):
            return "refused"
        cause = f"other door {command.quote.id}"
        if not more:
            told = await self._lobby.execute(command, caller, CommandId(derived_id(cause)))
            return "refused" if told.refused else "moved"
        if order.payment_id is None:
            return "refused"
        what = Supplementing(
            order_id=order.id,
            zone_id=order.zone_id,
            first_payment_id=order.payment_id,
            halalas=more,
            change=command,
        )
        paid = await self._purse.pay(what, more, cause)
        return "moved_and_paid" if isinstance(paid, Payment) else "refused"

    async def _wanted(self, order: Order, charge_halalas: int) -> ChangeOrder:
        former = await self._lobby.store.find_quote(order.quote_id)
        assert former is not None, "what was ordered was quoted"
        there = order.door.point
        north, east = (self._luck.uniform(-_APART_DEGREES, _APART_DEGREES) for _ in range(2))
        door = Point(lat=there.lat + north, lng=there.lng + east)
        return ChangeOrder(
            order_id=order.id,
            quote=await self._quoted(order, former, door),
            former=former,
            door=Place(point=door, name=order.door.name, address="another door"),
            window=order.window,
            charge_halalas_max=charge_halalas,
        )

    async def _quoted(self, order: Order, former: Quote, door: Point) -> Quote:
        zone = await self._lobby.store.find_zone(order.zone_id)
        assert zone is not None, "a zone is never forgotten"
        profile, now = zone.parameters.travel, self._lobby.clock.now()
        shop = order.shop.point
        travel_s = travel_times(profile).one_s(shop, door, vehicle=VehicleKind.CAR, at=now)
        made = quote_rule(
            zone,
            quote_id=QuoteId(new_id(self._lobby.clock, self._office.stage.chance)),
            customer_id=order.customer_id,
            way=Way(
                shop=shop,
                door=door,
                route_m=distance_m(shop, door) * profile.detour,
                travel_s=travel_s,
            ),
            preparation_s=preparation_left_s(order, former, now=now),
            wishes=Wishes(goods=former.goods, vehicles=former.vehicles, window=order.window),
            pressure=former.surge.pressure if former.surge else None,
            now=now,
        )
        await self._lobby.store.save_quote(made)
        return made
