"""Every command of the live things: whose turns it needs, and which rule decides it."""

from collections.abc import Callable, Iterable
from typing import Any

from actors.clock import Clock
from actors.holdings import Holdings
from engine.couriers import duty, waiting
from engine.couriers.courier import Courier
from engine.couriers.messages import (
    UNKNOWN_COURIER,
    AcceptOffer,
    AcknowledgeOffer,
    DeclineOffer,
    EndBreak,
    EndShift,
    EndWayToWait,
    ExpireOffer,
    GoOffDuty,
    GoOnDuty,
    ReachWaitingPoint,
    ReportProgress,
    TakeBreak,
)
from engine.couriers.progress import Carrying
from engine.dispatch import cancellation, leaving, offers
from engine.dispatch.offer import Offer, OfferStatus
from engine.geo import zone as zones
from engine.geo.travel import VehicleKind, travel_times
from engine.geo.zone import UNKNOWN_ZONE, ChangeZoneParameters, CreateZone, PutParametersInForce
from engine.kernel.ids import CourierId, OfferId
from engine.kernel.messages import Caller, Command, Decision
from engine.kernel.refusals import Refusal
from engine.orders import decide as orders
from engine.orders.messages import CancelOrder, PlaceOrder, ReleaseOrder, UnassignOrder
from engine.orders.order import Order

Keys = Iterable[str]
Rule = Callable[[Any, Caller], Decision | Refusal]
_OfCourier = (
    GoOnDuty
    | GoOffDuty
    | EndShift
    | TakeBreak
    | EndBreak
    | ReportProgress
    | ReachWaitingPoint
    | EndWayToWait
)


