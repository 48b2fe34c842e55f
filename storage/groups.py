"""One transaction for a group of commits, of which each succeeds or fails on its own."""

import re
from collections.abc import Sequence
from typing import Final

from asyncpg import exceptions as pg

from storage.database import Database, Session
from storage.kinds import decode
from storage.queries import queries
from storage.rows import Rows
from storage.store import Answer, Outcome, Repeated, Stale, Stored, StoreUnavailable
from storage.writes import write, write_beside

# What a taken key or a missing reference stands for, by the constraint that noticed it.
_IN_THE_WAY: Final = {
    "zones_pkey": "zone",
    "zone_cells_pkey": "cell",
    "zone_parameters_pkey": "zone",
    "couriers_pkey": "courier",
    "couriers_zone": "zone",
    "orders_pkey": "order",
    "orders_zone": "zone",
    "orders_courier": "courier",
    "offers_pkey": "offer",
    "offers_zone": "zone",
    "offers_courier": "courier",
    "offers_one_open_for_courier": "courier",
    "assignments_order": "order",
    "assignments_one_active_for_order": "order",
    "outbox_pkey": "effect",
    "answers_pkey": "answer",
}
_KEY: Final = re.compile(r"\((?P<columns>[^)]+)\)=\((?P<value>[^,)]+)")

# A statement fails for the sake of one commit; these say nothing against the others.
_GUILTY: Final = (pg.IntegrityConstraintViolationError, pg.DataError)

Result = Outcome | Exception


async def store_group(database: Database, group: Sequence[Rows]) -> list[Result]:
    """Store commits of which no two touch the same thing or answer the same command.

    The results are in the group's order. An exception among them is a bug in that commit alone: a
    state that no rule can make (AssertionError), or a value that PostgreSQL cannot keep
    (ValueError).

    Raises:
        StoreUnavailable: for the whole group; if the connection was lost while it committed, it may
            have been stored, and a repetition under the same command id finds out.
    """
    try:
        return list(await _attempt(database, group))
    except _GUILTY as error:
        if len(group) == 1:
            return [await _verdict(database, group[0], error)]
    except StoreUnavailable as error:
        # Two groups may have waited for each other's new keys; alone, nobody waits in a circle.
        if len(group) == 1 or not isinstance(error.__cause__, pg.TransactionRollbackError):
            raise
    results: list[Result] = []
    for one in group:
        results += await store_group(database, [one])
    return results


async def _attempt(database: Database, group: Sequence[Rows]) -> list[Outcome]:
    # A cell that cannot commit takes no turn until it has read everything anew.
    if all(one.is_one_statement for one in group):
        async with database.session(is_vital=True) as session:
            return await _store(session, group)
    async with database.transaction(is_vital=True) as session:
        outcomes = await _store(session, group)
        stored = [one for one, outcome in zip(group, outcomes, strict=True) if outcome == Stored()]
        await write_beside(session, stored)
    return outcomes


async def _store(session: Session, group: Sequence[Rows]) -> list[Outcome]:
    """Write the group, but for who comes too late, or again."""
    found = await write(session, group)
    if not found:
        return [Stored()] * len(group)
    versions = {row["name"]: row["version"] for row in found}
    answers = {row["name"]: row["answer"] for row in found if row["answer"] is not None}
    in_the_way = {row["number"] for row in found}
    late = [group[number - 1].command_id for number in sorted(in_the_way)]
    # Whoever made it stale may have been the same command, stored while we waited for the lock.
    unanswered = [one for one in late if one and f"answer:{one}" not in answers]
    if unanswered:
        rows = await session.rows(queries.find_answers, commands=unanswered)
        answers |= {f"answer:{row['command_id']}": row["state"] for row in rows}
    return [
        _outcome(one, versions, answers) if number in in_the_way else Stored()
        for number, one in enumerate(group, start=1)
    ]


def _outcome(rows: Rows, versions: dict[str, int], answers: dict[str, bytes]) -> Outcome:
    """Why nothing of a commit was written."""
    answer = answers.get(f"answer:{rows.command_id}")
    if answer is not None:
        return Repeated(decode(Answer, answer))
    for state in rows.states:
        if versions[state.name] != state.version - 1:
            return Stale(state.name)
    raise AssertionError(f"nothing was in the way of {sorted(rows.names)}")


async def _verdict(database: Database, rows: Rows, error: pg.PostgresError) -> Result:
    """What a failed statement means for the commit that was alone in its transaction."""
    if isinstance(error, pg.DataError):
        return _bug(ValueError, error)
    if rows.command_id:
        # Whoever came between us and a key may have been the same command.
        answer = await database.value(queries.find_answer, command_id=rows.command_id)
        if answer is not None:
            return Repeated(decode(Answer, answer))
    if isinstance(error, pg.UniqueViolationError | pg.ForeignKeyViolationError):
        key = _KEY.search(error.detail or "")
        kind = _IN_THE_WAY.get(error.constraint_name or "")
        if kind and key:
            return Stale(f"{kind}:{key['value']}")
    return _bug(AssertionError, error)


def _bug(kind: type[Exception], error: pg.PostgresError) -> Exception:
    bug = kind(f"{error} ({error.constraint_name})" if error.constraint_name else str(error))
    bug.__cause__ = error
    return bug
