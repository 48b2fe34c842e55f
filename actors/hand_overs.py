"""What the bus does beside a command when something passes from one cell to another."""

from collections.abc import Awaitable, Callable

from actors.answers import answer_to
from engine.couriers.messages import BUSY_ELSEWHERE, GoOnDuty, HandOver, Welcome
from engine.geo.moving import MoveZone, TakeOverZone
from engine.kernel.ids import CommandId, CourierId, ZoneId, derived_id
from engine.kernel.messages import SYSTEM_CALLER, Command, Effect, Envelope
from engine.kernel.ownership import TellOwner
from engine.kernel.refusals import UNAVAILABLE
from storage.store import Answer

Ask = Callable[[Envelope], Awaitable[Answer]]
_TRANSIENT = {UNAVAILABLE.code, "deadline_passed"}


class OwnerNotTold(Exception):
    """The cell that owns something now did not answer; it is told again."""


def is_held_elsewhere(envelope: Envelope, answer: Answer) -> bool:
    """Whether a courier who wants to work in a zone is on duty in another."""
    refused = answer.refusal
    return (
        isinstance(envelope.command, GoOnDuty)
        and refused is not None
        and refused.code == BUSY_ELSEWHERE.code
    )


async def come_over(envelope: Envelope, refused: Answer, ask: Ask) -> Answer:
    """Have the zone that he works in let him go, and ask again where he wants to work.

    His zone goes first: at every moment one cell owns him. If it does not let him go, he hears what
    he was told at first.
    """
    command = envelope.command
    assert isinstance(command, GoOnDuty)
    leaving = HandOver(courier_id=command.courier_id, zone_id=command.zone_id, point=command.point)
    released = await ask(_aside(envelope, leaving))
    if released.refusal is None:
        return await ask(envelope)
    if released.refusal.code in _TRANSIENT:
        return answer_to(envelope, released.refusal)
    return refused


async def settle_in(envelope: Envelope, moved: Answer, ask: Ask) -> None:
    """Have the cell to which a zone was moved take it in at once; the outbox tells it, too."""
    command = envelope.command
    if isinstance(command, MoveZone) and moved.refusal is None:
        news = TakeOverZone(zone_id=command.zone_id, before=moved.reply.get("before"))
        await ask(_aside(envelope, news))


async def tell_owner(effect: Effect, ask: Ask, *, deadline: int) -> None:
    """Tell the cell that owns something now; raises `OwnerNotTold`."""
    assert isinstance(effect, TellOwner)
    envelope = Envelope(
        id=CommandId(effect.id), command=_news(effect), caller=SYSTEM_CALLER, deadline=deadline
    )
    answer = await ask(envelope)
    if answer.refusal is not None and answer.refusal.code in _TRANSIENT:
        raise OwnerNotTold(effect.thing)


def _news(effect: TellOwner) -> Command:
    kind, _, key = effect.thing.partition(":")
    if kind == "zone":
        return TakeOverZone(zone_id=ZoneId(key), before=effect.before)
    return Welcome(courier_id=CourierId(key))


def _aside(envelope: Envelope, command: Command) -> Envelope:
    """A command of ours on behalf of another, the same one however often that is sent."""
    return Envelope(
        id=CommandId(derived_id("aside", envelope.id)),
        command=command,
        caller=SYSTEM_CALLER,
        deadline=envelope.deadline,
    )
