"""The object store, where files are: Amazon S3, Google Cloud Storage, Azure, or a folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec
import obstore
from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, LocalStore, S3Store, from_url

from storage.settings import ObjectSettings
from storage.store import StoreUnavailable

# What an option is called that says where a bucket is instead of at its owner's.
_ADDRESSES: Final = ("endpoint", "base_url")
_SIGNING: Final = (S3Store, GCSStore, AzureStore)


class ObjectStore(Protocol):
    """Every method may raise `StoreUnavailable`; keys are ours, never a sender's."""

    async def put(self, key: str, content: bytes, media_type: str) -> None:
        """Keep it, in the place of what had this key before."""
        ...

    async def get(self, key: str) -> bytes | None:
        """All of it; None when there is nothing with this key."""
        ...

    async def delete(self, key: str) -> None:
        """Forget it; nothing happens when there is none."""
        ...

    async def sign(self, key: str, life_s: int) -> str | None:
        """An address at which the store itself hands it out for a while, if it does that."""
        ...


class Objects:
    """Satisfies `ObjectStore` with whatever the settings' address names, else with a folder.

    Raises ValueError or the library's error when address or options mean nothing.
    """

    def __init__(self, settings: ObjectSettings, folder: Path) -> None:
        self._store = (
            LocalStore(folder.absolute(), mkdir=True, automatic_cleanup=True)
            if settings.url is None
            else _bucket(settings.url, settings)
        )

    async def put(self, key: str, content: bytes, media_type: str) -> None:
        # Whoever hands it out says what it is; a folder cannot, and is read by us alone.
        is_asked = isinstance(self._store, _SIGNING)
        with _reported():
            await self._store.put_async(
                key, content, attributes={"Content-Type": media_type} if is_asked else None
            )

    async def get(self, key: str) -> bytes | None:
        with _reported():
            try:
                found = await self._store.get_async(key)
                return bytes(await found.bytes_async())
            except FileNotFoundError:
                return None

    async def delete(self, key: str) -> None:
        with _reported():
            try:
                await self._store.delete_async(key)
            except FileNotFoundError:
                return

    async def sign(self, key: str, life_s: int) -> str | None:
        if not isinstance(self._store, _SIGNING):
            return None
        with _reported():
            return await obstore.sign_async(self._store, "GET", key, timedelta(seconds=life_s))


@contextmanager
def _reported() -> Iterator[None]:
    try:
        yield
    except (BaseError, OSError) as error:
        # What it says names keys and addresses of the bucket.
        raise StoreUnavailable(f"the object store: {type(error).__name__}") from error


def _bucket(url: str, settings: ObjectSettings) -> Any:  # noqa: ANN401 - one of six classes
    told = settings.options.get_secret_value()
    options: Any = msgspec.json.decode(told, type=dict[str, str]) if told else {}
    patience = timedelta(seconds=settings.timeout_s)
    return from_url(
        url,
        config=options or None,
        client_options={
            "timeout": patience,
            "allow_http": any(options.get(one, "").startswith("http://") for one in _ADDRESSES),
        },
        retry_config={"max_retries": 2, "retry_timeout": patience},
    )
