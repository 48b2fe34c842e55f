"""Small pick-up and delivery problems, drawn or told."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from optimizer.routing.problem import (
    FOREVER_S,
    Effort,
    Request,
    Rest,
    RoutingProblem,
    Stop,
    Table,
    Vehicle,
    Weights,
)

NODES = 12
WEIGHTS = Weights(vehicle=300, time=1, lateness=3, unserved=20_000)
ROUNDS = Effort(time_budget_s=600, rounds_max=60)


def line_of_towns(step_s: int = 100) -> Table:
    """Towns on one road, so many seconds apart."""
    at = np.arange(NODES, dtype=np.int64)
    table: Table = np.abs(at[:, None] - at[None, :]) * step_s
    return table


def a_request(name: str, pickup: int, delivery: int, **fields: Any) -> Request:
    window = {key: fields.pop(key) for key in ("earliest_s", "latest_s", "due_s") if key in fields}
    return Request(
        id=name,
        pickup=Stop(node=pickup, service_s=10),
        delivery=Stop(node=delivery, service_s=20, **window),
        **fields,
    )


def a_problem(*requests: Request, vehicles: tuple[Vehicle, ...], **fields: Any) -> RoutingProblem:
    given = {"weights": WEIGHTS, "effort": ROUNDS, "seconds": line_of_towns(), **fields}
    return RoutingProblem(requests=requests, vehicles=vehicles, **given)


_nodes = st.integers(0, NODES - 1)
_skills = st.frozensets(st.sampled_from(["cold", "tall"]), max_size=1)


@st.composite
def _stops(draw: st.DrawFn) -> Stop:
    earliest = draw(st.integers(0, 40)) * 100
    latest = draw(st.sampled_from([FOREVER_S, earliest + 600, earliest + 2500]))
    due = draw(st.sampled_from([FOREVER_S, FOREVER_S, earliest + 300]))
    return Stop(
        node=draw(_nodes),
        earliest_s=earliest,
        latest_s=latest,
        due_s=due,
        service_s=draw(st.integers(0, 120)),
    )


@st.composite
def _rests(draw: st.DrawFn) -> tuple[Rest, ...]:
    if not draw(st.booleans()):
        return ()
    earliest = draw(st.integers(0, 30)) * 100
    first = Rest(
        earliest_s=earliest,
        latest_s=earliest + draw(st.integers(0, 20)) * 100,
        duration_s=draw(st.integers(1, 10)) * 60,
    )
    second = Rest(earliest_s=first.latest_s + 900, latest_s=first.latest_s + 2000, duration_s=300)
    return (first, second) if draw(st.booleans()) else (first,)


@st.composite
def routing_problems(draw: st.DrawFn) -> RoutingProblem:
    """Up to nine requests and four vehicles on a plane, with everything the problem knows."""
    places = np.array(draw(st.lists(st.tuples(_nodes, _nodes), min_size=NODES, max_size=NODES)))
    apart = np.hypot(*np.moveaxis(places[:, None] - places[None], -1, 0))
    requests = tuple(
        Request(
            id=f"r{n}",
            pickup=draw(_stops()),
            delivery=draw(_stops()),
            volume=draw(st.integers(0, 3)),
            weight=draw(st.integers(0, 3)),
            skills=draw(_skills),
            unserved=draw(st.sampled_from([None, None, 500])),
        )
        for n in range(draw(st.integers(1, 9)))
    )
    vehicles = tuple(
        Vehicle(
            id=f"v{n}",
            start=draw(_nodes),
            end=draw(st.none() | _nodes),
            shift_start_s=draw(st.integers(0, 10)) * 100,
            shift_end_s=draw(st.sampled_from([FOREVER_S, 4000, 8000])),
            volume=draw(st.integers(2, 6)),
            weight=draw(st.integers(2, 6)),
            skills=draw(_skills),
            pace_permille=draw(st.sampled_from([1000, 1000, 1500])),
            rests=draw(_rests()),
        )
        for n in range(draw(st.integers(1, 4)))
    )
    return RoutingProblem(
        requests=requests,
        vehicles=vehicles,
        seconds=np.ceil(apart * 100).astype(np.int64),
        weights=WEIGHTS,
        effort=ROUNDS,
        seed=draw(st.integers(0, 3)),
    )
