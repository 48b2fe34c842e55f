"""Couriers who go to work in another zone, and zones that move to another cell, all day long."""

import random
from collections.abc import Sequence
from typing import Final

from actors.chance import SeededChance, new_id
from engine.couriers.courier import Courier, Duty
from engine.couriers.messages import GoOnDuty
from engine.geo.cells import ancestor
from engine.geo.moving import MoveZone, own_cell
from engine.geo.zone import Zone
from engine.kernel.ids import CommandId, UserId, ZoneId, derived_id
from engine.kernel.messages import Caller, Command, Role
from engine.kernel.timing import SECOND_MS
from simulations.door_bus import Lobby
from simulations.faults.misfortune import Misfortune
from simulations.faults.town import CALM_AT
from simulations.faults.truth import Truth

_GAP_MS: Final = 150 * SECOND_MS
_MOVES_SHARE: Final = 0.3
_PLACEMENT: Final = 4
_OPERATOR: Final = Caller(user_id=UserId(derived_id("who moves zones")), role=Role.OPERATOR)


class Crossings:
    """Says so through the edge of its lobby, again and again until it is answered."""

    def __init__(
        self,
        lobby: Lobby,
        truth: Truth,
        misfortune: Misfortune,
        *,
        zones: Sequence[ZoneId],
        chance: random.Random,
    ) -> None:
        self._lobby, self._truth, self._misfortune = lobby, truth, misfortune
        self._zones, self._chance = zones, chance
        self._ids = SeededChance(chance.getrandbits(64))

    async def run(self) -> None:
        """Something passes from one zone or cell to another now and then, until calm begins."""
        clock = self._lobby.clock
        while clock.now() < CALM_AT:
            await clock.sleep(self._chance.randint(0, _GAP_MS))
            if self._chance.random() < _MOVES_SHARE:
                self._move(self._chance.choice(list(self._truth.all(Zone))))
            elif at_work := [one for one in self._truth.all(Courier) if one.duty is Duty.ON]:
                self._cross(self._chance.choice(at_work))

    def _cross(self, courier: Courier) -> None:
        command = GoOnDuty(
            courier_id=courier.id,
            zone_id=self._chance.choice(self._zones),
            name=courier.name,
            vehicle=courier.vehicle,
            capacity_units=courier.capacity_units,
            point=courier.last_point,
            shift_ends_at=courier.shift_ends_at,
        )
        self._say(command, Caller(user_id=courier.id, role=Role.COURIER))

    def _move(self, zone: Zone) -> None:
        cell = self._chance.choice((own_cell(zone.id), ancestor(zone.anchor, _PLACEMENT)))
        self._say(MoveZone(zone_id=zone.id, cell=cell, author=_OPERATOR.user_id), _OPERATOR)

    def _say(self, command: Command, caller: Caller) -> None:
        command_id = CommandId(new_id(self._lobby.clock, self._ids))
        self._misfortune.begin(self._lobby.execute(command, caller, command_id))
