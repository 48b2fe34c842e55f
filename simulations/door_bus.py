"""A simulated phone without an edge: commands go to the bus, views come from the stream."""

from collections.abc import Callable
from typing import Any

import msgspec

from actors.bus import Bus, CellUnavailable
from actors.chance import Chance, new_id
from actors.clock import Clock
from engine.couriers.courier import ProgressStep
from engine.couriers.messages import (
    AcceptOffer,
    AcknowledgeOffer,
    DeclineOffer,
    GoOffDuty,
    GoOnDuty,
    ReachWaitingPoint,
    ReportProgress,
)
from engine.geo.travel import VehicleKind, travel_times
from engine.kernel.ids import (
    CellId,
    CommandId,
    CourierId,
    OfferId,
    OrderId,
    QuoteId,
    UserId,
    ZoneId,
    derived_id,
)
from engine.kernel.messages import Caller, Command, Envelope, Role
from engine.kernel.place import Place, Point, distance_m
from engine.kernel.timing import SECOND_MS, Instant
from engine.orders.handover import HandoverTold
from engine.orders.messages import CancelOrder, CancelReason, PlaceOrder, UnassignOrder
from engine.orders.order import Gift, Recipient
from engine.orders.quote import NO_WISHES, Way, Wishes
from engine.orders.quote import quote as quote_rule
from simulations.people import Newest
from simulations.views import AGAIN, OrderShown, Told, WorkShown
from storage.live import Fix, LiveStream, LiveUnavailable, Publication
from storage.store import Store

_DEADLINE_MS = 10 * SECOND_MS
_AGAIN_MS = 1 * SECOND_MS
_READ_WAIT_MS = 600_000
_PINS = 10_000

Sink = Callable[[Publication], None]


class Lobby:
    """What an edge does for its sockets, in this process: one reader, many listeners."""

    def __init__(self, *, bus: Bus, store: Store, live: LiveStream, clock: Clock) -> None:
        self.bus, self.store, self.clock = bus, store, clock
        self._live = live
        self._sinks: dict[str, Sink] = {}
        self._shown: dict[str, int] = {}
        self._last: dict[CellId, tuple[str, int]] = {}

    async def run(self) -> None:
        """Read the stream until cancelled."""
        position: str | None = None
        while True:
            try:
                if position is None:
                    position = await self._live.tail()
                    await self._show_all()
                position, batches = await self._live.read(position, wait_ms=_READ_WAIT_MS)
            except LiveUnavailable:
                position = None
                await self.clock.sleep(_AGAIN_MS)
                continue
            for batch in batches:
                last = self._last.get(batch.cell)
                self._last[batch.cell] = (batch.incarnation, batch.sequence)
                for publication in batch.publications:
                    self._pass_on(publication)
                if last is not None and last != (batch.incarnation, batch.sequence - 1):
                    await self._show_all()

    async def listen(self, channel: str, sink: Sink) -> None:
        """Hand what is published on a channel to `sink`, beginning with how it stands."""
        self._sinks[channel] = sink
        await self._show(channel)

    def leave(self, channel: str) -> None:
        """Listen no more."""
        self._sinks.pop(channel, None)
        self._shown.pop(channel, None)

    async def execute(self, command: Command, caller: Caller, command_id: CommandId) -> Told:
        """Send a command until it is answered, always under one id."""
        while True:
            envelope = Envelope(
                id=command_id,
                command=command,
                caller=caller,
                deadline=self.clock.now() + _DEADLINE_MS,
            )
            answer = await self.bus.execute(envelope)
            if answer.refusal is None:
                return Told(body=answer.reply)
            if answer.refusal.code not in AGAIN:
                return Told(refused=answer.refusal.code)
            await self.clock.sleep(_AGAIN_MS)

    def _pass_on(self, publication: Publication) -> None:
        channel, version = publication.channel, publication.version
        sink = self._sinks.get(channel)
        if sink is None or publication.kind != "state":
            return
        # What the cell that a courier has left says of him may come after what the next one says.
        if version >= self._shown.get(channel, 0):
            self._shown[channel] = version
            sink(publication)

    async def _show(self, channel: str) -> None:
        while channel in self._sinks:
            try:
                shown = await self.bus.snapshot(channel)
            except CellUnavailable:
                await self.clock.sleep(_AGAIN_MS)
                continue
            if shown is not None:
                self._pass_on(shown)
            return

    async def _show_all(self) -> None:
        for channel in list(self._sinks):
            await self._show(channel)


