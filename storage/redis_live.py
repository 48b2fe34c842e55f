"""The live stream on Redis or Valkey: one stream for all cells, and a hash of fixes for each."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import msgspec
import redis
from redis.exceptions import RedisError

from engine.kernel.ids import CellId, CourierId
from storage.live import Batch, Fix, LiveUnavailable
from storage.redis_connections import open_redis
from storage.settings import RedisSettings

_STREAM: Final = "hadiyati:live"
_EPOCH: Final = "hadiyati:live:epoch"
_FIXES: Final = "hadiyati:fixes:"
_FIXES_KEPT_S: Final = 6 * 3600
_READ_MAX: Final = 256

# A stream is bounded by entries only, so what may be kept is reckoned from their mean size.
_KEPT_BYTES: Final = 64 * 1024 * 1024
_KEPT_MIN: Final = 16
_KEPT_MAX: Final = 10_000

# The epoch, the first and the last id. The epoch is lost together with the stream, and the next one
# is another. An empty stream gets a first entry, so that every position is the id of some entry: a
# reader whose entry is older than the first one left has missed something.
_LOOK: Final = """
local epoch = redis.call('GET', KEYS[2])
if not epoch then
    local now = redis.call('TIME')
    epoch = now[1] .. '.' .. now[2]
    redis.call('SET', KEYS[2], epoch)
end
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
if not last[1] then
    local id = redis.call('XADD', KEYS[1], '*', 'begin', '')
    return {epoch, id, id}
end
local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)
return {epoch, first[1][1], last[1][1]}
"""

_UUID: Final = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ID: Final = re.compile(rb"[0-9]{1,15}-[0-9]{1,15}")
_batch: Final = msgspec.msgpack.Decoder(Batch)
_fix: Final = msgspec.msgpack.Decoder(Fix)
_encode: Final = msgspec.msgpack.Encoder().encode


class RedisLive:
    """Satisfies `LiveStream`; connects when first used, and never tries anything twice."""

    # A batch is a call for its cell and for every edge that reads it.
    gap_ms: float = 5

    def __init__(
        self, url: str, settings: RedisSettings | None = None, *, kept_bytes: int = _KEPT_BYTES
    ) -> None:
        settings = settings or RedisSettings()
        self._kept_bytes = kept_bytes
        self._block_ms_max = int(settings.command_timeout_s * 500)
        self._mean_bytes = 1024.0
        # A frozen server must not hold us: every answer, the blocking read's too, has its time.
        self._redis = open_redis(
            url,
            connections_max=settings.connections_max,
            connect_timeout_s=settings.connect_timeout_s,
            command_timeout_s=settings.command_timeout_s,
        )

    async def close(self) -> None:
        """Give the connections back."""
        await self._redis.aclose()

    async def publish(self, batch: Batch) -> None:
        data = _encode(batch)
        self._mean_bytes += (len(data) - self._mean_bytes) / 16
        kept = max(_KEPT_MIN, min(_KEPT_MAX, int(self._kept_bytes / self._mean_bytes)))
        with _translated():
            await self._redis.xadd(_STREAM, {"b": data}, maxlen=kept, approximate=True)

    async def tail(self) -> str:
        with _translated():
            epoch, _, last = await self._redis.eval(_LOOK, 2, _STREAM, _EPOCH)
        return _position(epoch, last)

    async def head(self) -> str:
        with _translated():
            epoch, first, _ = await self._redis.eval(_LOOK, 2, _STREAM, _EPOCH)
        return _position(epoch, first)

    async def read(self, after: str, *, wait_ms: int) -> tuple[str, Sequence[Batch]]:
        epoch, _, seen = after.encode().rpartition(b":")
        number = _number(seen)
        with _translated():
            async with self._redis.pipeline(transaction=False) as pipe:
                block = min(wait_ms, self._block_ms_max) or None
                pipe.xread({_STREAM: seen}, count=_READ_MAX, block=block)
                pipe.eval(_LOOK, 2, _STREAM, _EPOCH)
                found, (epoch_now, first, _) = await pipe.execute()
        # Looked at after the reading: what is still there now was there to be read.
        if epoch_now != epoch or _number(first) > number:
            raise LiveUnavailable("the stream was lost, or does not reach back so far")
        entries = found[0][1] if found else []
        with _translated():
            batches = [_batch.decode(fields[b"b"]) for _, fields in entries if b"b" in fields]
        return _position(epoch, entries[-1][0] if entries else seen), batches

    async def save_fixes(self, cell: CellId, fixes: Mapping[CourierId, Fix]) -> None:
        if not fixes:
            return
        key = f"{_FIXES}{cell}"
        with _translated():
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.hset(key, mapping={name: _encode(fix) for name, fix in fixes.items()})
                pipe.expire(key, _FIXES_KEPT_S)
                await pipe.execute()

    async def load_fixes(self, cell: CellId) -> dict[CourierId, Fix]:
        with _translated():
            found: dict[Any, Any] = await self._redis.hgetall(f"{_FIXES}{cell}")
            return {CourierId(name.decode()): _fix.decode(data) for name, data in found.items()}

    async def forget(self, ids: Collection[str]) -> None:
        named = frozenset(one.encode() for one in ids)
        with _translated():
            async for key in self._redis.scan_iter(match=f"{_FIXES}*", count=_READ_MAX):
                await self._redis.hdel(key, *ids)
            if await self._is_told_of(named):
                # An entry that is trimmed leaves its bytes where they are; a stream that is
                # removed does not, and its readers ask for snapshots.
                await self._redis.delete(_STREAM, _EPOCH)

    async def _is_told_of(self, named: frozenset[bytes]) -> bool:
        end = "+"
        while found := await self._redis.xrevrange(_STREAM, max=end, count=_READ_MAX):
            entries: list[Any] = list(found)
            for _, fields in entries:
                if not named.isdisjoint(_UUID.findall(fields.get(b"b", b""))):
                    return True
            end = f"({entries[-1][0].decode()}"
        return False


def forget_everything(url: str) -> None:
    """Empty the server, as if it had lost its data; for trials of what happens then."""
    with redis.Redis.from_url(url, socket_timeout=5) as client:
        client.flushall()


def _position(epoch: bytes, entry: bytes) -> str:
    return f"{epoch.decode()}:{entry.decode()}"


def _number(entry: bytes) -> tuple[int, int]:
    """Ids compare as numbers; a reader's own may be any text."""
    if not _ID.fullmatch(entry):
        raise LiveUnavailable("this is no position in the stream")
    milliseconds, _, number = entry.partition(b"-")
    return int(milliseconds), int(number)


@contextmanager
def _translated() -> Iterator[None]:
    """Let every failure to reach the server, or to read what is there, leave as one."""
    try:
        yield
    except (RedisError, OSError, msgspec.MsgspecError) as error:
        raise LiveUnavailable(f"{type(error).__name__}: {error}") from error
