"""Operators and admins: by what they log in, and how many tries anybody has at that."""

import base64
import hashlib
import hmac

from msgspec import Struct

from engine.identity.budgets import Charge, network_of
from engine.kernel.ids import UserId
from engine.kernel.messages import Role, Thing
from engine.kernel.refusals import RefusalKind, declare
from engine.kernel.timing import HOUR_MS, MINUTE_MS, Instant

STAFF_ROLES = frozenset({Role.OPERATOR, Role.ADMIN})
DEVICE_NONCE_BYTES = 16
_DEVICE_PREFIX = "hd1."
_WINDOW_MS = 15 * MINUTE_MS


class StaffAccount(Thing, frozen=True, kw_only=True):
    """An operator's or admin's way in; his roles are his profiles.

    `totp_step` is the last time step of which a code was used, `recovery` the digests of the
    recovery codes that are left.
    """

    user_id: UserId
    email: str
    password_hash: str
    totp_secret: str
    totp_step: int = 0
    recovery: tuple[str, ...] = ()
    created_at: Instant


class TryRules(Struct, frozen=True, kw_only=True):
    """Wrong tries in a quarter of an hour, and those of one address in an hour.

    Who comes from a device that has logged in before has tries of his own: strangers who use up an
    account's do not lock its owner out (OWASP, "device cookies").
    """

    device: int = 10
    account_and_place: int = 5
    account: int = 30
    place_hour: int = 60
    mails_hour: int = 3
    mails_place_hour: int = 20


WRONG_CREDENTIALS = declare(
    "wrong_credentials",
    RefusalKind.FORBIDDEN,
    en="E-mail, password or code are wrong, or the code was used already.",
    ar="البريد الإلكتروني أو كلمة المرور أو الرمز غير صحيح، أو سبق استخدام الرمز.",
)
TOO_MANY_TRIES = declare(
    "too_many_tries",
    RefusalKind.TOO_MANY,
    en="There were too many tries. Wait a little, or reset the password by e-mail.",
    ar="محاولات كثيرة. انتظر قليلًا أو أعد تعيين كلمة المرور عبر البريد الإلكتروني.",
)


WRONG_PROOF = declare(
    "wrong_proof",
    RefusalKind.FORBIDDEN,
    en="Password or code are wrong, or the code was used already.",
    ar="كلمة المرور أو الرمز غير صحيح، أو سبق استخدام الرمز.",
)


def login_charges(
    account: str, place: str, device: str | None, rules: TryRules, *, now: Instant
) -> tuple[Charge, ...]:
    """What a try to log in costs until it is right.

    `account` is a keyed hash of the e-mail, `device` the name of a device that was here before.
    """
    if device is not None:
        return (_charge(f"login:device:{device}", rules.device, _WINDOW_MS, now),)
    network = network_of(place)
    return (
        _charge(f"login:pair:{account}:{network}", rules.account_and_place, _WINDOW_MS, now),
        _charge(f"login:account:{account}", rules.account, _WINDOW_MS, now),
        _charge(f"login:place:{network}", rules.place_hour, HOUR_MS, now),
    )


def proof_charges(user_id: UserId, rules: TryRules, *, now: Instant) -> tuple[Charge, ...]:
    """What it costs who is logged in to prove once more who he is, until it is right.

    Strangers cannot use it up; who has found an open session cannot guess on.
    """
    return (_charge(f"proof:{user_id}", rules.device, _WINDOW_MS, now),)


def mail_charges(account: str, place: str, rules: TryRules, *, now: Instant) -> tuple[Charge, ...]:
    """What it costs to have an e-mail sent that anybody may ask for."""
    return (
        _charge(f"mail:account:{account}", rules.mails_hour, HOUR_MS, now),
        _charge(f"mail:place:{network_of(place)}", rules.mails_place_hour, HOUR_MS, now),
    )


def spell_device(nonce: bytes, email: str, key: bytes) -> str:
    """What a device shows at the next log-in to this account; it proves nothing else."""
    mac = _device_mac(nonce, email, key)
    return _DEVICE_PREFIX + base64.urlsafe_b64encode(nonce + mac).decode()


def read_device(text: str, email: str, key: bytes) -> str | None:
    """The name of a device that was here before, or None for anything that we did not make."""
    try:
        found = base64.b64decode(text.removeprefix(_DEVICE_PREFIX), altchars=b"-_", validate=True)
    except ValueError:
        return None
    nonce, mac = found[:DEVICE_NONCE_BYTES], found[DEVICE_NONCE_BYTES:]
    if not text.startswith(_DEVICE_PREFIX) or len(found) != 2 * DEVICE_NONCE_BYTES:
        return None
    return nonce.hex() if hmac.compare_digest(mac, _device_mac(nonce, email, key)) else None


def _device_mac(nonce: bytes, email: str, key: bytes) -> bytes:
    bound = b"device\x1f" + nonce + email.encode()
    return hmac.new(key, bound, hashlib.sha256).digest()[:DEVICE_NONCE_BYTES]


def _charge(name: str, spent_max: int, length_ms: int, now: Instant) -> Charge:
    window = now // length_ms
    return Charge(key=f"{name}:{window}", spent_max=spent_max, expires_at=(window + 1) * length_ms)
