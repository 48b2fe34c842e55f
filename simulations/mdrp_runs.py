"""One run of a recorded day through the actors in virtual time: lived, judged, and cut short."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from actors.solver import Solver, real_stopwatch, stopped_watch
from actors.solving import LocalSolver
from engine.kernel.timing import MINUTE_MS
from optimizer.problem import Plan, Problem
from optimizer.routing.problem import RoutingPlan, RoutingProblem
from simulations import mdrp, mdrp_score
from simulations.mdrp import Instance
from simulations.mdrp_leak import Leak, Traces, compare, until
from simulations.mdrp_score import Figures, Judgement, judge
from simulations.replay import PUNCTUAL, VIRTUAL_START, live_virtually
from simulations.score import Score

_EVALUATOR_S = 120
# The evaluator rounds to four decimals.
_AGREES = 1e-3
_FAULTS_MAX = 20

# The policy that is measured; a test may plant another, which even knows the whole day.
Policy = Callable[[Instance], Solver]
# Told how many orders more have come before the solver.
OnOrders = Callable[[int], None]


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A day to live; with `cut` it is lived again without the orders after that minute."""

    folder: Path
    seed: int
    out: Path
    evaluator: Path | None = None
    cut: int | None = None


class Lived(msgspec.Struct, frozen=True, kw_only=True):
    """How a run went.

    `faults` are broken rules of the problem, `odd` what was lost, doubled or contradicted on the
    way, `disagreements` what the evaluator says otherwise. `slowest_ms` is the longest real time of
    one plan with its verification, `slowest_cpu_ms` the most that one has computed: on a machine
    that does other work the first says more of that work.
    """

    instance: str
    seed: int
    couriers: int
    figures: Figures
    faults: tuple[str, ...]
    odd: tuple[str, ...]
    disagreements: tuple[str, ...]
    leak: Leak | None
    slowest_ms: float
    slowest_cpu_ms: float
    plans: int
    wall_s: float
    solution: str

    @property
    def is_clean(self) -> bool:
        """Whether nothing speaks against it."""
        leaks = self.leak is not None and self.leak.is_leak
        return not (self.faults or self.odd or self.disagreements or leaks)


class WatchedSolver:
    """Another solver, with its real times, that says how many orders it has been shown."""

    def __init__(self, solver: Solver, on_orders: OnOrders) -> None:
        self._solver, self._on_orders = solver, on_orders
        self._seen: set[str] = set()
        self.slowest_ms = 0.0
        self.slowest_cpu_ms = 0.0
        self.plans = 0

    async def plan(self, problem: Problem) -> Plan:
        """The other's plan."""
        elapsed_s, cpu_began_s = real_stopwatch(), time.process_time()
        plan = await self._solver.plan(problem)
        self.slowest_ms = max(self.slowest_ms, elapsed_s() * 1000)
        cpu_ms = (time.process_time() - cpu_began_s) * 1000
        self.slowest_cpu_ms = max(self.slowest_cpu_ms, cpu_ms)
        self.plans += 1
        known = len(self._seen)
        self._seen.update(job.id for job in problem.jobs)
        self._on_orders(len(self._seen) - known)
        return plan

    async def route(self, problem: RoutingProblem) -> RoutingPlan:
        """The other's plan for later windows."""
        return await self._solver.route(problem)


def the_policy(_instance: Instance) -> Solver:
    """The service's own solver, bounded by rounds so that runs are alike."""
    return LocalSolver(stopped_watch)


def live(run: Run, *, on_orders: OnOrders, policy: Policy = the_policy) -> Lived:
    """Live a day, write its solution, judge it, and try whether it knew the future."""
    instance = mdrp.read(run.folder)
    watched = WatchedSolver(policy(instance), on_orders)
    solution = run.out / f"{instance.name}.{run.seed}.json"
    with tempfile.TemporaryDirectory() as kept:
        events = Path(kept) / "whole.events"
        score = _live(instance, run.seed, watched, out=solution, events=events)
        whole = Traces(mdrp_score.read(solution), events)
        judged = judge(instance, whole.solution)
        told = None if run.evaluator is None else evaluated(run.evaluator, run.folder, solution)
        leak = None
        differing = disagreements(judged, told)
        if run.cut is not None:
            shorter = until(instance, run.cut)
            solver = WatchedSolver(policy(shorter), on_orders)
            leak = _cut_short(run, shorter, solver, whole)
            differing += _unlike(run, leak, solution)
    return Lived(
        instance=instance.name,
        seed=run.seed,
        couriers=len(instance.couriers),
        figures=judged.figures,
        faults=tuple(" ".join(one) for one in judged.faults[:_FAULTS_MAX]),
        odd=_odd(score),
        disagreements=differing,
        leak=leak,
        slowest_ms=watched.slowest_ms,
        slowest_cpu_ms=watched.slowest_cpu_ms,
        plans=watched.plans,
        wall_s=score.wall_s,
        solution=solution.name,
    )


