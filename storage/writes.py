"""The statements that write a group of commits: one for most groups, whatever their size."""

from collections.abc import Sequence
from itertools import chain

from asyncpg import Record

from storage.audit import save_records
from storage.database import Session
from storage.order_tokens import columns
from storage.queries import queries
from storage.rows import Rows


async def write(session: Session, group: Sequence[Rows]) -> Sequence[Record]:
    """Write what the commits of a group change and add, but for those that come too late, or again.

    Of those nothing is written: how their things stand, and what was answered, by their number in
    the group, counted from 1.
    """
    numbered = list(enumerate(group, start=1))
    states = [(number, state) for number, one in numbered for state in one.states]
    settled = [
        (number, order_id, status, one.takers.get(order_id))
        for number, one in numbered
        for order_id, status in one.settled.items()
    ]
    assigned = [(number, each) for number, one in numbered for each in one.assignments]
    found = [(number, tokens) for number, one in numbered for tokens in one.tokens]
    effects = [(number, effect) for number, one in numbered for effect in one.effects]
    return await session.rows(
        queries.store,
        at=[one.at for one in group],
        command_ids=[one.command_id for one in group],
        answers=[one.answer for one in group],
        thing_commits=[number for number, _ in states],
        kinds=[state.kind for _, state in states],
        cells=[state.cell for _, state in states],
        states=[state.state for _, state in states],
        events=[state.events for _, state in states],
        settled_commits=[number for number, *_ in settled],
        settled_orders=[order_id for _, order_id, _, _ in settled],
        settled_as=[status for _, _, status, _ in settled],
        settled_by=[courier_id for *_, courier_id in settled],
        assigned_by=[number for number, _ in assigned],
        assigned_offers=[each.offer_id for _, each in assigned],
        assigned_orders=[each.order_id for _, each in assigned],
        assigned_couriers=[each.courier_id for _, each in assigned],
        assigned_as=[each.status for _, each in assigned],
        found_by=[number for number, _ in found],
        **columns([tokens for _, tokens in found]),
        promised_by=[number for number, _ in effects],
        effects=[effect for _, effect in effects],
    )


async def write_beside(session: Session, group: Sequence[Rows]) -> None:
    """Write what few commits have: cells and parameters of zones, and records for the audit."""
    await _save_zones(session, group)
    await save_records(session, list(chain.from_iterable(one.records for one in group)))


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
