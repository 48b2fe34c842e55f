"""Personal data at rest: sealed with AES-256-GCM under named keys, found by a blind index."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

_NONCE_BYTES: Final = 12
_CIPHERS_MAX: Final = 16


class SealingKeys(Protocol):
    """Where the keys come from, and where new ones are looked for."""

    def sealing(self) -> Mapping[str, bytes]:
        """Keys of 32 bytes by their names; the last one seals."""
        ...

    def index_key(self) -> bytes:
        """The key of the blind index, which does not change."""
        ...

    def look(self) -> None:
        """Take over keys that were added meanwhile."""
        ...


class Sealed(Struct, frozen=True, kw_only=True):
    """`text` is nonce and ciphertext in base64, under the key `key_id`."""

    key_id: str
    text: str


class CannotOpen(Exception):
    """The key is gone, or what was sealed is not what it was, or not where it was."""


class Vault:
    """Seals and opens; what is sealed for one row cannot be opened as another's."""

    def __init__(self, keys: SealingKeys) -> None:
        self._keys = keys

    @property
    def key_id(self) -> str:
        """The name of the key that seals now."""
        return list(self._keys.sealing())[-1]

    def seal(self, plain: bytes, *, row: str) -> Sealed:
        """Close it for one row."""
        key_id = self.key_id
        nonce = secrets.token_bytes(_NONCE_BYTES)
        closed = _cipher(self._keys.sealing()[key_id]).encrypt(nonce, plain, _bound(key_id, row))
        return Sealed(key_id=key_id, text=base64.b64encode(nonce + closed).decode())

    def open(self, sealed: Sealed, *, row: str) -> bytes:
        """What was closed for this row; raises `CannotOpen`."""
        if sealed.key_id not in self._keys.sealing():
            self._keys.look()
        key = self._keys.sealing().get(sealed.key_id)
        if key is None:
            raise CannotOpen(f"the key {sealed.key_id} is gone")
        closed = base64.b64decode(sealed.text)
        nonce, closed = closed[:_NONCE_BYTES], closed[_NONCE_BYTES:]
        try:
            return _cipher(key).decrypt(nonce, closed, _bound(sealed.key_id, row))
        except InvalidTag as error:
            raise CannotOpen(f"what was sealed for {row} was changed") from error

    def index(self, text: str) -> str:
        """By what a value is found without being readable: its HMAC-SHA256."""
        return hmac.new(self._keys.index_key(), text.encode(), hashlib.sha256).hexdigest()


@lru_cache(maxsize=_CIPHERS_MAX)
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(key)


def _bound(key_id: str, row: str) -> bytes:
    return f"{key_id}\x1f{row}".encode()
