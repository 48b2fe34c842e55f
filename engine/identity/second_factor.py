"""The second factor: six digits of an authenticator (TOTP, RFC 6238), or a recovery code."""

import base64
import hashlib
import hmac

import pyotp
from msgspec.structs import replace

from engine.identity.staff import StaffAccount
from engine.kernel.timing import SECOND_MS, Instant

RECOVERY_CODES = 10
RECOVERY_BYTES = 15
_STEP_S = 30
# One step before and after, since no two clocks agree.
_STEPS_OFF = 1
_ISSUER = "Hadiyati"


def otpauth_uri(secret: str, email: str) -> str:
    """What an authenticator reads as a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=_ISSUER)


def secret_from(key: bytes, text: str) -> str:
    """160 bits in base32 that belong to a text: the same whenever the page is loaded again."""
    made = hmac.new(key, b"totp\x1f" + text.encode(), hashlib.sha256).digest()[:20]
    return base64.b32encode(made).decode()


def spell_recovery(secret: bytes) -> str:
    """A recovery code of 120 bits as people copy it: six groups of four."""
    text = base64.b32encode(secret).decode().lower()
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def recovery_digest(code: str) -> str:
    """What is stored in the place of a recovery code, however it was copied."""
    plain = "".join(one for one in code.casefold() if one.isalnum())
    return hashlib.sha256(plain.encode()).hexdigest()


def proven(account: StaffAccount, code: str, *, now: Instant) -> StaffAccount | None:
    """The account after this code, which is then worth nothing; None when it proves nothing."""
    plain = "".join(code.split())
    if len(plain) == 6 and plain.isascii() and plain.isdigit():
        return _by_step(account, plain, now // SECOND_MS // _STEP_S)
    held = recovery_digest(code)
    left = tuple(one for one in account.recovery if not hmac.compare_digest(one, held))
    if len(left) == len(account.recovery):
        return None
    return replace(account, version=account.version + 1, recovery=left)


def _by_step(account: StaffAccount, code: str, present: int) -> StaffAccount | None:
    authenticator = pyotp.HOTP(account.totp_secret)
    for step in range(present - _STEPS_OFF, present + _STEPS_OFF + 1):
        if hmac.compare_digest(authenticator.at(step), code) and step > account.totp_step:
            return replace(account, version=account.version + 1, totp_step=step)
    return None
