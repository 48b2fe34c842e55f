"""What must hold of what is known of files, in memory and in PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from engine.kernel.ids import OrderId, UserId
from engine.uploads import MediaType, Upload, UploadId, UploadPurpose
from storage.database import Database
from storage.memory import MemoryStore
from storage.memory_uploads import MemoryUploads
from storage.postgres import PostgresStore
from storage.settings import DatabaseSettings
from storage.uploads import PostgresUploads, UploadStore
from tests.builders import NOON, new_id


def an_upload(**more: object) -> Upload:
    made = Upload(
        id=UploadId(new_id()),
        owner_id=UserId(new_id()),
        purpose=UploadPurpose.DOCUMENT,
        media_type=MediaType.JPEG,
        size_bytes=900,
        width=64,
        height=48,
        sent_digest="5e" * 32,
        is_scanned=False,
        made_at=NOON,
    )
    return replace(made, **more)


@pytest.fixture
async def postgres_uploads(
    database_settings: DatabaseSettings,
) -> AsyncIterator[PostgresUploads]:
    database = await Database.open(database_settings)
    yield PostgresUploads(database)
    await database.close()


@pytest.fixture
def uploads(store: MemoryStore | PostgresStore, request: pytest.FixtureRequest) -> UploadStore:
    if isinstance(store, MemoryStore):
        return MemoryUploads()
    opened: PostgresUploads = request.getfixturevalue("postgres_uploads")
    return opened


async def test_it_is_found_by_itself_and_with_its_order(uploads: UploadStore) -> None:
    order_id = OrderId(new_id())
    of_order = [an_upload(order_id=order_id, made_at=NOON + n) for n in range(2)]
    for one in (of_order[1], of_order[0], an_upload()):
        assert await uploads.save(one)
    assert await uploads.find(of_order[0].id) == of_order[0]
    assert await uploads.find(UploadId("../../etc/passwd")) is None
    assert await uploads.list_of_order(order_id) == tuple(of_order)


async def test_the_same_file_is_kept_once_however_often_it_comes(uploads: UploadStore) -> None:
    sent = an_upload()
    tries = await asyncio.gather(*(uploads.save(replace(sent, made_at=NOON + n)) for n in range(4)))
    assert sorted(tries) == [False] * 3 + [True]


async def test_what_somebody_sent_lately_is_counted(uploads: UploadStore) -> None:
    owner = UserId(new_id())
    for at in (NOON, NOON + 5, NOON + 9):
        assert await uploads.save(an_upload(owner_id=owner, made_at=at))
    assert await uploads.save(an_upload(made_at=NOON + 9))
    assert await uploads.count_of(owner, NOON + 5) == 2
