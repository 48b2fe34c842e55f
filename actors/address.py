"""The address book: which cell owns what."""

from collections import OrderedDict

from engine.couriers.messages import GoOnDuty
from engine.geo.cells import ancestor
from engine.geo.zone import CreateZone
from engine.kernel.ids import CellId, CourierId, OrderId, ZoneId
from engine.kernel.messages import Command
from engine.orders.messages import PlaceOrder
from storage.store import Store

_REMEMBERED_MAX = 200_000
_SUBJECTS = (("courier", "courier_id"), ("order", "order_id"), ("zone", "zone_id"))


class AddressBook:
    """Looks addresses up in storage and remembers them; things are named `kind:id`."""

    def __init__(
        self, store: Store, placement_resolution: int, *, remembered_max: int = _REMEMBERED_MAX
    ) -> None:
        self._store = store
        self._resolution = placement_resolution
        self._remembered_max = remembered_max
        self._known: OrderedDict[str, CellId] = OrderedDict()

    async def cell_for(self, command: Command) -> CellId | None:
        """The cell that a command is for; None when its thing does not exist."""
        return self.known_for(command) or await self.cell_of(destination(command))

    def known_for(self, command: Command) -> CellId | None:
        """The same, if it is remembered; a zone that is new goes where its anchor says."""
        if isinstance(command, CreateZone):
            return ancestor(command.anchor, self._resolution)
        return self._known.get(destination(command))

    async def cell_of(self, name: str) -> CellId | None:
        """The cell of an order, a courier or a zone; None when there is no such thing."""
        known = self._known.get(name)
        if known is not None:
            return known
        kind, _, key = name.partition(":")
        match kind:
            case "order" | "wait":
                cell = await self._store.cell_of_order(OrderId(key))
            case "courier":
                cell = await self._store.cell_of_courier(CourierId(key))
            case "zone" | "pressure" | "fleet" | "need":
                cell = await self._store.cell_of_zone(ZoneId(key))
            case _:
                return None
        if cell is not None:
            self.remember(name, cell)
        return cell

    def known(self, name: str) -> CellId | None:
        """The cell, if it is remembered."""
        return self._known.get(name)

    def remember(self, name: str, cell: CellId) -> None:
        """It was found there; of too many, those not met for longest are forgotten."""
        self._known[name] = cell
        self._known.move_to_end(name)
        if len(self._known) > self._remembered_max:
            self._known.popitem(last=False)

    def forget(self, name: str) -> bool:
        """Forget where something was; whether that was remembered."""
        return self._known.pop(name, None) is not None


def subject(command: Command) -> str:
    """Whom a command changes in the first place, as `kind:id`."""
    for kind, field in _SUBJECTS:
        key = getattr(command, field, None)
        if key is not None:
            return f"{kind}:{key}"
    raise TypeError(f"{type(command).__name__} speaks of nothing that lives in a cell")


def destination(command: Command) -> str:
    """Whose cell a command is for, as `kind:id`: who is new goes where the zone is."""
    if type(command) is PlaceOrder or type(command) is GoOnDuty:
        return f"zone:{command.zone_id}"
    return subject(command)
