"""How many codes may be on their way unproven: what stops those who are paid for messages.

Whoever pumps messages never types a code. So a code that is proven costs nothing, and honest people
behind one address do not use up what is theirs together.
"""

import ipaddress

from msgspec import Struct

from engine.identity.phone import HOME_REGION, region_of
from engine.kernel.refusals import RefusalKind, declare
from engine.kernel.timing import DAY_MS, HOUR_MS, SECOND_MS, Instant

_IPV6_PREFIX = 64
_WINDOWS = {"hour": HOUR_MS, "day": DAY_MS}

TOO_MANY_CODES = declare(
    "too_many_codes",
    RefusalKind.TOO_MANY,
    en="Too many codes were asked for. Try again later.",
    ar="طُلبت رموز كثيرة. حاول مرة أخرى لاحقًا.",
)


class BudgetRules(Struct, frozen=True, kw_only=True):
    """Codes that may be unproven, by address, and by country: at home and elsewhere."""

    place_hour: int = 30
    place_day: int = 100
    home_hour: int = 2_000
    home_day: int = 20_000
    abroad_hour: int = 30
    abroad_day: int = 100


class Charge(Struct, frozen=True, kw_only=True):
    """One code out of one budget: a count of at most `spent_max` under `key`."""

    key: str
    spent_max: int
    expires_at: Instant


def charges(place: str, phone: str, rules: BudgetRules, *, now: Instant) -> tuple[Charge, ...]:
    """What a code to this phone costs, asked for from this address."""
    region = region_of(phone)
    at_home = region == HOME_REGION
    limits = {
        f"place:{network_of(place)}": (rules.place_hour, rules.place_day),
        f"country:{region}": (
            (rules.home_hour, rules.home_day) if at_home else (rules.abroad_hour, rules.abroad_day)
        ),
    }
    return tuple(
        Charge(
            key=f"{name}:{window}:{now // length}",
            spent_max=limit,
            expires_at=(now // length + 1) * length,
        )
        for name, both in limits.items()
        for (window, length), limit in zip(_WINDOWS.items(), both, strict=True)
    )


def network_of(place: str) -> str:
    """An address, or the part of it that one subscriber has; who has many addresses has one."""
    try:
        address = ipaddress.ip_address(place)
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, _IPV6_PREFIX), strict=False))


def wait_s(charge: Charge, now: Instant) -> int:
    """Seconds until this budget is full again."""
    return -(-(charge.expires_at - now) // SECOND_MS)
