"""Harm is done at random moments, every kind of it, and what it did to the service is seen."""

import random
import threading
from collections.abc import Callable, Mapping

from simulations.chaos.harm import Harm
from simulations.chaos.injector import Harmed, Injector


class Service:
    """Is well but for a while after each harm, or for ever when it cannot mend itself."""

    def __init__(self) -> None:
        self.ill = threading.Event()
        self.done: list[str] = []

    def harm(self, name: str, *, mends: bool) -> Harm:
        def do(sleep: Callable[[float], None]) -> None:
            self.done.append(name)
            self.ill.set()
            sleep(0.3)
            if mends:
                self.ill.clear()

        return do

    def is_well(self) -> bool:
        return not self.ill.is_set()


def inject(service: Service, kinds: Mapping[str, Harm], *, seed: int = 1) -> Injector:
    injector = Injector(
        kinds,
        chance=random.Random(seed),
        is_well=service.is_well,
        on_harm=lambda _: None,
        between_s=(0.0, 0.01),
        patience_s=2.0,
        well_for_s=0.2,
        rounds=2,
    )
    injector.start()
    injector.join(60)
    assert not injector.is_alive()
    return injector


def test_every_kind_is_done_in_every_round_and_its_time_away_is_measured() -> None:
    service = Service()
    injector = inject(service, {name: service.harm(name, mends=True) for name in "abc"})
    assert sorted(service.done[:3]) == sorted(service.done[3:]) == ["a", "b", "c"]
    assert injector.violations == []
    assert [one.kind for one in injector.harmed] == service.done
    assert all(one.away_s > 0 for one in injector.harmed)


def test_what_does_not_mend_is_a_violation_and_ends_it() -> None:
    service = Service()
    injector = inject(service, {"a": service.harm("a", mends=False)})
    assert injector.violations == ["a: not well again within 2 s"]
    assert service.done == ["a"]


def test_harm_that_cannot_be_done_is_told() -> None:
    def impossible(_: Callable[[float], None]) -> None:
        raise LookupError("nobody is called so")

    injector = inject(Service(), {"a": impossible})
    assert len(injector.violations) == 2
    assert "a could not be done: LookupError('nobody is called so')" in injector.violations


def test_nothing_is_harmed_before_it_may_be() -> None:
    service, may_harm, asked = Service(), threading.Event(), threading.Event()

    def is_time() -> bool:
        asked.set()
        return may_harm.is_set()

    injector = Injector(
        {"a": service.harm("a", mends=True)},
        chance=random.Random(1),
        is_well=service.is_well,
        on_harm=lambda _: None,
        may_harm=is_time,
        between_s=(0.0, 0.0),
        well_for_s=0.1,
        rounds=1,
    )
    injector.start()
    assert asked.wait(60)
    assert service.done == []
    may_harm.set()
    injector.join(60)
    assert service.done == ["a"]


def test_a_stop_waits_for_the_harm_under_way() -> None:
    service, seen = Service(), list[Harmed]()
    injector = Injector(
        {"a": service.harm("a", mends=True)},
        chance=random.Random(1),
        is_well=service.is_well,
        on_harm=seen.append,
        between_s=(0.0, 0.0),
        well_for_s=0.1,
    )
    injector.start()
    assert service.ill.wait(60)
    injector.stop(patience_s=60)
    assert not service.ill.is_set()
    assert seen == injector.harmed
