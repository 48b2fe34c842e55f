"""Quotas in Redis or Valkey: one script, by its clock, for all of a request's quotas at once."""

from collections.abc import Sequence
from typing import Final

from redis.exceptions import RedisError

from engine.kernel.rates import Standing
from storage.live import LiveUnavailable
from storage.rates import Spending
from storage.redis_connections import open_redis
from storage.settings import RedisSettings

_PREFIX: Final = "hadiyati:rate:"
# Whoever waits longer for a permission than for the thing itself is not served by it.
_PATIENCE_S: Final = 0.25

# As engine/kernel/rates.py does it. Nothing is written before all of them are allowed.
_SPEND: Final = """
local now = redis.call('TIME')
now = now[1] * 1000000 + now[2]
local told, after, allowed = {}, {}, true
for i, key in ipairs(KEYS) do
    local interval, units, cost = ARGV[3*i-2] + 0, ARGV[3*i-1] + 0, ARGV[3*i] + 0
    local begun = math.max(tonumber(redis.call('GET', key) or 0), now)
    after[i] = begun + cost * interval
    local over = after[i] - now - units * interval
    if over > 0 then
        allowed = false
        local left = math.max(0, math.floor((units * interval - (begun - now)) / interval))
        told[i] = {0, left, begun - now, over}
    else
        told[i] = {1, math.floor(-over / interval), after[i] - now, 0}
    end
end
if allowed then
    for i, key in ipairs(KEYS) do
        redis.call('SET', key, string.format('%.0f', after[i]), 'PX',
            math.ceil((after[i] - now) / 1000) + 1)
    end
end
return told
"""


class RedisRates:
    """Satisfies `Rates`; connects when first used, and never tries anything twice."""

    def __init__(self, url: str, settings: RedisSettings | None = None) -> None:
        settings = settings or RedisSettings()
        self._redis = open_redis(
            url,
            connections_max=settings.connections_max,
            connect_timeout_s=_PATIENCE_S,
            command_timeout_s=_PATIENCE_S,
        )
        self._script = self._redis.register_script(_SPEND)

    async def close(self) -> None:
        """Give the connections back."""
        await self._redis.aclose()

    async def spend(self, spendings: Sequence[Spending]) -> tuple[Standing, ...]:
        numbers = [
            number
            for one in spendings
            for number in (one.quota.interval_us, one.quota.units, one.units)
        ]
        try:
            told = await self._script(
                keys=[f"{_PREFIX}{one.key}" for one in spendings], args=numbers
            )
        except (RedisError, OSError) as error:
            raise LiveUnavailable(f"{type(error).__name__}: {error}") from error
        return tuple(
            Standing(is_allowed=bool(allowed), remaining=left, full_in_us=full, retry_in_us=retry)
            for allowed, left, full, retry in told
        )
