"""What a code costs, and whom."""

import pytest

from engine.identity.budgets import BudgetRules, Charge, charges, network_of, wait_s
from engine.identity.phone import region_of
from tests.builders import NOON

RULES = BudgetRules()


def test_a_code_is_paid_by_its_address_and_its_country() -> None:
    found = {one.key.rpartition(":")[0]: one.spent_max for one in charges_of("+966500000001")}
    assert found == {
        "place:192.0.2.1:hour": 30,
        "place:192.0.2.1:day": 100,
        "country:SA:hour": 2000,
        "country:SA:day": 20_000,
    }


def test_abroad_is_dearer() -> None:
    found = {one.key.rpartition(":")[0]: one.spent_max for one in charges_of("+971501234567")}
    assert (found["country:AE:hour"], found["country:AE:day"]) == (30, 100)


def charges_of(phone: str) -> list[Charge]:
    return list(charges("192.0.2.1", phone, RULES, now=NOON))


@pytest.mark.parametrize(
    ("place", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", "unknown"),
        ("unix:", "unknown"),
    ],
)
def test_who_has_many_addresses_has_one_budget(place: str, network: str) -> None:
    assert network_of(place) == network


def test_a_budget_is_full_again_when_its_window_ends() -> None:
    hour, day, *_ = charges("192.0.2.1", "+966500000001", RULES, now=NOON + 1)
    later = charges("192.0.2.1", "+966500000001", RULES, now=hour.expires_at)
    assert later[0].key != hour.key
    assert later[1].key == day.key
    assert wait_s(hour, NOON + 1) == 3600


def test_every_number_has_a_country() -> None:
    assert region_of("+966500000001") == "SA"
    assert region_of("+33612345678") == "FR"
    # A satellite belongs to no country.
    assert region_of("+881612345678") in {"001", "ZZ"}
