"""Whose turns a command needs, as far as the present state tells."""

from collections.abc import Iterable

from actors.holdings import Holdings
from engine.couriers.messages import (
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
from engine.dispatch.offer import OfferStatus
from engine.geo.shops import ChangeZoneShops
from engine.geo.zone import (
    ChangeZoneParameters,
    CreateZone,
    PutParametersInForce,
    RevertZoneParameters,
)
from engine.kernel.ids import OfferId
from engine.money.cash import DepositCash, KeepBackCash
from engine.orders.decide import NO_LOAD, Load
from engine.orders.messages import (
    CancelOrder,
    ChangeOrder,
    PlaceOrder,
    PlaceOrders,
    ReleaseOrder,
    UnassignOrder,
)

# So many placements may be under way in a zone while its caps are far; a commit group holds fewer.
PLACED_AT_ONCE = 512
Keys = Iterable[str]
_OfZone = (
    CreateZone
    | ChangeZoneParameters
    | ChangeZoneShops
    | PutParametersInForce
    | RevertZoneParameters
)
_OfCourier = (
    GoOnDuty
    | GoOffDuty
    | BeginShift
    | EndShift
    | TakeBreak
    | EndBreak
    | BeginBreak
    | FinishBreak
    | ReportProgress
    | ReachWaitingPoint
    | EndWayToWait
    | EndLoan
    | HandOver
    | Welcome
    | DepositCash
    | KeepBackCash
)


class WhoseTurns:
    """The things that a command is about, and those that change with them."""

    def __init__(self, holdings: Holdings) -> None:
        self._holdings = holdings

    def of_placing(self, command: PlaceOrder) -> Keys:
        """Near a cap orders are placed one after the other, so that none slips past it."""
        yield command.order_id
        zone = self._holdings.zones.get(command.zone_id)
        if zone is None:
            return
        load = self._holdings.load_of(zone.id, command.window)
        if not load.is_within(zone.parameters, margin=PLACED_AT_ONCE):
            yield f"placing:{zone.id}"

    def of_placing_together(self, command: PlaceOrders) -> Keys:
        """Those of all, and the turn of placing: they count against the caps together."""
        yield f"placing:{command.zone_id}"
        for one in command.orders:
            yield one.order_id

    def of_order(self, command: ReleaseOrder | CancelOrder | ChangeOrder | UnassignOrder) -> Keys:
        """Those of the order, of who carries it and of those who are asked about it."""
        order = self._holdings.orders.get(command.order_id)
        yield command.order_id
        if order is None:
            return
        if order.courier_id is not None:
            yield order.courier_id
        if order.offer_id is not None:
            yield from self._around_offer(order.offer_id)

    def of_change(self, command: ChangeOrder) -> Keys:
        """Near a cap also the turn of placing, as for a new order."""
        yield from self.of_order(command)
        order = self._holdings.orders.get(command.order_id)
        zone = None if order is None else self._holdings.zones.get(order.zone_id)
        if zone is not None and not self.load_beside(command).is_within(
            zone.parameters, margin=PLACED_AT_ONCE
        ):
            yield f"placing:{zone.id}"

    def load_beside(self, command: ChangeOrder) -> Load:
        """What the zone has without this order."""
        order = self._holdings.orders.get(command.order_id)
        if order is None or order.zone_id not in self._holdings.zones:
            return NO_LOAD
        return self._holdings.load_of(order.zone_id, command.window, but=order.id)

    def of_offer(self, command: AcknowledgeOffer | AcceptOffer) -> Keys:
        """Those of all whom an offer is about."""
        return self._around_offer(command.offer_id)

    def of_round(self, command: DeclineOffer | ExpireOffer) -> Keys:
        """Also who is asked next."""
        yield from self._around_offer(command.offer_id)
        offer = self._holdings.offers.get(command.offer_id)
        if offer is not None and offer.status is OfferStatus.OPEN:
            yield from offer.in_line

    def _around_offer(self, offer_id: OfferId) -> Keys:
        yield offer_id
        offer = self._holdings.offers.get(offer_id)
        if offer is not None:
            yield from offer.asked
            yield from offer.order_ids

    def of_courier(self, command: _OfCourier) -> Keys:
        """Those of the courier, of what he carries and of what he is asked."""
        yield command.courier_id
        courier = self._holdings.couriers.get(command.courier_id)
        if courier is None:
            return
        yield from courier.orders
        if courier.offer_id is not None:
            yield from self._around_offer(courier.offer_id)

    def of_zone(self, command: _OfZone) -> Keys:
        """That of the zone."""
        yield command.zone_id
