"""Every command of the live things, and which rule decides it."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from actors.clock import Clock
from actors.holdings import Holdings
from actors.whose_turns import Keys, WhoseTurns
from engine.couriers import breaks, duty, handing_over, prepositioning
from engine.couriers.courier import Courier
from engine.couriers.messages import (
    UNKNOWN_COURIER,
    AcceptOffer,
    AcknowledgeOffer,
    BeginBreak,
    BeginShift,
    DeclineOffer,
    EndBreak,
    EndLoan,
    EndShift,
    EndWayToWait,
    ExpireOffer,
    FinishBreak,
    GoOffDuty,
    GoOnDuty,
    HandOver,
    ReachWaitingPoint,
    ReportProgress,
    TakeBreak,
    Welcome,
)
from engine.couriers.progress import Carrying
from engine.dispatch import cancellation, leaving, offers, rounds
from engine.dispatch.change import Around, change
from engine.dispatch.offer import Offer, OfferStatus
from engine.geo import shops
from engine.geo import zone as zones
from engine.geo.shops import ChangeZoneShops
from engine.geo.travel import VehicleKind, travel_times
from engine.geo.zone import (
    UNKNOWN_ZONE,
    ChangeZoneParameters,
    CreateZone,
    PutParametersInForce,
    RevertZoneParameters,
    Zone,
)
from engine.kernel.messages import Caller, Command, Decision
from engine.kernel.refusals import Refusal
from engine.kernel.timing import Instant
from engine.money import cash
from engine.money.cash import DepositCash, KeepBackCash
from engine.orders import decide as orders
from engine.orders import grouping
from engine.orders.messages import (
    QUOTE_USED,
    UNKNOWN_ORDER,
    CancelOrder,
    ChangeOrder,
    PlaceOrder,
    PlaceOrders,
    ReleaseOrder,
    UnassignOrder,
)
from engine.orders.order import Order

T_contra = TypeVar("T_contra", contravariant=True)

Rule = Callable[[Any, Caller], Decision | Refusal]
_Himself = HandOver | EndLoan | TakeBreak | EndBreak | FinishBreak | ReachWaitingPoint
_OfOneZone = ChangeZoneParameters | ChangeZoneShops


class _RuleOf(Protocol[T_contra]):
    """Decides what a command changes of the one courier or zone that it names."""

    def __call__(
        self,
        named: T_contra,
        command: Any,  # noqa: ANN401 - each rule has a command of its own
        /,
        *,
        now: Instant,
    ) -> Decision | Refusal: ...


class _LeavingRule(Protocol):
    def __call__(
        self, courier: Courier, offer: Offer | None, orders: Sequence[Order], /, *, now: Instant
    ) -> Decision: ...


class Commands:
    """Looks up what a command needs among the holdings; the rules themselves are in the engine."""

    def __init__(self, holdings: Holdings, clock: Clock) -> None:
        self._holdings = holdings
        self._clock = clock
        self._whose = whose = WhoseTurns(holdings)
        self._table: dict[type[Command], tuple[Callable[[Any], Keys], Rule]] = {
            PlaceOrder: (whose.of_placing, self._place),
            PlaceOrders: (whose.of_placing_together, self._place_together),
            ReleaseOrder: (whose.of_order, self._release),
            CancelOrder: (whose.of_order, self._cancel),
            ChangeOrder: (whose.of_change, self._change),
            UnassignOrder: (whose.of_order, self._unassign),
            GoOnDuty: (whose.of_courier, self._go_on_duty),
            HandOver: (whose.of_courier, self._by_courier(handing_over.hand_over)),
            EndLoan: (whose.of_courier, self._by_courier(handing_over.end_loan)),
            Welcome: (whose.of_courier, self._welcome),
            GoOffDuty: (whose.of_courier, self._go_off_duty),
            BeginShift: (whose.of_courier, self._by_courier(duty.begin_shift)),
            EndShift: (whose.of_courier, self._by_clock(leaving.end_shift)),
            TakeBreak: (whose.of_courier, self._by_courier(breaks.take)),
            EndBreak: (whose.of_courier, self._by_courier(breaks.end)),
            BeginBreak: (whose.of_courier, self._by_clock(leaving.begin_break)),
            FinishBreak: (whose.of_courier, self._by_courier(breaks.finish)),
            ReportProgress: (whose.of_courier, self._progress),
            ReachWaitingPoint: (whose.of_courier, self._by_courier(prepositioning.reach)),
            DepositCash: (whose.of_courier, self._deposit_cash),
            KeepBackCash: (whose.of_courier, self._by_courier(cash.keep_back)),
            EndWayToWait: (whose.of_courier, self._end_way_to_wait),
            AcknowledgeOffer: (whose.of_offer, self._acknowledge),
            AcceptOffer: (whose.of_offer, self._accept),
            DeclineOffer: (whose.of_round, self._decline),
            ExpireOffer: (whose.of_round, self._expire),
            CreateZone: (whose.of_zone, self._create_zone),
            ChangeZoneParameters: (whose.of_zone, self._by_zone(zones.change_parameters)),
            ChangeZoneShops: (whose.of_zone, self._by_zone(shops.change_shops)),
            PutParametersInForce: (whose.of_zone, self._put_in_force),
            RevertZoneParameters: (whose.of_zone, self._revert_parameters),
        }

    def keys(self, command: Command) -> Keys:
        """The things whose turns the command needs, as far as the present state tells."""
        keys, _ = self._table[type(command)]
        return keys(command)

    def decide(self, command: Command, caller: Caller) -> Decision | Refusal:
        """What the command changes; call it only while holding the turns."""
        _, rule = self._table[type(command)]
        return rule(command, caller)

    # Which rule

    def _place(self, command: PlaceOrder, caller: Caller) -> Decision | Refusal:
        zone = self._holdings.zones.get(command.zone_id)
        if zone is None:
            return UNKNOWN_ZONE(zone_id=command.zone_id)
        if command.order_id in self._holdings.orders:
            return QUOTE_USED(quote_id=command.quote.id, order_id=command.order_id)
        now = self._clock.now()
        load = self._holdings.load_of(zone.id, command.window)
        travel_s = _travel_s(zone, command, now)
        return orders.place(zone, command, caller, travel_s=travel_s, load=load, now=now)

    def _place_together(self, command: PlaceOrders, caller: Caller) -> Decision | Refusal:
        zone = self._holdings.zones.get(command.zone_id)
        if zone is None:
            return UNKNOWN_ZONE(zone_id=command.zone_id)
        for one in command.orders:
            if one.order_id in self._holdings.orders:
                return QUOTE_USED(quote_id=one.quote.id, order_id=one.order_id)
        now = self._clock.now()
        return grouping.place_all(
            zone,
            command,
            caller,
            travel_s=[_travel_s(zone, one, now) for one in command.orders],
            loads=[self._holdings.load_of(zone.id, one.window) for one in command.orders],
            now=now,
        )

    def _release(self, command: ReleaseOrder, _caller: Caller) -> Decision | Refusal:
        order = self._holdings.orders.get(command.order_id)
        if order is None:
            return UNKNOWN_ORDER(order_id=command.order_id)
        zone = self._holdings.zones[order.zone_id]
        return orders.release(order, zone, now=self._clock.now())

    def _cancel(self, command: CancelOrder, caller: Caller) -> Decision | Refusal:
        order = self._holdings.orders.get(command.order_id)
        offer, couriers = self._around(order)
        others = [] if offer is None else [one for one in self._offered(offer) if one is not order]
        return cancellation.cancel(
            order,
            command,
            caller,
            offer=offer,
            others=others,
            couriers=couriers,
            now=self._clock.now(),
        )

    def _change(self, command: ChangeOrder, caller: Caller) -> Decision | Refusal:
        order = self._holdings.orders.get(command.order_id)
        zone = None if order is None else self._holdings.zones.get(order.zone_id)
        offer, couriers = self._around(order)
        others = [] if offer is None else [one for one in self._offered(offer) if one is not order]
        now = self._clock.now()
        return change(
            order,
            command,
            caller,
            zone=zone,
            around=Around(offer=offer, others=others, couriers=couriers),
            load=self._whose.load_beside(command),
            travel_s=0 if zone is None or order is None else self._travel_s(zone, order, command),
            now=now,
        )

    def _travel_s(self, zone: Zone, order: Order, command: ChangeOrder) -> int:
        return travel_times(zone.parameters.travel).one_s(
            order.shop.point, command.door.point, vehicle=VehicleKind.CAR, at=self._clock.now()
        )

    def _unassign(self, command: UnassignOrder, caller: Caller) -> Decision | Refusal:
        order = self._holdings.orders.get(command.order_id)
        _, couriers = self._around(order)
        courier = couriers[0] if couriers else None
        return cancellation.unassign(order, command, caller, courier, now=self._clock.now())

    def _go_on_duty(self, command: GoOnDuty, _caller: Caller) -> Decision | Refusal:
        zone = self._holdings.zones.get(command.zone_id)
        if zone is None:
            return UNKNOWN_ZONE(zone_id=command.zone_id)
        courier = self._holdings.couriers.get(command.courier_id)
        per_h = zone.parameters.pay_guarantee_per_h_halalas
        return duty.go_on(courier, command, guarantee_per_h_halalas=per_h, now=self._clock.now())

    def _by_courier(self, rule: _RuleOf[Courier]) -> Rule:
        """What a courier decides about himself alone."""

        def decide(command: _Himself, _: Caller) -> Decision | Refusal:
            courier = self._holdings.couriers.get(command.courier_id)
            return rule(courier, command, now=self._clock.now()) if courier else UNKNOWN_COURIER()

        return decide

    def _deposit_cash(self, command: DepositCash, caller: Caller) -> Decision | Refusal:
        courier = self._holdings.couriers.get(command.courier_id)
        if courier is None:
            return UNKNOWN_COURIER()
        return cash.deposit(courier, command, caller, now=self._clock.now())

    def _welcome(self, command: Welcome, _caller: Caller) -> Decision | Refusal:
        """He was taken in before this was asked, or has left again."""
        is_here = command.courier_id in self._holdings.couriers
        return Decision() if is_here else UNKNOWN_COURIER()

    def _go_off_duty(self, command: GoOffDuty, _caller: Caller) -> Decision | Refusal:
        courier = self._holdings.couriers.get(command.courier_id)
        if courier is None:
            return UNKNOWN_COURIER()
        offer = self._holdings.open_offer_of(courier)
        return leaving.leave(courier, offer, self._offered(offer), now=self._clock.now())

    def _by_clock(self, rule: _LeavingRule) -> Rule:
        """A time of his has come; he may have gone by then."""

        def decide(command: EndShift | BeginBreak, _: Caller) -> Decision:
            courier = self._holdings.couriers.get(command.courier_id)
            if courier is None:
                return Decision()
            offer = self._holdings.open_offer_of(courier)
            return rule(courier, offer, self._offered(offer), now=self._clock.now())

        return decide

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

    def _end_way_to_wait(self, command: EndWayToWait, _caller: Caller) -> Decision | Refusal:
        courier = self._holdings.couriers.get(command.courier_id)
        return (
            Decision()
            if courier is None
            else prepositioning.end_way(courier, now=self._clock.now())
        )

    def _acknowledge(self, command: AcknowledgeOffer, _caller: Caller) -> Decision | Refusal:
        offer = self._holdings.offers.get(command.offer_id)
        return offers.acknowledge(offer, command, now=self._clock.now())

    def _accept(self, command: AcceptOffer, _caller: Caller) -> Decision | Refusal:
        offer = self._holdings.offers.get(command.offer_id)
        courier = self._holdings.couriers.get(command.courier_id)
        if courier is None:
            return UNKNOWN_COURIER()
        is_open = offer is not None and offer.status is OfferStatus.OPEN
        asked = self._holdings.couriers_of(offer.asked) if offer and is_open else []
        others = [one for one in asked if one.id != courier.id]
        now = self._clock.now()
        return offers.accept(offer, self._offered(offer), courier, command, others=others, now=now)

    def _decline(self, command: DeclineOffer, _caller: Caller) -> Decision | Refusal:
        offer = self._holdings.offers.get(command.offer_id)
        courier = self._holdings.couriers.get(command.courier_id)
        if courier is None:
            return UNKNOWN_COURIER()
        now = self._clock.now()
        declined = offers.decline(offer, self._offered(offer), courier, command, now=now)
        return self._next_in_line(offer, declined)

    def _expire(self, command: ExpireOffer, _caller: Caller) -> Decision | Refusal:
        offer = self._holdings.offers.get(command.offer_id)
        if offer is None or offer.status is not OfferStatus.OPEN:
            return Decision()
        asked = self._holdings.couriers_of(offer.asked)
        expired = offers.expire(offer, self._offered(offer), asked, now=self._clock.now())
        return self._next_in_line(offer, expired)

    def _next_in_line(self, offer: Offer | None, decided: Decision | Refusal) -> Decision | Refusal:
        """Of a ranked round the next one is asked at once."""
        is_over = isinstance(decided, Decision) and decided.changes
        if offer is None or not offer.in_line or not is_over:
            return decided
        assert isinstance(decided, Decision)
        in_line = {one.id: one for one in self._holdings.couriers_of(offer.in_line)}
        zone = self._holdings.zones[offer.zone_id]
        return rounds.ask_the_next(decided, in_line, zone, now=self._clock.now())

    def _create_zone(self, command: CreateZone, _caller: Caller) -> Decision | Refusal:
        if command.zone_id in self._holdings.zones:
            return zones.ZONE_EXISTS(zone_id=command.zone_id)
        return zones.create(command, now=self._clock.now())

    def _by_zone(self, rule: _RuleOf[Zone]) -> Rule:
        """What an operator changes of one zone."""

        def decide(command: _OfOneZone, _: Caller) -> Decision | Refusal:
            zone = self._holdings.zones.get(command.zone_id)
            if zone is None:
                return UNKNOWN_ZONE(zone_id=command.zone_id)
            return rule(zone, command, now=self._clock.now())

        return decide

    def _put_in_force(self, command: PutParametersInForce, _caller: Caller) -> Decision | Refusal:
        zone = self._holdings.zones.get(command.zone_id)
        return Decision() if zone is None else zones.put_in_force(zone, now=self._clock.now())

    def _revert_parameters(
        self, command: RevertZoneParameters, _caller: Caller
    ) -> Decision | Refusal:
        zone = self._holdings.zones.get(command.zone_id)
        return Decision() if zone is None else zones.revert(zone, command, now=self._clock.now())

    # What is around it

    def _around(self, order: Order | None) -> tuple[Offer | None, list[Courier]]:
        """An order's open offer, and the couriers who were asked or who carries it."""
        if order is None:
            return None, []
        if order.courier_id is not None:
            return None, self._holdings.couriers_of([order.courier_id])
        if order.offer_id is None:
            return None, []
        offer = self._holdings.offers[order.offer_id]
        return offer, self._holdings.couriers_of(offer.asked)

    def _offered(self, offer: Offer | None) -> list[Order]:
        """The orders of an offer that is open; of a closed one they have gone their own ways."""
        if offer is None or offer.status is not OfferStatus.OPEN:
            return []
        return self._holdings.orders_of(offer.order_ids)


def _travel_s(zone: Zone, command: PlaceOrder, now: Instant) -> int:
    ends = command.shop.point, command.door.point
    return travel_times(zone.parameters.travel).one_s(*ends, vehicle=VehicleKind.CAR, at=now)
