"""The address book: which cell owns what."""

from collections import OrderedDict

from engine.couriers.messages import GoOnDuty
from engine.geo.cells import ancestor
from engine.geo.zone import CreateZone
from engine.kernel.ids import CellId, CourierId, OrderId, ZoneId
from engine.kernel.messages import Command
from engine.orders.messages import PlaceOrder
from storage.store import Store

REMEMBERED_MAX = 200_000


class AddressBook:
    """Looks addresses up in storage and remembers them.

    A wrong one is forgotten and looked up again.
    """

    def __init__(self, store: Store, placement_resolution: int) -> None:
        self._store = store
        self._resolution = placement_resolution
        self._known: OrderedDict[str, CellId] = OrderedDict()

    async def cell_for(self, command: Command) -> CellId | None:
        """The cell that a command is for; None when its thing does not exist."""
        match command:
            case CreateZone():
                return ancestor(command.anchor, self._resolution)
            case PlaceOrder() | GoOnDuty():
                cell = await self.cell_of("zone", command.zone_id)
                if cell is not None:
                    self._remember(subject(command), cell)
                return cell
            case _:
                kind, _, key = subject(command).partition(":")
                return await self.cell_of(kind, key)

    async def cell_of(self, kind: str, key: str) -> CellId | None:
        """The cell of an order, a courier or a zone."""
        name = f"{kind}:{key}"
        known = self._known.get(name)
        if known is not None:
            return known
        match kind:
            case "order":
                cell = await self._store.cell_of_order(OrderId(key))
            case "courier":
                cell = await self._store.cell_of_courier(CourierId(key))
            case "zone":
                cell = await self._store.cell_of_zone(ZoneId(key))
            case _:
                return None
        if cell is not None:
            self._remember(name, cell)
        return cell

    def known(self, kind: str, key: str) -> CellId | None:
        """The cell, if it is remembered."""
        return self._known.get(f"{kind}:{key}")

    def forget(self, command: Command) -> bool:
        """Forget where a command's thing was; whether anything was remembered."""
        return self._known.pop(subject(command), None) is not None

    def _remember(self, name: str, cell: CellId) -> None:
        self._known[name] = cell
        self._known.move_to_end(name)
        if len(self._known) > REMEMBERED_MAX:
            self._known.popitem(last=False)


def subject(command: Command) -> str:
    """The thing that decides where a command goes, as `kind:key`."""
    for kind in ("courier", "order", "zone"):
        key = getattr(command, f"{kind}_id", None)
        if key is not None:
            return f"{kind}:{key}"
    raise TypeError(f"{type(command).__name__} speaks of nothing that lives in a cell")