class CourierBusDoor:
    """A courier's phone."""

    def __init__(self, lobby: Lobby, *, name: str, chance: Chance) -> None:
        self._lobby, self._chance = lobby, chance
        self._id = CourierId(UserId(derived_id("simulated courier", name)))
        self._caller = Caller(user_id=self._id, role=Role.COURIER)
        self._work: Newest[WorkShown] = Newest()

    @property
    def work(self) -> Newest[WorkShown]:
        """The work view."""
        return self._work

    async def open(self) -> str:
        """Listen; the courier's id."""
        await self._lobby.listen(f"courier:{self._id}", self._show)
        return self._id

    async def close(self) -> None:
        """Listen no more."""
        self._lobby.leave(f"courier:{self._id}")

    async def tell(self, kind: str, **fields: Any) -> Told:  # noqa: ANN401 - frames hold anything
        """Send a courier's command until it is answered."""
        command_id = CommandId(new_id(self._lobby.clock, self._chance))
        command = self._command(kind, fields)
        return await self._lobby.execute(command, self._caller, command_id)

    async def give_back(self, order_id: str, reason: str) -> Told:
        """Give an order back before the pick-up."""
        command = UnassignOrder(order_id=OrderId(order_id), reason=reason)
        command_id = CommandId(new_id(self._lobby.clock, self._chance))
        return await self._lobby.execute(command, self._caller, command_id)

    async def position(self, point: Point, at: Instant) -> None:
        """Send a position."""
        fix = Fix(lat=point.lat, lng=point.lng, at=at, accuracy_m=5.0)
        self._lobby.bus.report_position(self._id, fix)

    def _command(self, kind: str, fields: dict[str, Any]) -> Command:
        match kind:
            case "duty" if fields["duty"] == "on":
                return GoOnDuty(
                    courier_id=self._id,
                    zone_id=ZoneId(fields["zone_id"]),
                    name=fields["name"],
                    vehicle=VehicleKind(fields["vehicle"]),
                    capacity_units=fields["capacity_units"],
                    point=Point(lat=fields["lat"], lng=fields["lng"]),
                    shift_begins_at=fields.get("shift_begins_at"),
                    shift_ends_at=fields.get("shift_ends_at"),
                )
            case "duty":
                return GoOffDuty(courier_id=self._id)
            case "progress":
                step = ProgressStep(fields.pop("step"))
                if step is ProgressStep.DELIVERED:
                    fields["handover"] = self._handover(fields["order_id"])
                return ReportProgress(courier_id=self._id, step=step, **fields)
            case "reached_waiting_point":
                return ReachWaitingPoint(courier_id=self._id, **fields)
            case "decline":
                offer_id = OfferId(fields["offer_id"])
                return DeclineOffer(courier_id=self._id, offer_id=offer_id, reason=fields["reason"])
            case _:
                answers = {"acknowledge": AcknowledgeOffer, "accept": AcceptOffer}
                offer_id = OfferId(fields["offer_id"])
                return answers[kind](courier_id=self._id, offer_id=offer_id)

    def _handover(self, order_id: str) -> HandoverTold:
        """What his phone says is to be taken at the door is what he takes."""
        shown = self._work.value
        orders = () if shown is None else shown.orders
        due = (one.cash_due_halalas for one in orders if one.order_id == order_id)
        return HandoverTold(cash_halalas=next(due, 0))

    def _show(self, shown: Publication) -> None:
        work = msgspec.convert(shown.body, WorkShown)
        seen = self._work.value
        if seen is None or work.version >= seen.version:
            self._work.put(work)


