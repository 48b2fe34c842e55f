"""Numbers for simulated people: real enough for the service, and never somebody else's."""

from engine.identity.phone import mobile_in_e164
from simulations.phones import Phones

OPERATOR = "+966500000001"


def test_every_number_is_a_mobile_number_as_the_service_keeps_it() -> None:
    for phones in (Phones.of_passing_run(1_767_571_200_000), Phones.of_seed(7)):
        numbers = [phones.next() for _ in range(500)]
        assert len(set(numbers)) == 500
        assert all(mobile_in_e164(one) == one for one in numbers)


def test_a_seed_gives_the_same_people_again() -> None:
    first, again = Phones.of_seed(42), Phones.of_seed(42)
    assert [first.next() for _ in range(9)] == [again.next() for _ in range(9)]


def test_passing_runs_keep_off_the_people_of_seeds_and_the_operator() -> None:
    passing = {Phones.of_passing_run(second * 1000).next() for second in range(6000)}
    staying = {Phones.of_seed(seed).next() for seed in range(100)}
    assert len(passing) == 5999
    assert len(staying) == 100
    assert not passing & staying
    assert OPERATOR not in passing
