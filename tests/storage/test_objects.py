"""The object store: a folder, and buckets that speak the protocols of three providers."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from pydantic import SecretStr, ValidationError

from storage.objects import Objects
from storage.settings import ObjectSettings
from storage.store import StoreUnavailable
from tests.listening import listening
from tests.storage.buckets import S3, Azure, Bucket, Fault, Gcs, Protocolled

SIGNED_FOR_A_MINUTE = {
    "s3": "X-Amz-Expires=60",
    "gcs": "X-Goog-Expires=60",
    "azure": "sp=r",
}
PROTOCOLS: dict[str, type[Protocolled]] = {"s3": S3, "gcs": Gcs, "azure": Azure}


def opened(bucket: Bucket, where: str, **more: float) -> Objects:
    options = SecretStr(json.dumps(bucket.protocol.options(where)))
    return Objects(ObjectSettings(url=bucket.protocol.url, options=options, **more), Path())


@dataclass
class Kept:
    """A bucket and what speaks to it; `name` is whose protocol it is."""

    name: str
    bucket: Bucket
    objects: Objects
    where: str


@pytest.fixture(params=sorted(PROTOCOLS))
async def kept(request: pytest.FixtureRequest) -> AsyncIterator[Kept]:
    bucket = Bucket(PROTOCOLS[request.param]())
    async with listening(bucket.answer) as where:
        yield Kept(request.param, bucket, opened(bucket, where), where)


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


async def test_a_bucket_keeps_hands_out_and_forgets(kept: Kept) -> None:
    objects = kept.objects
    await objects.put("uploads/ab/one", b"first", "image/jpeg")
    await objects.put("uploads/ab/one", b"picture", "image/png")
    assert kept.bucket.kept == {"/gifts/here/uploads/ab/one": (b"picture", "image/png")}
    assert await objects.get("uploads/ab/one") == b"picture"
    assert await objects.get("two") is None
    await objects.delete("two")
    await objects.delete("uploads/ab/one")
    assert kept.bucket.kept == {}
    assert await objects.get("uploads/ab/one") is None


async def test_an_address_is_signed_for_one_object_and_a_while(kept: Kept) -> None:
    for key in ("uploads/ab/one", "uploads/ab/two"):
        await kept.objects.put(key, key.encode(), "image/png")
    address = await kept.objects.sign("uploads/ab/one", 60)
    assert address is not None
    assert SIGNED_FOR_A_MINUTE[kept.name] in address
    async with httpx2.AsyncClient(trust_env=False) as anybody:
        fetched = await anybody.get(address)
        assert (fetched.content, fetched.headers["content-type"]) == (
            b"uploads/ab/one",
            "image/png",
        )
        bare = await anybody.get(address.partition("?")[0])
        assert bare.status_code == 403
        if kept.name != "s3":
            # The signature is of this address alone, by the key of whose bucket it is.
            other = await anybody.get(address.replace("one?", "two?"))
            assert other.status_code == 403


@pytest.mark.parametrize("fault", sorted(set(Fault) - {Fault.CUTS_SHORT}))
async def test_a_bucket_that_fails_is_said_to_be_away(kept: Kept, fault: Fault) -> None:
    objects = opened(kept.bucket, kept.where, timeout_s=0.5)
    await objects.put("one", b"1", "image/png")
    kept.bucket.fault = fault
    told = await asyncio.gather(
        objects.put("one", b"2", "image/png"),
        objects.get("one"),
        objects.delete("one"),
        return_exceptions=True,
    )
    assert [type(one) for one in told] == [StoreUnavailable] * 3
    # Neither key nor address is in what goes into logs.
    assert not any(word in str(told) for word in ("here", "one", "127.0.0.1"))
    kept.bucket.fault = None
    await objects.put("one", b"3", "image/png")
    assert await objects.get("one") == b"3"


async def test_half_an_object_is_not_taken_for_the_whole(kept: Kept) -> None:
    objects = opened(kept.bucket, kept.where, timeout_s=0.5)
    await objects.put("one", b"picture", "image/png")
    kept.bucket.fault = Fault.CUTS_SHORT
    with pytest.raises(StoreUnavailable):
        await objects.get("one")


@pytest.mark.parametrize("name", sorted(PROTOCOLS))
async def test_a_bucket_that_is_away_is_said_to_be(name: str) -> None:
    objects = opened(Bucket(PROTOCOLS[name]()), "127.0.0.1:9", timeout_s=1)
    with pytest.raises(StoreUnavailable, match="the object store"):
        await objects.put("one", b"1", "image/png")
    with pytest.raises(StoreUnavailable, match="the object store"):
        await objects.get("one")


def test_an_address_that_means_nothing_is_refused() -> None:
    with pytest.raises(ValidationError):
        ObjectSettings(url="ftp://gifts")
