"""What becomes of a file that somebody sent."""

import asyncio
import io
from pathlib import Path

import pytest
from PIL import Image

from actors import reencode
from actors.clock import SystemClock
from actors.gateways.clamd import NoScanner
from actors.settings import UploadSettings
from actors.uploads import Sent, Uploads
from engine.kernel.ids import UserId
from engine.kernel.refusals import Refusal
from engine.uploads import MediaType, Upload, UploadId, UploadPurpose, object_key
from storage.memory_uploads import MemoryUploads
from storage.objects import Objects
from storage.settings import ObjectSettings
from tests.builders import new_id
from tests.files import SCRIPT, SECRET, a_bomb, a_document, a_drawing, a_photo


class Desk:
    """Takes files and shows what was kept of them."""

    def __init__(self, folder: Path, settings: UploadSettings | None = None) -> None:
        self.objects = Objects(ObjectSettings(), folder)
        self.uploads = Uploads(
            MemoryUploads(),
            self.objects,
            NoScanner(),
            settings or UploadSettings(),
            scan_is_required=False,
            clock=SystemClock(),
        )

    async def take(
        self,
        content: bytes,
        purpose: UploadPurpose = UploadPurpose.DOCUMENT,
        upload_id: str | None = None,
        owner_id: str | None = None,
    ) -> Upload | Refusal:
        return await self.uploads.take(
            Sent(
                upload_id=UploadId(upload_id or new_id()),
                owner_id=UserId(owner_id or new_id()),
                purpose=purpose,
                order_id=None,
                content=content,
            )
        )

    async def kept(self, content: bytes) -> tuple[Upload, bytes]:
        upload = await self.take(content)
        assert isinstance(upload, Upload), upload
        made = await self.objects.get(object_key(upload.id))
        assert made is not None
        return upload, made


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "files")


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
async def test_of_a_photo_the_pixels_remain_and_nothing_else(desk: Desk, kind: str) -> None:
    sent = a_photo(kind=kind)
    assert SECRET.encode() in sent
    upload, made = await desk.kept(sent)
    assert (upload.media_type, upload.width, upload.height) == (MediaType.JPEG, 64, 48)
    assert SECRET.encode() not in made
    with Image.open(io.BytesIO(made)) as seen:
        assert (seen.format, seen.size) == ("JPEG", (64, 48))
        assert not seen.getexif()
        assert not {"exif", "icc_profile", "xmp", "comment"} & set(seen.info)


async def test_a_photo_stands_upright_and_is_no_larger_than_needed(tmp_path: Path) -> None:
    desk = Desk(tmp_path, UploadSettings(side_max=64))
    upload, _ = await desk.kept(a_photo(256, 128, turned=True))
    assert (upload.width, upload.height) == (32, 64)


async def test_a_signature_keeps_its_transparency(desk: Desk) -> None:
    upload, made = await desk.kept(a_drawing())
    assert upload.media_type is MediaType.PNG
    with Image.open(io.BytesIO(made)) as seen:
        assert seen.convert("RGBA").getpixel((0, 0)) == (0, 0, 0, 0)


async def test_a_document_becomes_pictures_of_its_pages(desk: Desk) -> None:
    sent = a_document(pages=2)
    assert b"JavaScript" in sent
    upload, made = await desk.kept(sent)
    assert (upload.media_type, upload.pages) == (MediaType.PDF, 2)
    for active in (b"JavaScript", b"OpenAction", b"app.alert", b"EmbeddedFile"):
        assert active not in made


@pytest.mark.parametrize("host", [a_photo(), a_drawing(), a_document()])
async def test_what_is_hidden_in_a_file_is_gone(desk: Desk, host: bytes) -> None:
    _, made = await desk.kept(host + SCRIPT + b"PK\x05\x06" + bytes(18))
    assert SCRIPT not in made
    assert b"PK\x05\x06" not in made


@pytest.mark.parametrize(
    "content",
    [
        b"",
        SCRIPT,
        b"GIF89a" + SCRIPT,
        b"MZ" + bytes(100),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        SCRIPT + a_photo(),
    ],
)
async def test_what_does_not_begin_as_it_should_is_refused(desk: Desk, content: bytes) -> None:
    refused = await desk.take(content)
    assert isinstance(refused, Refusal)
    assert refused.code == "not_a_file_for_this"


async def test_a_photo_of_proof_is_a_photo(desk: Desk) -> None:
    refused = await desk.take(a_document(), UploadPurpose.PROOF_PHOTO)
    assert isinstance(refused, Refusal)
    assert refused.code == "not_a_file_for_this"


@pytest.mark.parametrize(
    "content",
    [
        a_photo()[:200],
        b"\xff\xd8\xff" + SCRIPT,
        b"%PDF-1.4 " + SCRIPT,
        a_bomb(9000, 9000),
        a_document(width=100_000),
        a_document(pages=21),
    ],
    ids=["cut off", "no photo", "no document", "pixels", "wide page", "pages"],
)
async def test_what_cannot_be_made_anew_is_refused(desk: Desk, content: bytes) -> None:
    refused = await desk.take(content)
    assert isinstance(refused, Refusal)
    assert refused.code == "unreadable_file"


async def test_what_unpacks_to_more_than_its_memory_ends_the_child_alone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = Path(reencode.__file__).read_text("utf-8")
    little = tmp_path / "little.py"
    little.write_text(source.replace("1024 * 1024 * 1024", "160 * 1024 * 1024"), "utf-8")
    monkeypatch.setattr("actors.uploads._PROGRAM", little)
    refused = await desk.take(a_document(padding=120_000_000))
    assert isinstance(refused, Refusal)
    assert refused.code == "unreadable_file"
    assert isinstance(await desk.take(a_drawing()), Upload)


async def test_the_same_file_again_is_the_same_and_another_is_refused(desk: Desk) -> None:
    upload_id, owner_id = new_id(), new_id()
    first, again = await asyncio.gather(
        *(desk.take(a_photo(), upload_id=upload_id, owner_id=owner_id) for _ in range(2))
    )
    assert first == again
    other = await desk.take(a_drawing(), upload_id=upload_id, owner_id=owner_id)
    assert isinstance(other, Refusal)
    assert other.code == "idempotency_key_reused"


async def test_nobody_sends_without_end(tmp_path: Path) -> None:
    desk, owner_id = Desk(tmp_path, UploadSettings(of_day_max=1)), new_id()
    assert isinstance(await desk.take(a_drawing(), owner_id=owner_id), Upload)
    refused = await desk.take(a_drawing(), owner_id=owner_id)
    assert isinstance(refused, Refusal)
    assert refused.code == "too_many_uploads"
    assert isinstance(await desk.take(a_drawing()), Upload)


async def test_a_child_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    desk = Desk(tmp_path, UploadSettings(time_limit_s=0.001))
    refused = await desk.take(a_photo())
    assert isinstance(refused, Refusal)
    assert refused.code == "unreadable_file"
