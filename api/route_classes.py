"""How much a request matters, what it costs, and what becomes of it when nobody can count."""

import re
from enum import IntEnum
from typing import Final, NamedTuple


class Weight(IntEnum):
    """What is let go first when there is too much to do: the lowest."""

    LIST = 0
    NORMAL = 1
    # Offers, progress, duty, log-outs: never let go, for somebody stands before a door.
    VITAL = 2


class RouteClass(NamedTuple):
    """`cost` is in units of the quotas; who cannot be counted is served if it fails open."""

    weight: Weight
    cost: int = 1
    fails_open: bool = True


_VITAL: Final = RouteClass(Weight.VITAL)
# What sends texts or tries codes must be counted.
_GUARDED: Final = RouteClass(Weight.NORMAL, cost=2, fails_open=False)
_NORMAL: Final = RouteClass(Weight.NORMAL)
# In this order; the first that fits.
_CLASSES: Final[tuple[tuple[str, str, RouteClass], ...]] = (
    (
        "POST",
        r"/v1/auth/(otp|token|password.*|step-up.*|enrolment.*|email)|/v1/phone/.*codes?",
        _GUARDED,
    ),
    ("POST", r"/v1/phone/undo|/v1/profile/email/verification", _GUARDED),
    ("POST", r"/v1/auth/.*", _VITAL),
    ("*", r"/v1/courier(/.*)?", _VITAL),
    ("POST", r"/v1/webhooks/.*", _VITAL),
    ("*", r"/v1/payments/[^/]+/return", _VITAL),
    ("POST", r"/v1/orders/[^/]+/(cancel|changes|unassign)", _VITAL),
    ("GET", r"/v1/orders/[^/]+", _NORMAL),
    ("GET", r"/v1/orders\.csv", RouteClass(Weight.LIST, 20)),
    (
        "GET",
        r"/v1/(order-search|past-work|payments|payment-search|(customers/[^/]+/)?payment-history)\.csv",
        RouteClass(Weight.LIST, 20),
    ),
    (
        "GET",
        r"/v1/(order-search|past-work|payment-search|(customers/[^/]+/)?payment-history)",
        RouteClass(Weight.LIST, 3),
    ),
    ("POST", r"/v1/uploads", RouteClass(Weight.NORMAL, 10)),
    ("GET", r"/v1/periods/.+", RouteClass(Weight.LIST, 20)),
    ("POST", r"/v1/zones/[^/]+/what-if", RouteClass(Weight.LIST, 20)),
    ("POST", r"/v1/sheets/[a-z-]+", RouteClass(Weight.LIST, 20)),
    ("POST", r"/v1/settlement-runs", RouteClass(Weight.LIST, 20)),
    ("POST", r"/v1/privacy/.*", RouteClass(Weight.LIST, 20)),
    ("GET", r"/v1/privacy.*", RouteClass(Weight.LIST, 3)),
    ("GET", r"/v1/zones/[^/]+/metrics", RouteClass(Weight.LIST, 5)),
    (
        "GET",
        r"/v1/orders|/v1/zones|/v1/wallet/statement|/v1/sessions|/v1/audit-log|/v1/refused-tries|/v1/couriers/.*",
        RouteClass(Weight.LIST, 3),
    ),
    (
        "GET",
        r"/v1/(staff/invitations|gift-links|drafts|sheets|wallet/payouts|disputes|payments|settlement-\w+)",
        RouteClass(Weight.LIST, 3),
    ),
    ("GET", r"/v1/invoice-submissions", RouteClass(Weight.LIST, 3)),
    ("GET", r"/v1/(orders|zones)/[^/]+/.+", RouteClass(Weight.LIST, 3)),
)
_COUNTED: Final = "/v1/"


def _of_method(method: str) -> re.Pattern[str]:
    """All that fit a method in one look: the name of what is found says which it is."""
    named = (
        f"(?P<at{at}>{path})"
        for at, (known, path, _) in enumerate(_CLASSES)
        if known in {"*", method}
    )
    return re.compile("|".join(named))


_BY_METHOD: Final = {
    one: _of_method(one) for one in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "*")
}


def class_of(method: str, path: str) -> RouteClass | None:
    """None for what is not counted at all: health, keys, documents."""
    if not path.startswith(_COUNTED):
        return None
    found = _BY_METHOD.get(method, _BY_METHOD["*"]).fullmatch(path)
    if found is None or found.lastgroup is None:
        return _NORMAL
    return _CLASSES[int(found.lastgroup.removeprefix("at"))][2]
