"""The in-memory twin of uploads."""

from engine.kernel.ids import OrderId, UserId
from engine.kernel.timing import Instant
from engine.uploads import Upload, UploadId


class MemoryUploads:
    """Satisfies `UploadStore`; nothing in it waits."""

    def __init__(self) -> None:
        self._kept: dict[UploadId, Upload] = {}

    async def save(self, upload: Upload) -> bool:
        return self._kept.setdefault(upload.id, upload) is upload

    async def find(self, upload_id: UploadId) -> Upload | None:
        return self._kept.get(upload_id)

    async def list_of_order(self, order_id: OrderId) -> tuple[Upload, ...]:
        found = [one for one in self._kept.values() if one.order_id == order_id]
        return tuple(sorted(found, key=lambda one: (one.made_at, one.id)))

    async def count_of(self, owner_id: UserId, since: Instant) -> int:
        return sum(
            1 for one in self._kept.values() if one.owner_id == owner_id and one.made_at >= since
        )
