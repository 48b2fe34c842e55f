"""What must hold of quotas, in memory and in Valkey."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.kernel.rates import SECOND_US, Quota, charge
from storage.live import LiveUnavailable
from storage.rates import MemoryRates, Rates, Spending
from storage.redis_rates import RedisRates
from tests.builders import NOON

# A day is long enough that nothing grows back while a test runs.
DAILY = Quota(name="daily", units=10, window_s=86_400)


@pytest.fixture
async def in_valkey(empty_redis_url: str) -> AsyncIterator[RedisRates]:
    opened = RedisRates(empty_redis_url)
    yield opened
    await opened.close()


@pytest.fixture(params=["memory", "valkey"])
def rates(request: pytest.FixtureRequest) -> Rates:
    if request.param == "memory":
        return MemoryRates(lambda: NOON)
    opened: RedisRates = request.getfixturevalue("in_valkey")
    return opened


def owed(key: str, units: int = 1, quota: Quota = DAILY) -> Spending:
    return Spending(key=key, quota=quota, units=units)


async def test_a_quota_is_spent_and_then_refused(rates: Rates) -> None:
    left = [(await rates.spend([owed("a", 3)]))[0] for _ in range(4)]
    assert [one.is_allowed for one in left] == [True, True, True, False]
    assert [one.remaining for one in left] == [7, 4, 1, 1]
    assert 0 < left[3].retry_in_us <= 2 * DAILY.interval_us
    assert (await rates.spend([owed("a")]))[0].is_allowed
    assert (await rates.spend([owed("b", 10)]))[0].is_allowed
    assert not (await rates.spend([owed("c", 11)]))[0].is_allowed


async def test_of_several_quotas_all_are_charged_or_none(rates: Rates) -> None:
    await rates.spend([owed("full", 10)])
    told = await rates.spend([owed("other", 4), owed("full", 1)])
    assert [one.is_allowed for one in told] == [True, False]
    assert (await rates.spend([owed("other", 10)]))[0].remaining == 0


async def test_many_at_once_get_no_more_than_there_is(rates: Rates) -> None:
    told = await asyncio.gather(*(rates.spend([owed("a")]) for _ in range(25)))
    assert [one.is_allowed for (one,) in told].count(True) == 10


async def test_a_server_that_is_away_is_told() -> None:
    rates = RedisRates("redis://127.0.0.1:1")
    with pytest.raises(LiveUnavailable):
        await rates.spend([owed("a")])
    await rates.close()


@given(
    st.integers(1, 50),
    st.integers(1, 30),
    st.lists(st.tuples(st.integers(0, 3 * SECOND_US), st.integers(1, 20)), max_size=60),
)
def test_in_no_window_is_more_spent_than_twice_the_quota(
    units: int, window_s: int, asked: list[tuple[int, int]]
) -> None:
    quota = Quota(name="any", units=units, window_s=window_s)
    full_at_us, now_us, spent = 0, 0, list[tuple[int, int]]()
    for pause_us, cost in asked:
        now_us += pause_us
        full_at_us, told = charge(full_at_us, quota, cost, now_us=now_us)
        assert 0 <= told.remaining <= units
        if told.is_allowed:
            spent.append((now_us, cost))
        else:
            later = now_us + told.retry_in_us
            assert charge(full_at_us, quota, cost, now_us=later)[1].is_allowed == (cost <= units)
    for begin, _ in spent:
        within = sum(cost for at, cost in spent if begin <= at < begin + window_s * SECOND_US)
        assert within <= 2 * units
