"""The secrets of this installation: the keys that sign tokens, and the pepper of log-in codes."""

import base64
import hashlib
import hmac
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
from joserfc.jwk import ECKey

from actors.chance import Chance
from engine.kernel.timing import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """An ES256 key with a `kid`; tokens are signed with it from `signs_from` on."""

    key: ECKey
    signs_from: Instant = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """`signing` in the order of their use, the newest last; `pepper` is 32 secret bytes.

    `sealing` are names and keys of 32 bytes that were added for personal data, the newest last.
    """

    signing: tuple[SigningKey, ...]
    pepper: bytes
    sealing: tuple[tuple[str, bytes], ...] = ()

    def sealing_keys(self) -> dict[str, bytes]:
        """The keys of personal data by name, the one that seals last; the first needs no file."""
        return {"0": self.secret("sealing"), **dict(self.sealing)}

    def signer(self, now: Instant) -> ECKey:
        """The key that signs now: a new one is made known before it is used."""
        return [one for one in self.signing if one.signs_from <= now][-1].key

    def verifier(self, kid: object) -> ECKey | None:
        """The key of this name, also one that does not sign yet, or no longer."""
        return next((one.key for one in self.signing if one.key.kid == kid), None)

    def published(self) -> list[dict[str, Any]]:
        """The public halves as a set of keys (RFC 7517) has them."""
        return [
            {**one.key.as_dict(private=False), "use": "sig", "alg": "ES256"} for one in self.signing
        ]

    def secret(self, purpose: str) -> bytes:
        """32 bytes for one purpose, so that no two purposes share a key."""
        return hmac.new(self.pepper, purpose.encode(), hashlib.sha256).digest()


class KeyRing:
    """The keys in force; those in a file are read anew when it has changed."""

    def __init__(self, keys: Keys, file: Path | None = None) -> None:
        self.keys = keys
        self._file = file
        self._read_at = _changed_at(file)
        # Made once from the keys they belong to: every row that is opened asks for them.
        self._sealing = keys, keys.sealing_keys()

    def sealing(self) -> dict[str, bytes]:
        """See `storage.vault.SealingKeys`."""
        if self._sealing[0] is not self.keys:
            self._sealing = self.keys, self.keys.sealing_keys()
        return self._sealing[1]

    def index_key(self) -> bytes:
        """See `storage.vault.SealingKeys`."""
        return self.keys.secret("blind index")

    def look(self) -> None:
        """Take over what was changed in the file."""
        changed_at = _changed_at(self._file)
        if self._file is not None and changed_at != self._read_at:
            self.keys, self._read_at = _read(self._file), changed_at


def open_keys(file: Path, chance: Chance) -> KeyRing:
    """The keys in `file`; made once, readable by its owner only, whichever process comes first."""
    if not file.exists():
        _write(file, make_keys(chance), os.link)
    return KeyRing(_read(file), file)


def make_keys(chance: Chance) -> Keys:
    """New keys."""
    return Keys(signing=(_new_key(),), pepper=chance.bits(256).to_bytes(32, "big"))


def rotate_signing_key(
    file: Path, *, now: Instant, known_in_ms: int, valid_for_ms: int
) -> tuple[str, list[str]]:
    """Add a signing key to `file`, and drop those whose last token has expired.

    The new one signs after `known_in_ms`, when every process and every reader of the published set
    knows it; a token is valid for `valid_for_ms`. Returns the new name and the dropped ones.
    """
    keys = _read(file)
    added = SigningKey(key=_new_key().key, signs_from=now + known_in_ms)
    successors = (*keys.signing[1:], added)
    kept = tuple(
        one
        for one, after in zip(keys.signing, successors, strict=True)
        if after.signs_from + valid_for_ms > now
    )
    _write(file, replace(keys, signing=(*kept, added)), os.replace)
    dropped = [str(one.key.kid) for one in keys.signing if one not in kept]
    return str(added.key.kid), dropped


def add_sealing_key(file: Path, chance: Chance) -> str:
    """Add a key that seals personal data from now on; those before it still open theirs."""
    keys = _read(file)
    name = str(len(keys.sealing) + 1)
    added = (name, chance.bits(256).to_bytes(32, "big"))
    _write(file, replace(keys, sealing=(*keys.sealing, added)), os.replace)
    return name


def _new_key() -> SigningKey:
    return SigningKey(key=ECKey.generate_key("P-256", auto_kid=True))


def _changed_at(file: Path | None) -> int:
    return 0 if file is None or not file.exists() else file.stat().st_mtime_ns


def _read(file: Path) -> Keys:
    stored: dict[str, Any] = msgspec.json.decode(file.read_bytes())
    signing = stored["signing"]
    # The first files held one key and no moment from which it signs.
    listed = [{"key": signing, "signs_from": 0}] if "kty" in signing else signing
    return Keys(
        signing=tuple(
            SigningKey(key=ECKey.import_key(one["key"]), signs_from=one["signs_from"])
            for one in listed
        ),
        pepper=base64.b64decode(stored["pepper"]),
        sealing=tuple(
            (one["name"], base64.b64decode(one["key"])) for one in stored.get("sealing", [])
        ),
    )


def _write(file: Path, keys: Keys, put: Callable[[Path, Path], None]) -> None:
    """Write beside, then `put` in place: a link leaves the keys of a quicker process alone."""
    file.parent.mkdir(parents=True, exist_ok=True)
    body = {
        "signing": [
            {"key": one.key.as_dict(private=True), "signs_from": one.signs_from}
            for one in keys.signing
        ],
        "pepper": base64.b64encode(keys.pepper).decode(),
        "sealing": [
            {"name": name, "key": base64.b64encode(key).decode()} for name, key in keys.sealing
        ],
    }
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    opened = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(opened, msgspec.json.encode(body))
        os.fsync(opened)
    finally:
        os.close(opened)
    try:
        put(draft, file)
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)
