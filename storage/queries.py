"""The named queries of storage/sql, read once, each with the order of its parameters."""

from pathlib import Path
from typing import Any, Final

import aiosql
from msgspec import Struct

FOLDER: Final = Path(__file__).parent / "sql"


class Query(Struct, frozen=True):
    """A statement as PostgreSQL takes it, and the names of `$1`, `$2` and so on."""

    name: str
    sql: str
    parameters: tuple[str, ...]

    def arguments(self, values: dict[str, Any]) -> list[Any]:
        """The values in the statement's order; all of them and no others must be given."""
        assert len(values) == len(self.parameters), f"{self.name} takes {self.parameters}"
        return [values[name] for name in self.parameters]


class Queries:
    """Every query by its name."""

    def __init__(self, folder: Path) -> None:
        found = aiosql.from_path(folder, "asyncpg", mandatory_parameters=False)
        order = found.driver_adapter.var_sorted
        self._queries = {
            name: Query(name, getattr(found, name).sql, tuple(order[name]))
            for name in found.available_queries
            if not name.endswith("_cursor")
        }

    def __getattr__(self, name: str) -> Query:
        try:
            return self._queries[name]
        except KeyError:
            raise AttributeError(f"no query of storage/sql is named {name}") from None

    def all(self) -> tuple[Query, ...]:
        """Every query, by name."""
        return tuple(self._queries[name] for name in sorted(self._queries))


queries: Final = Queries(FOLDER)
