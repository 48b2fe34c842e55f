"""Days lived under several parameter sets, in parallel, each trial a pure matter of its numbers."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from msgspec import Struct

from simulations.metrics import measured
from simulations.parallel import side_by_side
from simulations.parameter_files import applied
from simulations.replay import live_virtually
from simulations.trial_days import Source

_FAULTS_MAX = 5


class Trial(Struct, frozen=True, kw_only=True):
    """Day `number` of a source under what `given` sets; `name` is the parameter set's."""

    name: str
    number: int
    given: Mapping[str, Any]


class Lived(Struct, frozen=True, kw_only=True):
    """How a trial went: its metrics by name, and what contradicted itself."""

    name: str
    number: int
    day: str
    orders: int
    metrics: dict[str, float | None]
    faults: tuple[str, ...] = ()
    wall_s: float = 0.0


def live(source: Source, trial: Trial) -> Lived:
    """Live one day under one parameter set."""
    to_live = source.to_live(trial.number)
    zones = [
        replace(one, parameters=applied(one.parameters, trial.given)) for one in to_live.day.zones
    ]
    score = live_virtually(
        replace(to_live.day, zone=zones[0], more_zones=tuple(zones[1:])),
        seed=to_live.luck,
        behaviour=to_live.behaviour,
        undeliverable=to_live.undeliverable,
    )
    return Lived(
        name=trial.name,
        number=trial.number,
        day=to_live.day.name,
        orders=score.orders,
        metrics=measured(score),
        faults=(*score.violations, *score.faults)[:_FAULTS_MAX],
        wall_s=score.wall_s,
    )


def live_all(source: Source, trials: Iterable[Trial], *, workers: int) -> Iterator[Lived]:
    """Live them all on so many cores, each as it is finished; `workers` 1 stays in this process."""
    yield from side_by_side(partial(live, source), trials, workers=workers)
