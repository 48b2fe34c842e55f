"""Commands: every one has its turns and its rule."""

from collections.abc import Iterator

from actors.commands import Commands
from actors.holdings import Holdings
from actors.telemetry import Telemetry
from engine.couriers.messages import LendCouriers
from engine.geo.moving import MoveZone, TakeOverZone
from engine.identity.access import SENDABLE
from engine.kernel.messages import Command
from simulations.virtual import VirtualClock, VirtualLoop
from tests.builders import NOON


def _all_commands(of: type[Command] = Command) -> Iterator[type[Command]]:
    for one in of.__subclasses__():
        if one.__module__.startswith("engine."):
            yield one
        yield from _all_commands(one)


def _commands() -> Commands:
    loop = VirtualLoop()
    try:
        return Commands(Holdings(Telemetry(1)), VirtualClock(loop, starts_at=NOON))
    finally:
        loop.close()


def test_every_command_has_its_turns_and_its_rule() -> None:
    commands = _commands()
    # Zones and couriers come and go while nothing else has its turn.
    assert set(commands._table) == set(_all_commands()) - {LendCouriers, MoveZone, TakeOverZone}


def test_whatever_somebody_may_send_can_be_carried_out() -> None:
    assert {*_commands()._table, MoveZone} >= SENDABLE
