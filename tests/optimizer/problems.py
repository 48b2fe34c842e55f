"""Small towns for the optimizer: written out by hand, or drawn by hypothesis."""

from collections.abc import Mapping, Sequence

import numpy as np
from hypothesis import strategies as st

from optimizer.problem import (
    Expected,
    Job,
    MatrixTravel,
    Policy,
    Problem,
    Route,
    Service,
    Trip,
    Vehicle,
    Weights,
)

SERVICE = Service(pickup_before_s=120, pickup_after_s=60, delivery_before_s=90, delivery_after_s=30)


def a_street(length: int = 20, block_s: int = 60) -> MatrixTravel:
    """A straight street: node n is n blocks from its beginning."""
    nodes = np.arange(length)
    return MatrixTravel(seconds=np.abs(nodes[:, None] - nodes) * block_s)


def a_job(id_: str, pickup: int, delivery: int, **more: object) -> Job:
    told = {"ready_s": 0, "placed_s": -60, "due_s": 3600, "group": f"shop {pickup}"} | more
    return Job(id=id_, pickup=pickup, delivery=delivery, **told)  # type: ignore[arg-type]


def a_problem(
    vehicles: Sequence[Vehicle],
    jobs: Sequence[Job],
    *,
    candidates: Mapping[str, tuple[str, ...]] | None = None,
    policy: Policy | None = None,
    incumbent: Sequence[Route] = (),
    **more: object,
) -> Problem:
    """On the street, where everybody may do everything unless told otherwise."""
    everybody = tuple(vehicle.id for vehicle in vehicles)
    allowed = {job.id: everybody for job in jobs} if candidates is None else candidates
    told = {"travel": a_street(), "service": SERVICE} | more
    return Problem(
        vehicles=tuple(vehicles),
        jobs=tuple(jobs),
        candidates=allowed,
        policy=policy or Policy(rounds_max=5),
        incumbent=incumbent,
        **told,  # type: ignore[arg-type]
    )


def a_route(vehicle: str, *trips: tuple[str, ...]) -> Route:
    """An incumbent's route, of which only names and order count."""
    return Route(
        vehicle=vehicle,
        trips=tuple(
            Trip(group="", jobs=jobs, leave_s=0, pickup_s=0, deliveries_s=()) for jobs in trips
        ),
    )


weights = st.builds(
    Weights,
    waiting=st.integers(1, 100),
    lateness=st.integers(0, 100),
    travel=st.integers(0, 20),
    idle=st.integers(0, 200),
    stability=st.sampled_from([0, 500, 50_000]),
    time=st.sampled_from([0, 30, 100]),
    unassigned=st.sampled_from([1_000, 100_000, 2_000_000]),
    unassigned_age=st.integers(0, 100),
)

policies = st.builds(
    Policy,
    weights=weights,
    bundle_size_max=st.integers(1, 4),
    bundle_extra_s_max=st.sampled_from([0, 120, 600, 3600]),
    trips_max=st.integers(1, 4),
    rounds_max=st.sampled_from([0, 3, 10]),
)


expectations = st.builds(
    Expected,
    rate=st.sampled_from([0.0, 0.0005, 0.01]),
    preparation=st.sampled_from([(1.0,), (1 / 30,) * 30]),
    promised_s=st.integers(0, 3600),
    approach_s=st.integers(0, 900),
    work_s=st.integers(60, 3600),
    seed=st.integers(0, 3),
)


