"""Telling a store what happened, decision by decision."""

from collections.abc import Sequence
from typing import Any

from engine.couriers.courier import Courier
from engine.geo.zone import Zone
from engine.kernel.ids import CellId, CommandId
from engine.kernel.messages import Change, Decision, Event
from storage.store import Answer, Commit, Outcome, Store, Stored
from tests.builders import NOON, Story, a_courier, a_story, a_zone, new_id

CELL = CellId("872e1cb5affffff")
OTHER_CELL = CellId("872e1cb5bffffff")


def first(thing: Any, *events: Event) -> Decision:
    """A decision that brings a thing into being."""
    return Decision(changes=(Change(thing, events),))


def a_commit(
    decision: Decision, *, cell: CellId = CELL, command_id: str | None = None, at: int = NOON
) -> Commit:
    """A commit; with a command id it carries the decision's reply as its answer."""
    answer = None
    if command_id is not None:
        answer = Answer(
            command_id=CommandId(command_id),
            fingerprint=f"print of {command_id}",
            reply=decision.reply,
            refusal=decision.refusal,
        )
    return Commit(cell=cell, decision=decision, at=at, answer=answer)


async def tell(store: Store, decisions: Sequence[Decision], *, cell: CellId = CELL) -> None:
    """Commit decisions one after the other; each must be stored."""
    for decision in decisions:
        outcome = await store.commit(a_commit(decision, cell=cell))
        assert outcome == Stored(), outcome


async def a_told_story(store: Store, *arguments: Any, **fields: Any) -> Story:
    """A story, of which the store knows everything."""
    zone, courier = await a_staffed_zone(store)
    story = a_story(*arguments, zone=zone, courier=courier, **fields)
    await tell(store, story.decisions)
    return story


async def a_staffed_zone(store: Store) -> tuple[Zone, Courier]:
    """A zone and a courier on duty in it, both stored; the zone's cells are its own."""
    zone_id = new_id()
    zone = a_zone(cells=(CellId(f"{zone_id}/a"), CellId(f"{zone_id}/b")), id=zone_id)
    courier = a_courier(zone=zone)
    await tell(store, [first(zone), first(courier)])
    return zone, courier


async def outcome_of(store: Store, decision: Decision) -> Outcome:
    return await store.commit(a_commit(decision))
