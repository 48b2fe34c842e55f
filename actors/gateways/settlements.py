"""Settlements as gateways hand them out: the port that each of them is fetched through."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, Protocol, TypeVar

import msgspec
from msgspec import Struct

from actors.clock import Clock
from actors.gateways.payments import GatewayUncertain
from actors.settlement_files import SettlementFile
from engine.kernel.timing import DAY_MS, SECOND_MS, Instant
from engine.payments.gateways import GatewayName

T = TypeVar("T")
# More lines than a gateway settles for us in a day.
LINES_MAX: Final = 100_000
_WAITS_MS: Final = (SECOND_MS, 4 * SECOND_MS, 16 * SECOND_MS)


class NotYet(Exception):
    """The gateway does not have all of it by now; it is asked for again another day."""


class OfferedSettlement(Struct, frozen=True, kw_only=True):
    """What can be read: `name` is always that of the same lines.

    With it and with all that were offered before, everything until `until` was read. `read` raises
    `NotYet`, `BadFile`, `GatewayRejected` or `GatewayUncertain`.
    """

    name: str
    until: Instant
    read: Callable[[], Awaitable[SettlementFile]]


class SettlementSource(Protocol):
    """A gateway that is asked for what it settled; asking moves nothing."""

    gateway: GatewayName

    def settlements(self, since: Instant, now: Instant) -> AsyncIterator[OfferedSettlement]:
        """All that it settled since then, in the order of `until`.

        Raises:
            GatewayRejected: our key may not ask for it.
            GatewayUncertain: there is no answer, or none that can be read.
        """
        ...


async def patiently(ask: Callable[[], Awaitable[T]], wall: Clock) -> T:
    """The answer to a question, which is asked again, later each time, while none comes."""
    for wait_ms in _WAITS_MS:
        try:
            return await ask()
        except GatewayUncertain:
            await wall.sleep(wait_ms)
    return await ask()


async def read_as(kind: type[T], ask: Callable[[], Awaitable[object]], wall: Clock) -> T:
    """What is answered, as `patiently`; raises `GatewayUncertain` for what is no such thing."""
    said = await patiently(ask, wall)
    try:
        return msgspec.convert(said, kind)
    except msgspec.ValidationError as error:
        raise GatewayUncertain(f"an answer that is none: {error}") from error


def days_between(since: Instant, until: Instant) -> range:
    """When each day of UTC begins that is over by `until`, from that of `since` on."""
    first = since - since % DAY_MS
    return range(first, until - until % DAY_MS, DAY_MS)
