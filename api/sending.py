"""How a caller's wish becomes a command, the same one however often it is repeated."""

import asyncio
import hashlib
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

import msgspec

from api.errors import Refused
from api.parts import Parts
from engine.kernel.ids import CommandId, derived_id
from engine.kernel.messages import Caller, Command, Envelope
from engine.kernel.timing import SECOND_MS, Instant
from storage.store import Answer

# A loop holds its tasks only weakly.
_under_way: Final[set["asyncio.Task[Any]"]] = set()
T = TypeVar("T")


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
    return hashlib.sha256(msgspec.json.encode(asked, order="sorted")).hexdigest()


def deadline(parts: Parts) -> Instant:
    """When an answer to a command that is sent now would come too late, by the system's clock."""
    patience_s = parts.settings.runtime.command_timeout_s
    return parts.clock.now() + int(patience_s * SECOND_MS * parts.clock.speed)


async def execute(
    parts: Parts, command: Command, caller: Caller, *, command_id: CommandId, asked: object
) -> Answer:
    """Hand a command to the bus; `asked` is what its fingerprint is taken of.

    Whoever may go away while it is under way must not stop it half-way: see `begun`.
    """
    envelope = Envelope(
        id=command_id,
        command=command,
        caller=caller,
        deadline=deadline(parts),
        fingerprint=fingerprint(asked),
    )
    return await parts.bus.execute(envelope)


async def carry_out(
    parts: Parts, command: Command, caller: Caller, *, command_id: CommandId, asked: object
) -> dict[str, Any]:
    """Execute for a route: the reply, or `Refused`; who goes away does not stop it half-way."""
    executing = begun(execute(parts, command, caller, command_id=command_id, asked=asked))
    answer = await asyncio.shield(executing)
    if answer.refusal is not None:
        raise Refused(answer.refusal)
    return answer.reply
