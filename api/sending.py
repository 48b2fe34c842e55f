"""How a caller's wish becomes a command, the same one however often it is repeated."""

import asyncio
import hashlib
from typing import Any, Final

import msgspec

from api.errors import Refused
from api.parts import Parts
from engine.kernel.ids import CommandId, derived_id
from engine.kernel.messages import Caller, Command, Envelope
from engine.kernel.timing import SECOND_MS, Instant
from storage.store import Answer

# A loop holds its tasks only weakly.
_under_way: Final[set["asyncio.Future[Answer]"]] = set()


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

    A caller who goes away while it is under way does not stop it half-way.
    """
    envelope = Envelope(
        id=command_id,
        command=command,
        caller=caller,
        deadline=deadline(parts),
        fingerprint=fingerprint(asked),
    )
    executing = asyncio.ensure_future(parts.bus.execute(envelope))
    _under_way.add(executing)
    executing.add_done_callback(_under_way.discard)
    return await asyncio.shield(executing)


async def carry_out(
    parts: Parts, command: Command, caller: Caller, *, command_id: CommandId, asked: object
) -> dict[str, Any]:
    """Execute for a route: the reply, or `Refused`."""
    answer = await execute(parts, command, caller, command_id=command_id, asked=asked)
    if answer.refusal is not None:
        raise Refused(answer.refusal)
    return answer.reply
