"""What PostgreSQL counts of itself, for those who measure what something costs it."""

from storage.database import Database
from storage.queries import queries


async def transactions(database: Database) -> int:
    """How many it has finished; an idle session's last ones are counted some seconds later."""
    return int(await database.value(queries.count_transactions))
