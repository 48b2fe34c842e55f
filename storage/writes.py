"""The statements that write a group of commits: a handful of round trips, whatever its size."""

from collections.abc import Sequence
from itertools import chain

from asyncpg import Record

from storage.audit import save_records
from storage.database import Session
from storage.order_tokens import columns
from storage.queries import queries
from storage.rows import Rows


async def write(session: Session, group: Sequence[Rows]) -> None:
    """Write all that the commits of a group change; none of them may be stale."""
    # What an open question stood for is settled before new questions are put.
    await _change_things(session, group)
    in_the_way = await add(session, group)
    assert not in_the_way, f"{in_the_way} came after it was looked for"
    await _save_zones(session, group)
    await save_records(session, list(chain.from_iterable(one.records for one in group)))


async def add(session: Session, group: Sequence[Rows]) -> Sequence[Record]:
    """Write all that is new in a group, but for commits in whose way something is: what that is.

    One statement, so that a group which is new altogether is stored by a single round trip.
    """
    numbered = list(enumerate(group))
    new = [
        (number, state) for number, one in numbered for state in one.states if state.version == 1
    ]
    assigned = [(number, each) for number, one in numbered for each in one.assignments]
    found = [(number, tokens) for number, one in numbered for tokens in one.tokens]
    events = [(number, event) for number, one in numbered for event in one.events]
    effects = [(number, effect, one.at) for number, one in numbered for effect in one.effects]
    answered = [(number, one) for number, one in numbered if one.command_id]
    if not (new or assigned or found or events or effects or answered):
        return ()
    return await session.rows(
        queries.add,
        thing_commits=[number for number, _ in new],
        kinds=[state.kind for _, state in new],
        ids=[state.id for _, state in new],
        cells=[state.cell for _, state in new],
        states=[state.state for _, state in new],
        assigned_by=[number for number, _ in assigned],
        assigned_offers=[each.offer_id for _, each in assigned],
        assigned_orders=[each.order_id for _, each in assigned],
        assigned_couriers=[each.courier_id for _, each in assigned],
        assigned_as=[each.status for _, each in assigned],
        found_by=[number for number, _ in found],
        **columns([tokens for _, tokens in found]),
        event_commits=[number for number, _ in events],
        thing_kinds=[event.thing.kind for _, event in events],
        thing_ids=[event.thing.id for _, event in events],
        versions=[event.thing.version for _, event in events],
        positions=[event.position for _, event in events],
        command_ids=[event.command_id for _, event in events],
        events=[event.event for _, event in events],
        promised_by=[number for number, _, _ in effects],
        effects=[effect for _, effect, _ in effects],
        promised_at=[at for _, _, at in effects],
        answered_by=[number for number, _ in answered],
        answered_commands=[one.command_id for _, one in answered],
        answered_at=[one.at for _, one in answered],
        answers=[one.answer for _, one in answered],
    )


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