def _live(
    instance: Instance,
    seed: int,
    solver: Solver,
    *,
    out: Path | None = None,
    events: Path | None = None,
) -> Score:
    return live_virtually(
        mdrp.day(instance, starts_at=VIRTUAL_START),
        seed=seed,
        behaviour=PUNCTUAL,
        undeliverable=instance.undeliverable(),
        out=out,
        events=events,
        solver=solver,
    )


def _cut_short(run: Run, shorter: Instance, solver: Solver, whole: Traces) -> Leak:
    """The day again without its orders after the cut, beside the whole."""
    assert run.cut is not None
    events = whole.events.with_name("cut.events")
    out = _cut_solution(run, shorter.name)
    _live(shorter, run.seed, solver, out=out, events=events)
    cut_at = VIRTUAL_START + run.cut * MINUTE_MS
    return compare(whole, Traces(mdrp_score.read(out), events), cut=run.cut, cut_at=cut_at)


def _cut_solution(run: Run, name: str) -> Path:
    return run.out / f"{name}.{run.seed}.until-{run.cut}.json"


def _unlike(run: Run, leak: Leak, solution: Path) -> tuple[str, ...]:
    """Where the evaluator says otherwise of the two solutions up to the cut."""
    if run.evaluator is None:
        return ()
    cut_short = _cut_solution(run, run.folder.resolve().name)
    words = ("--prefix", str(solution), str(cut_short), "--cut", str(leak.cut))
    told = _ask(run.evaluator, *words)
    if told.get("consistent") == leak.is_prefix:
        return ()
    return (f"decisions up to minute {leak.cut} agree: ours {leak.is_prefix}, {told}",)


def _odd(score: Score) -> tuple[str, ...]:
    counted = [
        f"{number} orders {what}"
        for number, what in ((score.lost, "lost"), (score.duplicates, "delivered twice"))
        if number
    ]
    return (*counted, *score.violations, *score.faults)[:_FAULTS_MAX]


def evaluated(evaluator: Path, folder: Path, solution: Path) -> dict[str, Any]:
    """What the evaluator script says of a solution."""
    return _ask(evaluator, str(folder), str(solution))


def _ask(evaluator: Path, *words: str) -> dict[str, Any]:
    try:
        answer = subprocess.run(
            [sys.executable, str(evaluator), *words],
            capture_output=True,
            text=True,
            timeout=_EVALUATOR_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"{evaluator.name} did not answer within {_EVALUATOR_S} s"}
    try:
        told: dict[str, Any] = json.loads(answer.stdout)
    except ValueError:
        last = (answer.stderr.strip().splitlines() or ["no word"])[-1]
        return {"failed": f"{evaluator.name} ended with {answer.returncode}: {last}"}
    return told


def disagreements(judged: Judgement, told: dict[str, Any] | None) -> tuple[str, ...]:
    """Where verdict and figures of the evaluator are not ours."""
    if told is None:
        return ()
    if "failed" in told:
        return (str(told["failed"]),)
    try:
        pairs = _pairs(judged, told)
    except KeyError as missing:
        return (f"the evaluator tells no {missing}",)
    return tuple(
        f"{name}: ours {a}, the evaluator's {b}"
        for name, (a, b) in pairs.items()
        if not _agree(a, b)
    )


def _pairs(judged: Judgement, told: dict[str, Any]) -> dict[str, tuple[float | None, float | None]]:
    ours = judged.figures
    return {
        "feasible": (not judged.faults, told["feasible"]),
        "violations": (len(judged.faults), told["violations"]),
        "delivered": (ours.delivered, told["delivered"]),
        "undelivered %": (ours.undelivered_pct, told["undelivered_pct"]),
        "excess": (ours.excess, told["click_to_door_mean_all"] - told["direct_bound_mean"]),
        "click-to-door": (ours.click_to_door, _of(told, "click_to_door", "mean")),
        "click-to-door p90": (ours.click_to_door_p90, _of(told, "click_to_door", "p90")),
        "overage": (ours.overage, _of(told, "click_to_door_overage", "mean")),
        "ready-to-pickup": (ours.ready_to_pickup, _of(told, "ready_to_pickup", "mean")),
        "cost per order": (ours.cost_per_order, told["cost_per_order"]),
        "orders per trip": (ours.orders_per_trip, _of(told, "orders_per_bundle", "mean")),
        "over the maximum": (ours.over_maximum, told["over_maximum"]),
    }


def _of(told: dict[str, Any], name: str, part: str) -> float | None:
    spread = told[name]
    return None if spread is None else spread[part]


def _agree(a: float | None, b: float | None) -> bool:
    if a is None or b is None:
        return a is b
    return abs(a - b) <= _AGREES
