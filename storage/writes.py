"""The statements that write a group of commits, set by set: a few round trips, whatever the group's size."""

from collections.abc import Sequence
from itertools import chain
from typing import Any, Final

from storage.database import Session
from storage.queries import Query, queries
from storage.rows import Rows, StateRow

_ADD: Final[dict[str, Query]] = {
    "zone": queries.add_zones,
    "courier": queries.add_couriers,
    "order": queries.add_orders,
    "offer": queries.add_offers,
}
_CHANGE: Final[dict[str, Query]] = {
    "zone": queries.change_zones,
    "courier": queries.change_couriers,
    "order": queries.change_orders,
    "offer": queries.change_offers,
}


async def write(session: Session, group: Sequence[Rows]) -> None:
    """Write all that the commits of a group change; none of them may be stale."""
    states = list(chain.from_iterable(one.states for one in group))
    # What an open question stood for is settled before new questions are put; things come before
    # what refers to them.
    await _settle_assignments(session, group)
    for kind in _ADD:
        of_kind = [one for one in states if one.kind == kind]
        await _change(session, kind, [one for one in of_kind if one.version > 1])
        await _add(session, kind, [one for one in of_kind if one.version == 1])
    await _open_assignments(session, group)
    await _save_zones(session, group)
    await _save_events(session, group)
    await _save_effects(session, group)
    await _save_answers(session, group)


async def _add(session: Session, kind: str, new: Sequence[StateRow]) -> None:
    if new:
        await session.run(
            _ADD[kind], cells=[one.cell for one in new], states=[one.state for one in new]
        )


async def _change(session: Session, kind: str, changed: Sequence[StateRow]) -> None:
    if changed:
        count = await session.run(
            _CHANGE[kind],
            ids=[one.id for one in changed],
            cells=[one.cell for one in changed],
            states=[one.state for one in changed],
        )
        assert count == len(changed), f"{count} of {len(changed)} locked rows were changed"


async def _settle_assignments(session: Session, group: Sequence[Rows]) -> None:
    pairs = list(chain.from_iterable(one.settled.items() for one in group))
    if pairs:
        await session.run(
            queries.settle_assignments,
            order_ids=[order_id for order_id, _ in pairs],
            statuses=[status for _, status in pairs],
        )


async def _open_assignments(session: Session, group: Sequence[Rows]) -> None:
    opened = list(chain.from_iterable(one.opened for one in group))
    if opened:
        await session.run(
            queries.open_assignments,
            offer_ids=[offer.id for offer, _ in opened],
            order_ids=[order_id for _, order_id in opened],
            courier_ids=[offer.courier_id for offer, _ in opened],
        )


async def _save_zones(session: Session, group: Sequence[Rows]) -> None:
    zones = list(chain.from_iterable(one.zones for one in group))
    if not zones:
        return
    owned: dict[str, list[Any]] = {
        "owners": [zone.id for zone in zones for _ in zone.cells],
        "cells": [cell for zone in zones for cell in zone.cells],
    }
    await session.run(queries.free_cells, zones=[zone.id for zone in zones], **owned)
    await session.run(queries.take_cells, **owned)
    sets = list(chain.from_iterable(one.parameter_sets for one in group))
    await session.run(
        queries.save_parameter_sets,
        zones=[zone_id for zone_id, _ in sets],
        states=[state for _, state in sets],
    )


async def _save_events(session: Session, group: Sequence[Rows]) -> None:
    events = list(chain.from_iterable(one.events for one in group))
    if events:
        await session.run(
            queries.save_events,
            thing_kinds=[one.thing.kind for one in events],
            thing_ids=[one.thing.id for one in events],
            versions=[one.thing.version for one in events],
            positions=[one.position for one in events],
            command_ids=[one.command_id for one in events],
            events=[one.event for one in events],
        )


async def _save_effects(session: Session, group: Sequence[Rows]) -> None:
    effects = [(effect, one.at) for one in group for effect in one.effects]
    if effects:
        await session.run(
            queries.save_effects,
            effects=[effect for effect, _ in effects],
            ats=[at for _, at in effects],
        )


async def _save_answers(session: Session, group: Sequence[Rows]) -> None:
    answered = [one for one in group if one.command_id]
    if answered:
        await session.run(
            queries.save_answers,
            command_ids=[one.command_id for one in answered],
            ats=[one.at for one in answered],
            states=[one.answer for one in answered],
        )
