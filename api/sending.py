"""How a caller's wish becomes a command, the same one however often it is repeated."""

import asyncio
import hashlib
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final, TypeVar

import msgspec

from actors.address import destination
from api.errors import Refused
from api.parts import Parts
from api.refusals import OVERLOADED
from api.route_classes import Weight
from engine.kernel.ids import CommandId, derived_id
from engine.kernel.messages import Caller, Command, Envelope
from engine.kernel.timing import SECOND_MS, Instant
from engine.orders.messages import CancelOrder, ChangeOrder, UnassignOrder
from storage.store import Answer

# A loop holds its tasks only weakly.
_under_way: Final[set["asyncio.Task[Any]"]] = set()
T = TypeVar("T")
_sorted: Final = msgspec.json.Encoder(order="sorted").encode
# Somebody may be on his way in vain until they are carried out.
_VITAL: Final = (CancelOrder, ChangeOrder, UnassignOrder)


def begun(work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
    """Work that goes on though whoever began it goes away."""
    task = asyncio.get_running_loop().create_task(work)
    _under_way.add(task)
    task.add_done_callback(_under_way.discard)
    return task


def id_of_command(caller: Caller, route: str, key: str) -> CommandId:
    """The same id for the same caller, route and key; nobody can meet another caller's."""
    return CommandId(derived_id("command", caller.user_id, route, key))


def fingerprint(asked: object) -> str:
    """A digest of what was asked, by which a key used for something else is noticed."""
    return hashlib.sha256(_sorted(asked)).hexdigest()


def deadline(parts: Parts, waited_s: float = 0.0) -> Instant:
    """When an answer to a command sent so long ago would come too late, by the system's clock."""
    patience_s = max(0.0, parts.settings.runtime.command_timeout_s - waited_s)
    return parts.clock.now() + int(patience_s * SECOND_MS * parts.clock.speed)


def envelope_of(
    parts: Parts,
    command: Command,
    caller: Caller,
    *,
    command_id: CommandId,
    asked: object,
    waited_s: float = 0.0,
) -> Envelope:
    """A command for the bus; its fingerprint is taken of `asked`, and it has waited `waited_s`."""
    return Envelope(
        id=command_id,
        command=command,
        caller=caller,
        deadline=deadline(parts, waited_s),
        fingerprint=fingerprint(asked),
    )


async def execute(
    parts: Parts, command: Command, caller: Caller, *, command_id: CommandId, asked: object
) -> Answer:
    """Hand a command to the bus.

    Whoever may go away while it is under way must not stop it half-way: see `begun`.
    """
    envelope = envelope_of(parts, command, caller, command_id=command_id, asked=asked)
    return await parts.bus.execute(envelope)


async def in_turn(
    parts: Parts, name: str, weight: Weight, work: Callable[[], Coroutine[Any, Any, Answer]]
) -> Answer:
    """Begin it when the cell of `name` (`kind:id`) has room for it; raises `Refused`.

    Who goes away before it begins stops it, and afterwards no longer.
    """
    cell = parts.bus.known_cell(name) or ""
    if not await parts.admission.enter(cell, weight):
        raise Refused(OVERLOADED())

    async def inside() -> Answer:
        try:
            return await work()
        finally:
            parts.admission.leave(cell)

    return await asyncio.shield(begun(inside()))


async def carry_out(
    parts: Parts, command: Command, caller: Caller, *, command_id: CommandId, asked: object
) -> dict[str, Any]:
    """Execute for a route, when it is its turn: the reply, or `Refused`."""
    weight = Weight.VITAL if isinstance(command, _VITAL) else Weight.NORMAL
    work = partial(execute, parts, command, caller, command_id=command_id, asked=asked)
    answer = await in_turn(parts, destination(command), weight, work)
    if answer.refusal is not None:
        raise Refused(answer.refusal)
    return answer.reply
