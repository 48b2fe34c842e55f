"""The few words that tests exchange with servers, spoken in a thread of their own."""

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import redis


def query(dsn: str, statement: str) -> object:
    """Run one statement in a connection of its own and return the first value, if any."""

    async def run() -> object:
        connection = await asyncpg.connect(dsn, timeout=5)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, run()).result()


def answers_query(dsn: str) -> bool:
    with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
        return query(dsn, "SELECT 1") == 1
    return False


def answers_ping(url: str) -> bool:
    with contextlib.suppress(redis.RedisError), redis.Redis.from_url(url) as client:
        return bool(client.ping())
    return False


def is_alive(pid: int | str) -> bool:
    """Whether the process runs; one that only waits for its parent to notice its end does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
