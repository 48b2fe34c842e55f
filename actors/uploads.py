"""Takes the files that people send: known by content, scanned, made anew, stored."""

import asyncio
import hashlib
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import structlog
from msgspec import Struct

from actors import reencode
from actors.child import begin_child
from actors.clock import Clock
from actors.gateways.clamd import Scanner, ScannerUnavailable
from actors.settings import UploadSettings
from engine.kernel.ids import OrderId, UserId
from engine.kernel.refusals import KEY_REUSED, UNAVAILABLE, Refusal
from engine.kernel.timing import DAY_MS
from engine.uploads import (
    INFECTED_FILE,
    TOO_MANY_UPLOADS,
    UNREADABLE_FILE,
    MediaType,
    Upload,
    UploadId,
    UploadPurpose,
    fits,
    media_type_of,
    object_key,
)
from storage.objects import ObjectStore
from storage.uploads import UploadStore

_PROGRAM: Final = Path(reencode.__file__)
_NAMES: Final = {
    MediaType.JPEG: "JPEG",
    MediaType.PNG: "PNG",
    MediaType.WEBP: "WEBP",
    MediaType.PDF: "PDF",
}
_BECOMES: Final = {MediaType.WEBP: MediaType.JPEG}


class Sent(Struct, frozen=True, kw_only=True):
    """A file as it came, and what it is for."""

    upload_id: UploadId
    owner_id: UserId
    purpose: UploadPurpose
    order_id: OrderId | None
    content: bytes


class Made(Struct, frozen=True, kw_only=True):
    """A file that was made anew."""

    width: int
    height: int
    pages: int
    content: bytes


class Uploads:
    """Nothing that was sent is kept as it came."""

    def __init__(
        self,
        uploads: UploadStore,
        objects: ObjectStore,
        scanner: Scanner,
        settings: UploadSettings,
        *,
        scan_is_required: bool,
        clock: Clock,
    ) -> None:
        self._uploads = uploads
        self._objects = objects
        self._scanner = scanner
        self._settings = settings
        self._scan_is_required = scan_is_required
        self._clock = clock
        self._turns = asyncio.Semaphore(settings.at_once)
        self._under_way = 0

    @contextmanager
    def place(self) -> Iterator[bool]:
        """Whether there is room for one more, from before it arrives until it is stored."""
        self._under_way += 1
        try:
            yield self._under_way <= self._settings.waiting_max
        finally:
            self._under_way -= 1

    async def take(self, sent: Sent) -> Upload | Refusal:
        """Keep it, or say why not; the same again is the same. May raise `StoreUnavailable`.

        The object is stored before its row, so that whatever has a row can be seen.
        """
        kind = media_type_of(sent.content)
        refusal = fits(sent.purpose, kind)
        if refusal is not None:
            return refusal
        assert kind is not None
        digest = hashlib.sha256(sent.content).hexdigest()
        known = await self._uploads.find(sent.upload_id)
        if known is not None:
            return _same(known, sent, digest)
        now = self._clock.now()
        if await self._uploads.count_of(sent.owner_id, now - DAY_MS) >= self._settings.of_day_max:
            return TOO_MANY_UPLOADS(limit=self._settings.of_day_max, retry_after_s=3600)
        is_scanned = await self._scan(sent.content)
        if isinstance(is_scanned, Refusal):
            return is_scanned
        made = await self._make_anew(sent.content, kind)
        if made is None:
            return UNREADABLE_FILE()
        becomes = _BECOMES.get(kind, kind)
        upload = Upload(
            id=sent.upload_id,
            owner_id=sent.owner_id,
            purpose=sent.purpose,
            order_id=sent.order_id,
            media_type=becomes,
            size_bytes=len(made.content),
            width=made.width,
            height=made.height,
            pages=made.pages,
            sent_digest=digest,
            is_scanned=is_scanned,
            made_at=now,
        )
        await self._objects.put(object_key(upload.id), made.content, becomes.value)
        if await self._uploads.save(upload):
            return upload
        quicker = await self._uploads.find(upload.id)
        assert quicker is not None, "an upload is never forgotten while it is made"
        return _same(quicker, sent, digest)

    async def _scan(self, content: bytes) -> bool | Refusal:
        """Whether a scanner saw it; a refusal when it found something, or had to and did not."""
        try:
            return True if await self._scanner.is_clean(content) else INFECTED_FILE()
        except ScannerUnavailable as error:
            if self._scan_is_required:
                structlog.get_logger(__name__).warning("scanner_unavailable", why=str(error))
                return UNAVAILABLE()
            return False

    async def _make_anew(self, content: bytes, kind: MediaType) -> Made | None:
        """In a child, which is ended when it takes too long; None when it made nothing."""
        settings = self._settings
        command = (sys.executable, "-I", str(_PROGRAM), _NAMES[kind])
        limits = (settings.pixels_max, settings.side_max, settings.pages_max)
        async with (
            self._turns,
            begin_child(
                *command, *map(str, limits), stdin=PIPE, stdout=PIPE, stderr=DEVNULL
            ) as child,
        ):
            try:
                async with asyncio.timeout(settings.time_limit_s):
                    told, _ = await child.communicate(content)
            except TimeoutError:
                return None
        if child.returncode != 0:
            return None
        line, _, made = told.partition(b"\n")
        width, height, pages = (int(word) for word in line.split())
        return Made(width=width, height=height, pages=pages, content=made)


def _same(known: Upload, sent: Sent, digest: str) -> Upload | Refusal:
    is_same = (known.sent_digest, known.purpose, known.order_id) == (
        digest,
        sent.purpose,
        sent.order_id,
    )
    return known if is_same else KEY_REUSED()
