"""The object store: a folder, and a bucket that speaks the protocol of S3."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from pydantic import SecretStr, ValidationError

from storage.objects import Objects
from storage.settings import ObjectSettings
from storage.store import StoreUnavailable
from tests.listening import listening

OPTIONS = '{"access_key_id": "us", "secret_access_key": "secret", "region": "r", "endpoint": "%s"}'


class Bucket:
    """As much of S3 as is needed: whole objects put, handed out and deleted, by anybody."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[bytes, str]] = {}

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        method, path, _ = head.split(" ", 2)
        headers = dict(
            line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line
        )
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        status, kind, told = self._do(method, path.partition("?")[0], body, headers)
        writer.write(
            f"HTTP/1.1 {status} -\r\ncontent-length: {len(told)}\r\ncontent-type: {kind}\r\n"
            'etag: "1"\r\nlast-modified: Wed, 25 Nov 2026 10:00:00 GMT\r\n'
            "connection: close\r\n\r\n".encode()
            + told
        )
        await writer.drain()

    def _do(
        self, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, str, bytes]:
        if method == "PUT":
            self.kept[path] = (body, headers["content-type"])
            return 200, "text/plain", b""
        if method == "POST":
            keys = re.findall(r"<Key>(.*?)</Key>", body.decode())
            for key in keys:
                self.kept.pop(f"{path}/{key}", None)
            gone = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
            return 200, "application/xml", f"<DeleteResult>{gone}</DeleteResult>".encode()
        if path not in self.kept:
            return 404, "application/xml", b"<Error><Code>NoSuchKey</Code></Error>"
        told, kind = self.kept[path]
        return 200, kind, told


@pytest.fixture
async def bucket() -> AsyncIterator[tuple[Bucket, Objects]]:
    bucket = Bucket()
    async with listening(bucket.answer) as where:
        options = SecretStr(OPTIONS % f"http://{where}")
        yield bucket, Objects(ObjectSettings(url="s3://gifts/here", options=options), Path())


async def test_a_folder_keeps_hands_out_and_forgets(tmp_path: Path) -> None:
    objects = Objects(ObjectSettings(), tmp_path / "files")
    await objects.put("uploads/ab/one", b"first", "image/png")
    await objects.put("uploads/ab/one", b"second", "image/png")
    assert await objects.get("uploads/ab/one") == b"second"
    assert await objects.sign("uploads/ab/one", 60) is None
    await objects.delete("uploads/ab/one")
    await objects.delete("uploads/ab/one")
    assert await objects.get("uploads/ab/one") is None


@pytest.mark.parametrize("key", ["../outside", "uploads/../../outside", "/../outside"])
async def test_nothing_leaves_its_folder(tmp_path: Path, key: str) -> None:
    (tmp_path / "outside").write_bytes(b"not yours")
    objects = Objects(ObjectSettings(), tmp_path / "files")
    with pytest.raises(ValueError, match="illegal"):
        await objects.put(key, b"mine now", "image/png")
    with pytest.raises(ValueError, match="illegal"):
        await objects.get(key)
    assert (tmp_path / "outside").read_bytes() == b"not yours"


async def test_a_named_folder_is_used_as_it_is(tmp_path: Path) -> None:
    objects = Objects(ObjectSettings(url=tmp_path.as_uri()), Path("unused"))
    await objects.put("one", b"1", "image/png")
    assert (tmp_path / "one").read_bytes() == b"1"


async def test_a_bucket_keeps_hands_out_and_signs(bucket: tuple[Bucket, Objects]) -> None:
    kept, objects = bucket[0].kept, bucket[1]
    await objects.put("one", b"picture", "image/png")
    assert kept == {"/gifts/here/one": (b"picture", "image/png")}
    assert await objects.get("one") == b"picture"
    assert await objects.get("two") is None
    address = await objects.sign("one", 60)
    assert address is not None
    assert "X-Amz-Expires=60" in address
    async with httpx2.AsyncClient(trust_env=False) as anybody:
        fetched = await anybody.get(address)
    assert fetched.content == b"picture"
    await objects.delete("one")
    assert kept == {}


async def test_a_bucket_that_is_away_is_said_to_be() -> None:
    options = SecretStr(OPTIONS % "http://127.0.0.1:9")
    objects = Objects(ObjectSettings(url="s3://gifts", options=options, timeout_s=1), Path())
    with pytest.raises(StoreUnavailable, match="the object store"):
        await objects.put("one", b"1", "image/png")
    with pytest.raises(StoreUnavailable, match="the object store"):
        await objects.get("one")


def test_an_address_that_means_nothing_is_refused() -> None:
    with pytest.raises(ValidationError):
        ObjectSettings(url="ftp://gifts")
