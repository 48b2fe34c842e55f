"""The statements that write a group of commits: a handful of round trips, whatever its size."""

from collections.abc import Sequence
from itertools import chain

from storage import order_tokens
from storage.audit import save_records
from storage.database import Session
from storage.queries import queries
from storage.rows import Rows


async def write(session: Session, group: Sequence[Rows]) -> None:
    """Write all that the commits of a group change; none of them may be stale."""
    # What an open question stood for is settled before new questions are put.
    await _change_things(session, group)
    await _add_things(session, group)
    await _save_zones(session, group)
    await order_tokens.save(session, list(chain.from_iterable(one.tokens for one in group)))
    await _save_history(session, group)
    await save_records(session, list(chain.from_iterable(one.records for one in group)))


async def _change_things(session: Session, group: Sequence[Rows]) -> None:
    changed = [state for one in group for state in one.states if state.version > 1]
    settled = [
        (order_id, status, one.takers.get(order_id))
        for one in group
        for order_id, status in one.settled.items()
    ]
    if not changed and not settled:
        return
    count = await session.value(
        queries.change_things,
        kinds=[one.kind for one in changed],
        ids=[one.id for one in changed],
        cells=[one.cell for one in changed],
        states=[one.state for one in changed],
        settled_orders=[order_id for order_id, _, _ in settled],
        settled_as=[status for _, status, _ in settled],
        settled_by=[courier_id for _, _, courier_id in settled],
    )
    assert count == len(changed), f"{count} of {len(changed)} locked things were changed"


async def _add_things(session: Session, group: Sequence[Rows]) -> None:
    new = [state for one in group for state in one.states if state.version == 1]
    assignments = list(chain.from_iterable(one.assignments for one in group))
    if new or assignments:
        await session.run(
            queries.add_things,
            kinds=[one.kind for one in new],
            cells=[one.cell for one in new],
            states=[one.state for one in new],
            assigned_offers=[one.offer_id for one in assignments],
            assigned_orders=[one.order_id for one in assignments],
            assigned_couriers=[one.courier_id for one in assignments],
            assigned_as=[one.status for one in assignments],
        )


async def _save_zones(session: Session, group: Sequence[Rows]) -> None:
    zones = list(chain.from_iterable(one.zones for one in group))
    if not zones:
        return
    owners = [zone.id for zone in zones for _ in zone.cells]
    cells = [cell for zone in zones for cell in zone.cells]
    await session.run(
        queries.free_cells, zones=[zone.id for zone in zones], owners=owners, cells=cells
    )
    await session.run(queries.take_cells, owners=owners, cells=cells)
    sets = list(chain.from_iterable(one.parameter_sets for one in group))
    await session.run(
        queries.save_parameter_sets,
        zones=[zone_id for zone_id, _ in sets],
        states=[state for _, state in sets],
    )


async def _save_history(session: Session, group: Sequence[Rows]) -> None:
    events = list(chain.from_iterable(one.events for one in group))
    effects = [(effect, one.at) for one in group for effect in one.effects]
    answered = [one for one in group if one.command_id]
    if events or effects or answered:
        await session.run(
            queries.save_history,
            thing_kinds=[one.thing.kind for one in events],
            thing_ids=[one.thing.id for one in events],
            versions=[one.thing.version for one in events],
            positions=[one.position for one in events],
            command_ids=[one.command_id for one in events],
            events=[one.event for one in events],
            effects=[effect for effect, _ in effects],
            promised_at=[at for _, at in effects],
            answered_commands=[one.command_id for one in answered],
            answered_at=[one.at for one in answered],
            answers=[one.answer for one in answered],
        )
