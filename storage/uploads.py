"""What is known of the files that people sent; the files themselves are in the object store."""

from typing import Protocol

from engine.kernel.ids import OrderId, UserId
from engine.kernel.timing import Instant
from engine.uploads import Upload, UploadId
from storage.database import Database
from storage.kinds import decode, encode, known
from storage.queries import queries


class UploadStore(Protocol):
    """Every method may raise `StoreUnavailable`."""

    async def save(self, upload: Upload) -> bool:
        """Keep it; False when there is one with its id."""
        ...

    async def find(self, upload_id: UploadId) -> Upload | None:
        """One of them by its id."""
        ...

    async def list_of_order(self, order_id: OrderId) -> tuple[Upload, ...]:
        """Everything that was sent about an order, oldest first."""
        ...

    async def count_of(self, owner_id: UserId, since: Instant) -> int:
        """How many somebody sent since then."""
        ...


class PostgresUploads:
    """Satisfies `UploadStore`; the pool is its caller's to close."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, upload: Upload) -> bool:
        return await self._database.run(queries.save_upload, state=encode(upload)) == 1

    async def find(self, upload_id: UploadId) -> Upload | None:
        state = await self._database.value(queries.find_upload, upload_id=known(upload_id))
        return None if state is None else decode(Upload, state)

    async def list_of_order(self, order_id: OrderId) -> tuple[Upload, ...]:
        rows = await self._database.rows(queries.list_uploads_of_order, order_id=known(order_id))
        return tuple(decode(Upload, row["state"]) for row in rows)

    async def count_of(self, owner_id: UserId, since: Instant) -> int:
        count: int = await self._database.value(
            queries.count_uploads_of, owner_id=known(owner_id), since=since
        )
        return count
