"""The secrets of this installation: the key that signs tokens, and the pepper of log-in codes."""

import base64
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from joserfc.jwk import ECKey

from actors.chance import Chance


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """`signing` is an ES256 key with a `kid`; `pepper` is 32 secret bytes."""

    signing: ECKey
    pepper: bytes


def open_keys(file: Path, chance: Chance) -> Keys:
    """The keys in `file`; made once, readable by its owner only, whichever process comes first."""
    if not file.exists():
        _create(file, make_keys(chance))
    stored: dict[str, Any] = msgspec.json.decode(file.read_bytes())
    return Keys(
        signing=ECKey.import_key(stored["signing"]), pepper=base64.b64decode(stored["pepper"])
    )


def make_keys(chance: Chance) -> Keys:
    """New keys."""
    return Keys(
        signing=ECKey.generate_key("P-256", auto_kid=True),
        pepper=chance.bits(256).to_bytes(32, "big"),
    )


def _create(file: Path, keys: Keys) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    body = {
        "signing": keys.signing.as_dict(private=True),
        "pepper": base64.b64encode(keys.pepper).decode(),
    }
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    opened = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(opened, msgspec.json.encode(body))
        os.fsync(opened)
    finally:
        os.close(opened)
    try:
        # A link, unlike a rename, leaves the keys of a quicker process alone.
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
