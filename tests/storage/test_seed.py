"""A demo city in an empty database: lived by the rules, in both languages."""

import re

import pytest

from actors.chance import SystemChance
from api.keys import KeyRing, make_keys
from engine.kernel.messages import Role
from engine.orders.messages import SendSms
from engine.orders.order import CLOSED, Order
from simulations.seed import DemoCity, demo_city, store_city
from storage.postgres import PostgresStore
from storage.postgres_identity import PostgresIdentity
from storage.vault import Vault
from tests.builders import NOON

ARABIC = re.compile(r"^[\u0600-\u06ff ]+$")


def lived() -> DemoCity:
    return demo_city(city="jeddah", couriers=3, hours=0.7, zones=1, seed=7, now=NOON)


@pytest.fixture(scope="module")
def city() -> DemoCity:
    """Lived before the event loop of the test runs, for it has one of its own."""
    return lived()


async def test_the_evening_is_in_the_database_and_its_people_have_accounts(
    city: DemoCity, postgres: PostgresStore
) -> None:
    identity = PostgresIdentity(postgres._database, Vault(KeyRing(make_keys(SystemChance()))))
    steps: list[None] = []
    await store_city(city, postgres, identity, on_step=lambda: steps.append(None))
    assert len(steps) == len(city.commits) + len(city.quotes) + len(city.people)
    (zone,) = await postgres.list_zones()
    assert ARABIC.match(zone.name_ar)
    things = [one.thing for commit in city.commits for one in commit.decision.changes]
    orders = {one.id: one for one in things if isinstance(one, Order)}
    assert orders
    for order in orders.values():
        stored = await postgres.find_order(order.id)
        assert stored == order
        assert order.status in CLOSED
        assert await postgres.find_quote(order.quote_id) is not None
    for user, profile in city.people:
        assert await identity.find_user(user.id) == user
        assert await identity.find_profile(user.id, profile.role) == profile
        assert ARABIC.match(profile.name_ar)
        assert profile.name_en.isascii()
    assert {profile.role for _, profile in city.people} == {Role.CUSTOMER, Role.COURIER}
    effects = [one for commit in city.commits for one in commit.decision.effects]
    assert not [one for one in effects if isinstance(one, SendSms)]


def test_the_same_seed_at_the_same_moment_is_the_same_city(city: DemoCity) -> None:
    assert lived() == city
