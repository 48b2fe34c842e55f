"""Our plans of pick-ups and deliveries beside those of other solvers, in the same time."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean

from rich.console import Console
from rich.progress import Progress, TimeElapsedColumn
from rich.table import Table

from optimizer.routing.problem import Effort, RoutingPlan, RoutingProblem
from optimizer.routing.solve import solve
from optimizer.routing.verify import verify
from simulations.routing import li_lim, peers
from simulations.routing.confined import MEMORY_BYTES_MAX, Peer, ask, processor_stopwatch
from simulations.routing.instances import city, hub
from simulations.routing.timetable import plan_from

OURS = "ours"
BUDGETS_S = (1.0, 5.0, 20.0)
SIZES = (20, 50, 100, 200)
FAMILIES = {"city": city, "hub": hub}
_PEERS: dict[str, Peer] = {
    "OR-Tools": peers.default_library,
    "OR-Tools guided": peers.guided_library,
    "VROOM": peers.vroom,
    "PyVRP": peers.pyvrp,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A problem, with the name of the group whose mean is told."""

    group: str
    name: str
    problem: RoutingProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a solver made of a case; cost None = it found no plan, or one that breaks a rule.

    budget_s, took_s: of the processor. ended: it took too much and found nothing.
    """

    case: Case
    budget_s: float
    solver: str
    cost: int | None
    took_s: float
    unserved: int
    fault: str = ""
    ended: bool = False


def generated(sizes: Sequence[int], seeds: Sequence[int]) -> list[Case]:
    """The generated cases."""
    return [
        Case(group=f"{family} {size}", name=f"{family} {size}-{seed}", problem=make(size, seed))
        for family, make in FAMILIES.items()
        for size in sizes
        for seed in seeds
    ]


def recorded(paths: Sequence[Path]) -> list[Case]:
    """The cases of files in the format of Li & Lim."""
    return [Case(group=path.name, name=path.name, problem=li_lim.read(path)) for path in paths]


def run(
    cases: Sequence[Case], budgets_s: Sequence[float], *, memory_bytes: int = MEMORY_BYTES_MAX
) -> list[Outcome]:
    """Let every solver have every case for every budget, and print the table.

    memory_bytes: what each of the others may take at most.
    """
    console = Console()
    missing = peers.missing_peers()
    for name in missing:
        console.print(f"[bold red]{name} is not installed and NOT compared: {peers.INSTALL}")
    console.print(f"compiling took {_compile():.1f} s, which no budget pays for")
    solvers = [OURS, *(name for name in _PEERS if name not in missing)]
    jobs = [(case, budget, name) for case in cases for budget in budgets_s for name in solvers]
    outcomes = []
    columns = (*Progress.get_default_columns(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=sum(budget for _, budget, _ in jobs))
        for case, budget, name in jobs:
            progress.update(task, description=f"{case.name}, {budget:g} s, {name}")
            outcomes.append(_outcome(case, budget, name, memory_bytes))
            progress.advance(task, budget)
    console.print(_table(outcomes, solvers))
    for one in outcomes:
        if one.fault:
            console.print(f"[red]{one.solver}, {one.case.name}, {one.budget_s:g} s: {one.fault}")
    return outcomes


def _compile() -> float:
    """Have everything compiled; how many seconds that took."""
    elapsed_s = processor_stopwatch()
    problem = replace(city(20, 0), effort=Effort(time_budget_s=600, rounds_max=200))
    solve(problem, elapsed_s=lambda: 0.0)
    return elapsed_s()


def _outcome(case: Case, budget_s: float, solver: str, memory_bytes: int) -> Outcome:
    if solver == OURS:
        elapsed_s = processor_stopwatch()
        problem = replace(case.problem, effort=Effort(time_budget_s=budget_s))
        plan = solve(problem, elapsed_s=processor_stopwatch())
        return _judged(case, budget_s, solver, plan, took_s=elapsed_s())
    answer = ask(_PEERS[solver], case.problem, budget_s, memory_bytes=memory_bytes)
    found = None if answer.lines is None else plan_from(case.problem, answer.lines)
    outcome = _judged(case, budget_s, solver, found, took_s=answer.took_s)
    return replace(outcome, fault=answer.ended, ended=True) if answer.ended else outcome


def _judged(
    case: Case, budget_s: float, solver: str, plan: RoutingPlan | None, *, took_s: float
) -> Outcome:
    broken = () if plan is None else verify(case.problem, plan)
    fault = "no plan" if plan is None else f"infeasible: {broken[0]}" if broken else ""
    return Outcome(
        case=case,
        budget_s=budget_s,
        solver=solver,
        cost=None if plan is None or broken else plan.cost,
        took_s=took_s,
        unserved=0 if plan is None else len(plan.unserved),
        fault=fault,
    )


def _table(outcomes: Sequence[Outcome], solvers: Sequence[str]) -> Table:
    best = best_costs(outcomes)
    groups: dict[tuple[str, float], list[Outcome]] = defaultdict(list)
    for one in outcomes:
        groups[one.case.group, one.budget_s].append(one)
    table = Table("instances", "budget s", *solvers, "ours by best peer, mean / worst")
    for (group, budget), members in groups.items():
        cells = [_cell([one for one in members if one.solver == name], best) for name in solvers]
        table.add_row(group, f"{budget:g}", *cells, _beside_peers(members))
    table.caption = (
        "budgets in seconds of the processor; "
        "mean cost above the best found by anybody in this run; (n) requests left out; "
        "slowest answer where the budget was overdrawn by a tenth"
    )
    return table


def best_costs(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """For each case the least that any solver found with any budget."""
    best: dict[str, int] = {}
    for one in outcomes:
        if one.cost is not None:
            best[one.case.name] = min(one.cost, best.get(one.case.name, one.cost))
    return best


def _cell(members: Sequence[Outcome], best: dict[str, int]) -> str:
    failed = sum(one.cost is None for one in members)
    if failed:
        ended = sum(one.ended for one in members)
        counts = {"ended": ended, "infeasible": failed - ended}
        told = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        return f"[red]{told} of {len(members)}"
    above = mean((one.cost or 0) / best[one.case.name] - 1 for one in members)
    left = sum(one.unserved for one in members)
    slow = max(one.took_s for one in members)
    late = f" {slow:.1f} s" if slow > 1.1 * members[0].budget_s else ""
    return f"{above:+.2%}" + (f" ({left})" if left else "") + late


def _beside_peers(members: Sequence[Outcome]) -> str:
    """Our cost by that of the best other solver of each case, less one."""
    by_case: dict[str, dict[str, int]] = defaultdict(dict)
    for one in members:
        if one.cost is not None:
            by_case[one.case.name][one.solver] = one.cost
    ratios = [
        costs[OURS] / min(cost for name, cost in costs.items() if name != OURS) - 1
        for costs in by_case.values()
        if OURS in costs and len(costs) > 1
    ]
    return f"{mean(ratios):+.2%} / {max(ratios):+.2%}" if ratios else "-"