class CustomerBusDoor:
    """A customer's app; it does what the edge does between a request and a command."""

    def __init__(
        self, lobby: Lobby, *, name: str, zone_of: Callable[[Point], str], chance: Chance
    ) -> None:
        self._lobby, self._chance, self._zone_of = lobby, chance, zone_of
        self._id = UserId(derived_id("simulated customer", name))
        self._caller = Caller(user_id=self._id, role=Role.CUSTOMER)

    async def open(self) -> str:
        """The customer's id."""
        return self._id

    async def close(self) -> None:
        """Nothing to switch off."""

    async def quote(self, shop: Point, door: Point, preparation_s: int) -> Told:
        """Ask for a price, by the parameters of the shop's zone."""
        zone = await self._lobby.store.find_zone(ZoneId(self._zone_of(shop)))
        assert zone is not None
        profile, now = zone.parameters.travel, self._lobby.clock.now()
        travel_s = travel_times(profile).one_s(shop, door, vehicle=VehicleKind.CAR, at=now)
        quoted = quote_rule(
            zone,
            quote_id=QuoteId(self._new_id()),
            customer_id=self._id,
            way=Way(
                shop=shop,
                door=door,
                route_m=distance_m(shop, door) * profile.detour,
                travel_s=travel_s,
            ),
            pressure=await self._lobby.bus.pressure(zone),
            preparation_s=preparation_s,
            wishes=self._wishes(),
            now=now,
        )
        await self._lobby.store.save_quote(quoted)
        return Told(body={"quote_id": quoted.id})

    async def place(self, key: str, order: dict[str, Any]) -> Told:
        """Place an order under an idempotency key."""
        command = await self._placing(order)
        return await self._lobby.execute(command, self._caller, CommandId(key))

    async def cancel(self, order_id: str, key: str, reason: str) -> Told:
        """Cancel an order under an idempotency key."""
        command = CancelOrder(order_id=OrderId(order_id), reason=CancelReason(reason))
        return await self._lobby.execute(command, self._caller, CommandId(key))

    def _wishes(self) -> Wishes:
        """What is bought with the delivery: nothing."""
        return NO_WISHES

    async def _placing(self, order: dict[str, Any]) -> PlaceOrder:
        """The command that places what was quoted."""
        quoted = await self._lobby.store.find_quote(QuoteId(order["quote_id"]))
        assert quoted is not None
        return PlaceOrder(
            order_id=OrderId(self._new_id()),
            zone_id=quoted.zone_id,
            quote=quoted,
            gift=msgspec.convert(order["gift"], Gift),
            recipient=msgspec.convert(order["recipient"], Recipient),
            shop=_place(order["shop"]),
            door=_place(order["door"]),
            pin=f"{self._chance.below(_PINS):04}",
            ready_at=self._lobby.clock.now() + quoted.preparation_s * SECOND_MS,
        )

    async def list_orders(self) -> list[OrderShown]:
        """Nobody was here before."""
        return []

    async def watch(self, order_id: str, shown: Callable[[OrderShown], None]) -> None:
        """Be shown the order now and whenever it changes."""

        def sink(publication: Publication) -> None:
            shown(msgspec.convert(publication.body, OrderShown))

        await self._lobby.listen(f"order:{order_id}", sink)

    async def unwatch(self, order_id: str) -> None:
        """Be shown it no more."""
        self._lobby.leave(f"order:{order_id}")

    def _new_id(self) -> str:
        return new_id(self._lobby.clock, self._chance)


def _place(body: dict[str, Any]) -> Place:
    return Place(
        point=Point(lat=body["lat"], lng=body["lng"]),
        name=body["name"],
        address=body["address"],
        notes=body["notes"],
    )
