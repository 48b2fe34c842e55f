"""The schema and the declared places of personal data know of each other."""

import asyncpg

from engine.privacy.places import TABLES, TOLD, Fate, erasure_order
from engine.privacy.retention import DELETED, OWN_EXPIRY
from storage.queries import queries
from tests.test_tidy import CALLED_BY_PLACE

KNOWN = {query.name for query in queries.all()}
# Opened from what is sealed, not read by a query.
SEALED = {"users", "profiles", "staff"}


async def test_every_table_is_declared(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    rows = await connection.fetch(
        "select relname from pg_class"
        " where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace"
    )
    await connection.close()
    missing = {row["relname"] for row in rows} ^ TABLES.keys()
    assert not missing, (
        f"{missing}: declare in engine/privacy/places.py what becomes of each table's rows when "
        "somebody is erased"
    )


def test_what_is_erased_told_and_removed_has_its_query_and_nothing_else_has() -> None:
    told = {*TOLD} - SEALED | {"received_orders", "carried_orders"}
    called = {
        "erase_": {*erasure_order()},
        "tell_": told,
        "remove_old_": {*DELETED},
        "remove_expired_": {*OWN_EXPIRY},
    }
    assert called.keys() == {*CALLED_BY_PLACE}
    for prefix, names in called.items():
        found = {one.removeprefix(prefix) for one in KNOWN if one.startswith(prefix)}
        assert found == names, prefix


async def test_a_table_that_names_a_person_is_none_of_nobody(dsn: str) -> None:
    """Columns and keys of rows by which people are told apart stand in no table of nobody's."""
    connection = await asyncpg.connect(dsn)
    rows = await connection.fetch(
        "select distinct table_name from information_schema.columns where table_schema = 'public'"
        " and column_name in ('user_id', 'customer_id', 'courier_id', 'actor', 'phone', 'email',"
        " 'phone_index', 'email_index')"
    )
    await connection.close()
    for (name,) in rows:
        assert TABLES[name].fate is not Fate.NOBODY, name
