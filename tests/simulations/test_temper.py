"""Luck in one matter does not depend on what happened before."""

from simulations.people import Behaviour, Temper

MOODY = Behaviour(decline=0.5, ignore=0.5, nobody_home=0.5, think_s=(1, 20))


def drawn(temper: Temper) -> list[float]:
    return [temper.chance.random() for _ in range(4)]


def test_the_same_matter_has_the_same_luck_whatever_came_before() -> None:
    calm, busy = (Temper.of(MOODY, 7, day=3) for _ in range(2))
    for _ in range(9):
        busy.thinking_ms()
        busy.about("another order").happens(0.5)
    assert drawn(calm.about(("o1",), 1)) == drawn(busy.about(("o1",), 1))
    assert drawn(calm.about(("o1",), 1)) != drawn(calm.about(("o1",), 2))
    assert drawn(calm.about(("o1",), 1)) != drawn(Temper.of(MOODY, 8).about(("o1",), 1))


def test_who_is_at_home_does_not_depend_on_who_comes() -> None:
    one, other = Temper.of(MOODY, 7, day=3), Temper.of(MOODY, 8, day=3)
    assert drawn(one.at_door("o1")) == drawn(other.at_door("o1"))
    assert drawn(one.at_door("o1")) != drawn(one.at_door("o2"))
    assert drawn(one.at_door("o1")) != drawn(Temper.of(MOODY, 7, day=4).at_door("o1"))


def test_half_of_all_doors_stay_shut_when_half_should() -> None:
    temper = Temper.of(MOODY, 1, day=1)
    shut = sum(temper.at_door(str(number)).happens(0.5) for number in range(1000))
    assert 420 < shut < 580