@st.composite
def towns(draw: st.DrawFn, vehicles_max: int = 5, jobs_max: int = 9) -> Problem:
    """Problems of every kind: tight and roomy, with paces, trips under way, broken incumbents."""
    nodes = draw(st.integers(4, 12))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    shops = draw(st.integers(1, 3))
    jobs = tuple(
        Job(
            id=f"job {n:02}",
            pickup=(shop := draw(st.integers(0, shops - 1))),
            delivery=draw(st.integers(0, nodes - 1)),
            group=f"shop {shop}",
            ready_s=draw(st.integers(-20, 40)) * 60,
            placed_s=-60 * draw(st.integers(0, 60)),
            due_s=60 * draw(st.integers(-20, 90)),
            size=draw(st.integers(1, 3)),
            weight_g=draw(st.sampled_from([0, 500, 4_000])),
            weight=draw(st.integers(1, 3)),
        )
        for n in range(draw(st.integers(0, jobs_max)))
    )
    pairs = [(f"shop {a}", f"shop {b}") for a in range(shops) for b in range(a)]
    neighbours = tuple(pair for pair in pairs if draw(st.booleans()))
    vehicles = _vehicles(draw, nodes, jobs, vehicles_max)
    names = [vehicle.id for vehicle in vehicles]
    some = st.lists(st.sampled_from([*names, "gone"]), unique=True).map(tuple)
    candidates = {job.id: draw(st.one_of(st.just(tuple(names)), some)) for job in jobs}
    return Problem(
        vehicles=vehicles,
        jobs=jobs,
        candidates=candidates,
        travel=MatrixTravel(seconds=rng.integers(0, 1500, (nodes, nodes))),
        service=SERVICE,
        policy=draw(policies),
        incumbent=(
            *_under_way(draw, vehicles, jobs, neighbours),
            *draw(_incumbents(names, [job.id for job in jobs])),
        ),
        seed=draw(st.integers(0, 3)),
        neighbours=neighbours,
        expected=draw(st.one_of(st.none(), expectations)),
    )


def _vehicles(
    draw: st.DrawFn, nodes: int, jobs: Sequence[Job], vehicles_max: int
) -> tuple[Vehicle, ...]:
    shops: list[str | None] = [None, *{job.group: None for job in jobs}]
    return tuple(
        Vehicle(
            id=f"vehicle {n}",
            node=draw(st.integers(0, nodes - 1)),
            free_at_s=60 * draw(st.integers(-5, 30)),
            latest_pickup_s=draw(st.one_of(st.none(), st.integers(-600, 6000))),
            capacity=draw(st.integers(1, 6)),
            capacity_g=draw(st.sampled_from([None, 3_000, 8_000])),
            idle_since_s=-60 * draw(st.integers(0, 60)),
            pace_permille=draw(st.sampled_from([1000, 1000, 700, 1333])),
            bound_for=draw(st.sampled_from(shops)),
        )
        for n in range(draw(st.integers(0, vehicles_max)))
    )


def _under_way(
    draw: st.DrawFn,
    vehicles: Sequence[Vehicle],
    jobs: Sequence[Job],
    neighbours: Sequence[tuple[str, str]],
) -> tuple[Route, ...]:
    """For some of those who are bound for a shop the trip that takes them there, and further."""
    open_, pairs = list(jobs), {*neighbours, *((b, a) for a, b in neighbours)}
    routes = []
    for vehicle in vehicles:
        there = [job for job in open_ if job.group == vehicle.bound_for]
        beside = [job for job in open_ if (job.group, vehicle.bound_for) in pairs]
        together = [
            *there[: draw(st.integers(0, 2))],
            *beside[: draw(st.integers(0, 1)) if there else 0],
        ]
        mates = draw(st.permutations(together))
        open_ = [job for job in open_ if job not in mates]
        if mates:
            routes.append(a_route(vehicle.id, tuple(job.id for job in mates)))
    return tuple(routes)


@st.composite
def _incumbents(draw: st.DrawFn, vehicles: Sequence[str], jobs: Sequence[str]) -> tuple[Route, ...]:
    """Any grouping of any jobs on any vehicles, also of those that are gone."""
    trips = st.lists(st.sampled_from([*jobs, "gone"]), min_size=1, max_size=3).map(tuple)
    chains = st.lists(trips, max_size=3)
    return tuple(
        a_route(vehicle, *draw(chains))
        for vehicle in draw(st.lists(st.sampled_from([*vehicles, "gone"]), max_size=3))
    )
