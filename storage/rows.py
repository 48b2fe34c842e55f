"""A commit taken apart into the rows that it leaves in the tables, encoded."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from msgspec import Struct

from engine.audit.record import AuditRecord
from engine.dispatch.offer import Offer
from engine.geo.zone import Zone, ZoneParametersChanged
from engine.kernel.ids import CellId, CommandId, CourierId, OrderId, ZoneId
from engine.kernel.messages import Change
from engine.kernel.timing import Instant
from engine.orders.order import Order
from storage.assignments import Assignment, made, settled, takers
from storage.kinds import KINDS, encode
from storage.order_tokens import OrderTokens, tokens_of_changes
from storage.store import Commit

# What assignments and tokens are read off; most commits change a courier and nothing else.
_OF_TRIPS: Final = (Order, Offer)


class StateRow(Struct, frozen=True):
    """A thing as it will be, and what made it so; `name` is `kind:id`."""

    name: str
    kind: str
    version: int
    cell: CellId
    state: bytes
    events: bytes


class Rows(Struct, frozen=True, kw_only=True):
    """Everything that one commit writes; `names` are what it needs to itself in its group."""

    names: frozenset[str]
    at: Instant
    states: tuple[StateRow, ...]
    zones: tuple[Zone, ...]
    parameter_sets: tuple[tuple[ZoneId, bytes], ...]
    assignments: tuple[Assignment, ...]
    settled: dict[OrderId, str]
    takers: dict[OrderId, CourierId]
    tokens: tuple[OrderTokens, ...]
    effects: tuple[bytes, ...]
    command_id: CommandId | None
    answer: bytes | None
    records: tuple[AuditRecord, ...]

    @property
    def is_one_statement(self) -> bool:
        """Whether nothing is to be written beside what most commits write."""
        return not (self.zones or self.records)


def rows_of(commit: Commit) -> Rows:
    """What a commit writes; a decision must change a thing only once."""
    changes, answer = commit.decision.changes, commit.answer
    command_id = answer.command_id if answer else None
    states = [_state_row(commit.cell, one) for one in changes]
    names = {one.name for one in states}
    assert len(names) == len(states), "a decision changes a thing twice"
    if answer:
        names.add(f"answer:{answer.command_id}")
    zones = [one for one in changes if isinstance(one.thing, Zone)]
    trips = [one for one in changes if isinstance(one.thing, _OF_TRIPS)]
    return Rows(
        names=frozenset(names),
        at=commit.at,
        states=tuple(states),
        zones=tuple(one.thing for one in zones) if zones else (),
        parameter_sets=tuple(_parameter_sets(zones)) if zones else (),
        assignments=tuple(made(trips)) if trips else (),
        settled=settled(trips) if trips else {},
        takers=takers(trips) if trips else {},
        tokens=tokens_of_changes(trips) if trips else (),
        effects=tuple([encode(one) for one in commit.decision.effects]),
        command_id=command_id,
        answer=encode(answer) if answer else None,
        records=commit.records,
    )


def _parameter_sets(changes: Sequence[Change[Zone]]) -> Iterator[tuple[ZoneId, bytes]]:
    for change in changes:
        for event in change.events:
            if isinstance(event, ZoneParametersChanged):
                yield change.thing.id, encode(event.parameter_set)


def _state_row(cell: CellId, change: Change[Any]) -> StateRow:
    thing = change.thing
    kind = KINDS[type(thing)]
    if isinstance(thing, Zone):
        cell = thing.home or cell
    name, events = f"{kind}:{thing.id}", encode(change.events)
    return StateRow(name, kind, thing.version, cell, encode(thing), events)
