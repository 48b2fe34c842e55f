"""What a cell holds in memory: the stored states of its open things, and what it shows of them."""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from typing import Any

from actors.telemetry import Telemetry
from engine.couriers.courier import Courier, CourierStatus, Duty
from engine.dispatch.eta import walk
from engine.dispatch.offer import Offer, OfferStatus
from engine.dispatch.view import order_view, work_view
from engine.geo.zone import Zone
from engine.kernel.ids import CourierId, OfferId, OrderId, ZoneId
from engine.kernel.messages import Thing
from engine.kernel.timing import Instant
from engine.orders import surge
from engine.orders.decide import Load
from engine.orders.order import HELD, Order, OrderStatus, Window
from storage.live import Publication

ENDED_KEPT = 20_000


class Holdings:
    """States are replaced only after they were stored.

    Ended things are kept a while for late questions.
    """

    def __init__(self, telemetry: Telemetry) -> None:
        self.zones: dict[ZoneId, Zone] = {}
        self.orders: dict[OrderId, Order] = {}
        self.couriers: dict[CourierId, Courier] = {}
        self.offers: dict[OfferId, Offer] = {}
        self.pressures: dict[ZoneId, surge.Pressure] = {}
        self._telemetry = telemetry
        self._waiting: dict[ZoneId, dict[OrderId, None]] = {}
        self._open: dict[ZoneId, dict[OrderId, None]] = {}
        self._on_duty: dict[ZoneId, dict[CourierId, Courier]] = defaultdict(dict)
        self._ended: deque[OrderId | OfferId] = deque()

    def load(self, things: Iterable[Thing]) -> None:
        """Replace everything that may have changed by what is stored; what has ended stays so."""
        self.zones = {}
        self.orders = {key: one for key, one in self.orders.items() if not one.is_open}
        self.couriers = {key: one for key, one in self.couriers.items() if one.duty is Duty.OFF}
        self.offers = {
            key: one for key, one in self.offers.items() if one.status is not OfferStatus.OPEN
        }
        self._waiting.clear()
        self._open.clear()
        self._on_duty.clear()
        for thing in things:
            self.put(thing)
        self._telemetry.forget_all_but(self.is_on_duty)

    def put(self, thing: Thing) -> None:
        """Hold the stored state of a thing."""
        match thing:
            case Order():
                self._put_order(thing)
            case Courier():
                self._put_courier(thing)
            case Offer():
                self.offers[thing.id] = thing
                if thing.status is not OfferStatus.OPEN:
                    self._keep_a_while(thing.id)
            case Zone():
                self.zones[thing.id] = thing
            case _:
                raise TypeError(f"a cell does not hold {type(thing).__name__}")

    def _put_order(self, order: Order) -> None:
        self.orders[order.id] = order
        waiting = self._waiting.setdefault(order.zone_id, {})
        if order.status is OrderStatus.WAITING:
            waiting[order.id] = None
        else:
            waiting.pop(order.id, None)
        still_open = self._open.setdefault(order.zone_id, {})
        if order.is_open:
            still_open[order.id] = None
        else:
            still_open.pop(order.id, None)
            self._keep_a_while(order.id)

    def _put_courier(self, courier: Courier) -> None:
        before = self.couriers.get(courier.id)
        if before is not None and before.zone_id != courier.zone_id:
            self._on_duty[before.zone_id].pop(courier.id, None)
        self.couriers[courier.id] = courier
        if courier.duty is Duty.OFF:
            self._on_duty[courier.zone_id].pop(courier.id, None)
            self._telemetry.forget(courier.id)
        else:
            self._on_duty[courier.zone_id][courier.id] = courier

    def let_go(self, courier: Courier) -> None:
        """He works for another cell now."""
        before = self.couriers.pop(courier.id, None)
        if before is not None:
            self._on_duty[before.zone_id].pop(courier.id, None)
        self._telemetry.forget(courier.id)

    def _keep_a_while(self, key: OrderId | OfferId) -> None:
        self._ended.append(key)
        if len(self._ended) > ENDED_KEPT:
            oldest = self._ended.popleft()
            self.orders.pop(OrderId(oldest), None)
            self.offers.pop(OfferId(oldest), None)

    def find(self, thing: Thing) -> Thing | None:
        """What is held of the same thing."""
        match thing:
            case Order():
                return self.orders.get(thing.id)
            case Courier():
                return self.couriers.get(thing.id)
            case Offer():
                return self.offers.get(thing.id)
            case Zone():
                return self.zones.get(thing.id)
            case _:
                return None

    def is_on_duty(self, courier_id: CourierId) -> bool:
        """Whether a courier works here; of others what is held may be older than what is stored."""
        courier = self.couriers.get(courier_id)
        return courier is not None and courier.duty is not Duty.OFF

    def waiting(self, zone_id: ZoneId) -> list[Order]:
        """The orders that wait in a zone, oldest first."""
        return [self.orders[one] for one in self._waiting.get(zone_id, ())]

    def load_of(
        self, zone_id: ZoneId, window: Window | None, *, but: OrderId | None = None
    ) -> Load:
        """What the zone's caps are held against when one more is placed, or another is changed."""
        in_window = 0
        if window is not None:
            in_window = sum(
                one.window is not None
                and one.id != but
                and one.window.start < window.end
                and window.start < one.window.end
                for one in self.open_orders(zone_id)
            )
        return Load(
            waiting=len(self._waiting.get(zone_id, ())),
            open=len(self._open.get(zone_id, ())),
            in_window=in_window,
        )

    def open_orders(self, zone_id: ZoneId) -> list[Order]:
        """The orders of a zone that have not ended."""
        return [self.orders[one] for one in self._open.get(zone_id, ())]

    def scheduled(self, zone_id: ZoneId) -> list[Order]:
        """The orders of a zone that wait for their windows."""
        return [one for one in self.open_orders(zone_id) if one.status is OrderStatus.SCHEDULED]

    def on_duty(self, zone_id: ZoneId) -> Iterator[Courier]:
        """The couriers who work in a zone, in whatever state."""
        return iter(self._on_duty[zone_id].values())

    def open_offer_of(self, courier: Courier) -> Offer | None:
        """The offer a courier has to answer."""
        return None if courier.offer_id is None else self.offers[courier.offer_id]

    def couriers_of(self, ids: Iterable[CourierId]) -> list[Courier]:
        """The couriers with these ids who are held."""
        return [self.couriers[one] for one in ids if one in self.couriers]

    def orders_of(self, ids: Iterable[OrderId]) -> list[Order]:
        """The orders with these ids."""
        return [self.orders[one] for one in ids]

    def show(self, thing: Thing, *, now: Instant) -> Publication | None:
        """What the watchers of a thing are told of its present state.

        Offers have no watchers of their own.
        """
        match thing:
            case Order():
                return self._show_order(thing, now)
            case Courier():
                body = work_view(thing, self.open_offer_of(thing), self.orders)
                return _state(f"courier:{thing.id}", thing.version, body)
            case Zone():
                return _state(f"zone:{thing.id}", thing.version, self.zone_body(thing))
            case _:
                return None

    def _show_order(self, order: Order, now: Instant) -> Publication:
        courier = None if order.courier_id is None else self.couriers.get(order.courier_id)
        body = order_view(order, courier, eta=self.eta_of(order, courier, now=now))
        return _state(f"order:{order.id}", order.version, body)

    def eta_of(self, order: Order, courier: Courier | None, *, now: Instant) -> Instant | None:
        """When the gift will be handed over at the door, while a courier carries or fetches it."""
        zone = self.zones.get(order.zone_id)
        if courier is None or zone is None or order.status not in HELD:
            return None
        seen = self._telemetry.fix(courier.id)
        return walk(courier, seen, zone.parameters, now=now).doors.get(order.id)

    def zone_body(self, zone: Zone) -> dict[str, Any]:
        """A zone in numbers."""
        states = dict.fromkeys(CourierStatus, 0)
        held = offered = 0
        for courier in self.on_duty(zone.id):
            states[courier.status] += 1
            held += len(courier.orders)
            offer = self.open_offer_of(courier)
            if offer is not None and offer.courier_id == courier.id:
                offered += len(offer.order_ids)
        waiting = self.waiting(zone.id)
        return {
            "zone_id": zone.id,
            "parameters_version": zone.parameters_version,
            "waiting": len(waiting),
            "oldest_placed_at": min((one.placed_at for one in waiting), default=None),
            "offered": offered,
            "assigned": held,
            "pressure_percent": self._pressure_percent(zone.id),
            "couriers": {state.value: count for state, count in states.items()},
        }

    def feel(self, zone: Zone, *, waiting: int, available: int, now: Instant) -> None:
        """Follow how hard the zone is pressed."""
        self.pressures[zone.id] = surge.pressure(
            self.pressures.get(zone.id),
            waiting=waiting,
            available=available,
            half_life_s=zone.parameters.surge_half_life_s,
            now=now,
        )

    def _pressure_percent(self, zone_id: ZoneId) -> float | None:
        known = self.pressures.get(zone_id)
        return None if known is None else round(known.percent, 1)


def _state(channel: str, version: int, body: dict[str, Any]) -> Publication:
    return Publication(channel=channel, kind="state", version=version, body=body)
