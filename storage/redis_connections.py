"""Connections to Redis or Valkey: made when first used, each with a time for everything."""

import asyncio
from collections.abc import Iterable

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import TimeoutError as RedisTimeoutError


class _Prompt(AbstractConnection):
    """Sends without a task of its own for each command, and never forgets that it was cancelled.

    The library sends within `asyncio.wait_for`, which until Python 3.12 loses a cancellation that
    comes in the very turn in which the sending ends (https://bugs.python.org/issue37658):
    whoever reads for ever then reads for ever.
    """

    async def send_packed_command(
        self,
        command: bytes | str | Iterable[bytes],
        check_health: bool = True,  # noqa: FBT001, FBT002 - as the library has it
    ) -> None:
        """Send it within the connection's time.

        Raises:
            redis.exceptions.TimeoutError: the other side reads too slowly.
        """
        if not self.is_connected:
            await self.connect_check_health(check_health=False)
        # Without one the library sends as it is.
        patience_s, self.socket_timeout = self.socket_timeout, None
        try:
            async with asyncio.timeout(patience_s):
                await super().send_packed_command(command, check_health)
        except TimeoutError:
            raise RedisTimeoutError("Timeout writing to socket") from None
        finally:
            self.socket_timeout = patience_s


def open_redis(
    url: str, *, connections_max: int, connect_timeout_s: float, command_timeout_s: float
) -> Redis:
    """A client that tries nothing twice and waits for nothing longer than it is told.

    Whoever finds all connections busy waits as long as for an answer.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=connections_max,
        timeout=command_timeout_s,
        socket_timeout=command_timeout_s,
        socket_connect_timeout=connect_timeout_s,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
    )
    # The address has chosen between plain, TLS and a socket of the file system.
    kind = pool.connection_class
    pool.connection_class = type(f"Prompt{kind.__name__}", (_Prompt, kind), {})
    return Redis.from_pool(pool)