class Commands:
    """Looks up what a command needs among the holdings; the rules themselves are in the engine."""

    def __init__(self, holdings: Holdings, clock: Clock) -> None:
        self._holdings = holdings
        self._clock = clock
        self._table: dict[type[Command], tuple[Callable[[Any], Keys], Rule]] = {
            PlaceOrder: (self._of_order, self._place),
            ReleaseOrder: (self._of_order, self._release),
            CancelOrder: (self._of_order, self._cancel),
            UnassignOrder: (self._of_order, self._unassign),
            GoOnDuty: (self._of_courier, self._go_on_duty),
            GoOffDuty: (self._of_courier, self._go_off_duty),
            EndShift: (self._of_courier, self._end_shift),
            TakeBreak: (self._of_courier, self._take_break),
            EndBreak: (self._of_courier, self._end_break),
            ReportProgress: (self._of_courier, self._progress),
            ReachWaitingPoint: (self._of_courier, self._reach_waiting_point),
            EndWayToWait: (self._of_courier, self._end_way_to_wait),
            AcknowledgeOffer: (self._of_offer, self._acknowledge),
            AcceptOffer: (self._of_offer, self._accept),
            DeclineOffer: (self._of_offer, self._decline),
            ExpireOffer: (self._of_offer, self._expire),
            CreateZone: (self._of_zone, self._create_zone),
            ChangeZoneParameters: (self._of_zone, self._change_parameters),
            PutParametersInForce: (self._of_zone, self._put_in_force),
        }

    def keys(self, command: Command) -> Keys:
        """The things whose turns the command needs, as far as the present state tells."""
        whose_turns, _ = self._table[type(command)]
        return whose_turns(command)

    def decide(self, command: Command, caller: Caller) -> Decision | Refusal:
        """What the command changes; call it only while holding the turns."""
        _, rule = self._table[type(command)]
        return rule(command, caller)

    # Whose turns

    def _of_order(self, command: PlaceOrder | ReleaseOrder | CancelOrder | UnassignOrder) -> Keys:
        order = self._holdings.orders.get(command.order_id)
        yield command.order_id
        if order is None:
            return
        if order.courier_id is not None:
            yield order.courier_id
        if order.offer_id is not None:
            yield from self._around_offer(order.offer_id)

    def _of_offer(
        self, command: AcknowledgeOffer | AcceptOffer | DeclineOffer | ExpireOffer
    ) -> Keys:
        return self._around_offer(command.offer_id)

    def _around_offer(self, offer_id: OfferId) -> Keys:
        yield offer_id
        offer = self._holdings.offers.get(offer_id)
        if offer is not None:
            yield offer.courier_id
            yield from offer.order_ids

    def _of_courier(self, command: _OfCourier) -> Keys:
        yield command.courier_id
        courier = self._holdings.couriers.get(command.courier_id)
        if courier is None:
            return
        yield from courier.orders
        if courier.offer_id is not None:
            yield from self._around_offer(courier.offer_id)

    def _of_zone(self, command: CreateZone | ChangeZoneParameters | PutParametersInForce) -> Keys:
        yield command.zone_id

    # Which rule

    def _place(self, command: PlaceOrder, caller: Caller) -> Decision | Refusal:
        zone = self._holdings.zones.get(command.zone_id)
        if zone is None:
            return UNKNOWN_ZONE(zone_id=command.zone_id)
        now = self._clock.now()
        travel_s = travel_times(zone.parameters.travel).one_s(
            command.shop.point, command.door.point, vehicle=VehicleKind.CAR, at=now
        )
        return orders.place(zone, command, caller, travel_s=travel_s, now=now)

    def _release(self, command: ReleaseOrder, _caller: Caller) -> Decision | Refusal:
        order = self._holdings.orders.get(command.order_id)
        return orders.release(order, command, now=self._clock.now())

    def _cancel(self, command: CancelOrder, caller: Caller) -> Decision | Refusal:
        order = self._holdings.orders.get(command.order_id)
        offer, courier = self._around(order)
        others = [] if offer is None else [one for one in self._offered(offer) if one is not order]
        return cancellation.cancel(
            order,
            command,
            caller,
            offer=offer,
            others=others,
            courier=courier,
            now=self._clock.now(),
        )

    def _unassign(self, command: UnassignOrder, caller: Caller) -> Decision | Refusal:
        order = self._holdings.orders.get(command.order_id)
        _, courier = self._around(order)
        return cancellation.unassign(order, command, caller, courier, now=self._clock.now())

    def _go_on_duty(self, command: GoOnDuty, _caller: Caller) -> Decision | Refusal:
        if command.zone_id not in self._holdings.zones:
            return UNKNOWN_ZONE(zone_id=command.zone_id)
        courier = self._holdings.couriers.get(command.courier_id)
        return duty.go_on(courier, command, now=self._clock.now())

    def _go_off_duty(self, command: GoOffDuty, _caller: Caller) -> Decision | Refusal:
        courier = self._holdings.couriers.get(command.courier_id)
        if courier is None:
            return UNKNOWN_COURIER()
        offer = self._holdings.open_offer_of(courier)
        return leaving.leave(courier, offer, self._offered(offer), now=self._clock.now())

    def _end_shift(self, command: EndShift, _caller: Caller) -> Decision | Refusal:
        courier = self._holdings.couriers.get(command.courier_id)
        if courier is None:
            return Decision()
        offer = self._holdings.open_offer_of(courier)
        return leaving.end_shift(courier, offer, self._offered(offer), now=self._clock.now())

    def _take_break(self, command: TakeBreak, _caller: Caller) -> Decision | Refusal:
        courier = self._holdings.couriers.get(command.courier_id)
        if courier is None:
            return UNKNOWN_COURIER()
        return duty.take_break(courier, now=self._clock.now())

    def _end_break(self, command: EndBreak, _caller: Caller) -> Decision | Refusal:
        courier = self._holdings.couriers.get(command.courier_id)
        if courier is None:
            return UNKNOWN_COURIER()
        return duty.end_break(courier, now=self._clock.now())

    def _progress(self, command: ReportProgress, _caller: Caller) -> Decision | Refusal:
        courier = self._holdings.couriers.get(command.courier_id)
        if courier is None:
            return UNKNOWN_COURIER()
        zone = self._holdings.zones[courier.zone_id]
        carried = {one: self._holdings.orders[one] for one in courier.orders}
        reported = self._holdings.orders.get(command.order_id)
        if reported is not None:
            carried[reported.id] = reported
        carrying = Carrying(courier, carried, parameters=zone.parameters, now=self._clock.now())
        return carrying.report(command)

    def _reach_waiting_point(
        self, command: ReachWaitingPoint, _caller: Caller
    ) -> Decision | Refusal:
        courier = self._holdings.couriers.get(command.courier_id)
        if courier is None:
            return UNKNOWN_COURIER()
        return waiting.reach(courier, command, now=self._clock.now())

    def _end_way_to_wait(self, command: EndWayToWait, _caller: Caller) -> Decision | Refusal:
        courier = self._holdings.couriers.get(command.courier_id)
        return Decision() if courier is None else waiting.end_way(courier, now=self._clock.now())

    def _acknowledge(self, command: AcknowledgeOffer, _caller: Caller) -> Decision | Refusal:
        offer = self._holdings.offers.get(command.offer_id)
        return offers.acknowledge(offer, command, now=self._clock.now())

    def _accept(self, command: AcceptOffer, _caller: Caller) -> Decision | Refusal:
        offer = self._holdings.offers.get(command.offer_id)
        courier = self._holdings.couriers.get(command.courier_id)
        if courier is None:
            return UNKNOWN_COURIER()
        now = self._clock.now()
        return offers.accept(offer, self._offered(offer), courier, command, now=now)

    def _decline(self, command: DeclineOffer, _caller: Caller) -> Decision | Refusal:
        offer = self._holdings.offers.get(command.offer_id)
        courier = self._holdings.couriers.get(command.courier_id)
        if courier is None:
            return UNKNOWN_COURIER()
        now = self._clock.now()
        return offers.decline(offer, self._offered(offer), courier, command, now=now)

    def _expire(self, command: ExpireOffer, _caller: Caller) -> Decision | Refusal:
        offer = self._holdings.offers.get(command.offer_id)
        if offer is None or offer.status is not OfferStatus.OPEN:
            return Decision()
        courier = self._holdings.couriers[offer.courier_id]
        return offers.expire(offer, self._offered(offer), courier, now=self._clock.now())

    def _create_zone(self, command: CreateZone, _caller: Caller) -> Decision | Refusal:
        if command.zone_id in self._holdings.zones:
            return zones.ZONE_EXISTS(zone_id=command.zone_id)
        return zones.create(command, now=self._clock.now())

    def _change_parameters(
        self, command: ChangeZoneParameters, _caller: Caller
    ) -> Decision | Refusal:
        zone = self._holdings.zones.get(command.zone_id)
        if zone is None:
            return UNKNOWN_ZONE(zone_id=command.zone_id)
        return zones.change_parameters(zone, command, now=self._clock.now())

    def _put_in_force(self, command: PutParametersInForce, _caller: Caller) -> Decision | Refusal:
        zone = self._holdings.zones.get(command.zone_id)
        return Decision() if zone is None else zones.put_in_force(zone, now=self._clock.now())

    # What is around it

    def _around(self, order: Order | None) -> tuple[Offer | None, Courier | None]:
        """An order's open offer, and the courier who was asked or carries it."""
        if order is None:
            return None, None
        offer = None
        courier_id: CourierId | None = order.courier_id
        if order.offer_id is not None and order.courier_id is None:
            offer = self._holdings.offers[order.offer_id]
            courier_id = offer.courier_id
        return offer, None if courier_id is None else self._holdings.couriers.get(courier_id)

    def _offered(self, offer: Offer | None) -> list[Order]:
        """The orders of an offer that is open; of a closed one they have gone their own ways."""
        if offer is None or offer.status is not OfferStatus.OPEN:
            return []
        return self._holdings.orders_of(offer.order_ids)
