"""What must hold of effects on their way into the world, in every store."""

import asyncio

import pytest

from engine.kernel.ids import EffectId
from engine.kernel.messages import Decision, Effect
from engine.orders.messages import SendSms
from storage.outbox import EFFECTS
from storage.postgres import PostgresStore
from storage.settings import DatabaseSettings
from storage.store import OutboxRow, Store, Stored
from tests.builders import NOON, new_id
from tests.storage.telling import a_commit


async def promise(store: Store, count: int = 1, *, at: int = NOON) -> list[SendSms]:
    """Effects that have to happen, committed one after the other, a millisecond apart."""
    effects = [
        SendSms(id=EffectId(new_id()), phone="+966500000000", text=f"رسالة {number}")
        for number in range(count)
    ]
    for number, effect in enumerate(effects):
        commit = a_commit(Decision(effects=(effect,)), at=at + number)
        assert await store.commit(commit) == Stored()
    return effects


async def lease(store: Store, now: int, *, limit: int = 10, for_ms: int = 1000) -> list[Effect]:
    rows = await store.lease_effects(limit=limit, now=now, lease_until=now + for_ms)
    return [row.effect for row in rows]


async def test_an_effect_is_leased_as_it_was_promised(store: Store) -> None:
    (effect,) = await promise(store)
    rows = await store.lease_effects(limit=1, now=NOON, lease_until=NOON + 1)
    assert rows == (OutboxRow(effect=effect, attempts=1),)


async def test_the_oldest_effects_are_taken_first(store: Store) -> None:
    effects = await promise(store, 5)
    assert await lease(store, NOON + 10, limit=3) == effects[:3]
    assert await lease(store, NOON + 10, limit=3) == effects[3:]


async def test_nobody_takes_an_effect_before_its_time(store: Store) -> None:
    (effect,) = await promise(store)
    assert await lease(store, NOON - 1) == []
    assert await lease(store, NOON) == [effect]


async def test_a_leased_effect_is_taken_again_only_when_the_lease_has_ended(store: Store) -> None:
    (effect,) = await promise(store)
    assert await lease(store, NOON, for_ms=1000) == [effect]
    assert await lease(store, NOON + 999) == []
    rows = await store.lease_effects(limit=1, now=NOON + 1000, lease_until=NOON + 2000)
    assert [row.attempts for row in rows] == [2]


async def test_a_finished_effect_is_never_taken_again(store: Store) -> None:
    (effect,) = await promise(store)
    assert await lease(store, NOON) == [effect]
    await store.finish_effect(effect.id, now=NOON + 5)
    await store.finish_effect(effect.id, now=NOON + 6)
    assert await lease(store, NOON + 10_000) == []


async def test_a_postponed_effect_comes_back_at_its_time(store: Store) -> None:
    first, second = await promise(store, 2)
    await lease(store, NOON + 1, for_ms=60_000)
    await store.postpone_effect(first.id, until=NOON + 300, error="the gateway said 503")
    assert await lease(store, NOON + 299) == []
    assert await lease(store, NOON + 300, for_ms=1000) == [first]
    assert await lease(store, NOON + 1299) == []
    assert await lease(store, NOON + 60_001) == [first, second]


async def test_a_finished_effect_cannot_be_postponed(store: Store) -> None:
    (effect,) = await promise(store)
    await store.finish_effect(effect.id, now=NOON)
    await store.postpone_effect(effect.id, until=NOON, error="too late to say")
    assert await lease(store, NOON + 10_000) == []


async def test_of_many_who_lease_at_once_each_gets_others(store: Store) -> None:
    effects = await promise(store, 12)
    taken = await asyncio.gather(*(lease(store, NOON + 20, limit=3) for _ in range(6)))
    ids = [one.id for share in taken for one in share]
    assert sorted(ids) == sorted(one.id for one in effects)


async def test_two_processes_never_hold_the_same_lease(
    postgres: PostgresStore, database_settings: DatabaseSettings
) -> None:
    other = await PostgresStore.open(database_settings)
    effects = await promise(postgres, 30)
    taken = await asyncio.gather(
        *(lease(store, NOON + 50, limit=2) for store in [postgres, other] * 15)
    )
    rest = await lease(other, NOON + 50, limit=30)
    ids = [one.id for share in taken for one in share] + [one.id for one in rest]
    assert sorted(ids) == sorted(one.id for one in effects)
    await other.close()


@pytest.mark.parametrize("kind", Effect.__subclasses__(), ids=lambda kind: str(kind.__name__))
def test_every_effect_that_there_is_can_be_read_back(kind: type[Effect]) -> None:
    assert kind in EFFECTS, f"name {kind.__name__} in storage/outbox.py"
