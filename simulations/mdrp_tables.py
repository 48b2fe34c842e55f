"""The bench of recorded days for people: runs by instance, means beside those of others."""

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec
from rich.table import Table

from simulations.mdrp_runs import Lived

Row = Mapping[str, str]


class Means(msgspec.Struct, frozen=True, kw_only=True):
    """Means over instances, each of the same weight; None where nothing is known."""

    excess: float | None
    click_to_door: float | None
    click_to_door_p90: float | None
    overage: float | None
    ready_to_pickup: float | None
    undelivered_pct: float | None
    cost_per_order: float | None


class References(msgspec.Struct, frozen=True, kw_only=True):
    """What others reached: by policy and instance."""

    by_policy: dict[str, dict[str, Means]]

    def mean(self, policy: str, instances: Iterable[str]) -> Means | None:
        """A policy's means over these instances; None when it lacks one."""
        known = self.by_policy[policy]
        found = [known.get(one) for one in instances]
        there = [one for one in found if one is not None]
        return mean_of(there) if len(there) == len(found) else None


PUBLISHED = "published"
_UNDELIVERED_MIN = 90
_HEADINGS = ("excess", "click-to-door", "p90", "overage", "ready-to-pickup", "undel. %", "cost")


def mean_of(several: Sequence[Means]) -> Means:
    """Means of means."""
    return Means(
        **{name: _mean([getattr(one, name) for one in several]) for name in Means.__struct_fields__}
    )


def _mean(values: Sequence[float | None]) -> float | None:
    there = [one for one in values if one is not None]
    return sum(there) / len(there) if there else None


def by_instance(lived: Iterable[Lived]) -> dict[str, list[Lived]]:
    """The runs of each instance, by name and seed."""
    found: dict[str, list[Lived]] = defaultdict(list)
    for one in sorted(lived, key=lambda run: (run.instance, run.seed)):
        found[one.instance].append(one)
    return found


def means(runs: Sequence[Lived]) -> Means:
    """Means over the runs of one instance."""
    return mean_of(
        [
            Means(**{name: getattr(one.figures, name) for name in Means.__struct_fields__})
            for one in runs
        ]
    )


def references(beside: Path) -> References:
    """What published.csv and baselines.csv in this folder tell; nothing where they are not."""
    found: dict[str, dict[str, Means]] = defaultdict(dict)
    for row in _rows(beside / "published.csv"):
        found[PUBLISHED][row["instance"]] = _published(row)
    for row in _rows(beside / "baselines.csv"):
        # What was published is told by its own file.
        if not row["algorithm"].startswith(PUBLISHED):
            found[row["algorithm"]][row["instance"]] = _baseline(row)
    return References(by_policy=dict(found))


def _rows(file: Path) -> list[Row]:
    if not file.is_file():
        return []
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _published(row: Row) -> Means:
    waited = _number(row, "reyes18_ctd_mean")
    undelivered = _number(row, "reyes18_undelivered_pct")
    bound = _number(row, "ctd_direct_bound")
    excess = None
    if waited is not None and undelivered is not None and bound is not None:
        share = undelivered / 100
        excess = waited * (1 - share) + _UNDELIVERED_MIN * share - bound
    return Means(
        excess=excess,
        click_to_door=waited,
        click_to_door_p90=_number(row, "reyes18_ctd_p90"),
        overage=_number(row, "reyes18_ctd_overage_mean"),
        ready_to_pickup=_number(row, "reyes18_rtp_mean"),
        undelivered_pct=undelivered,
        cost_per_order=_number(row, "reyes18_cost_per_order"),
    )


def _baseline(row: Row) -> Means:
    everybody, bound = _number(row, "ctd_mean_all"), _number(row, "direct_bound")
    return Means(
        excess=None if everybody is None or bound is None else everybody - bound,
        click_to_door=_number(row, "ctd_mean"),
        click_to_door_p90=_number(row, "ctd_p90"),
        overage=_number(row, "ctd_overage_mean"),
        ready_to_pickup=_number(row, "rtp_mean"),
        undelivered_pct=_number(row, "undelivered_pct"),
        cost_per_order=_number(row, "cost_per_order"),
    )


def _number(row: Row, name: str) -> float | None:
    text = row.get(name) or ""
    try:
        return float(text)
    except ValueError:
        return None


def instances_table(lived: Iterable[Lived], known: References) -> Table:
    """A line for each instance: means over its seeds, in brackets what was published."""
    table = Table("instance", "orders", "couriers", *_HEADINGS, "slowest s", "CPU s", "wall s", "")
    published = known.by_policy.get(PUBLISHED, {})
    for name, runs in by_instance(lived).items():
        table.add_row(
            name,
            str(runs[0].figures.orders),
            str(runs[0].couriers),
            *_beside(means(runs), published.get(name)),
            f"{max(one.slowest_ms for one in runs) / 1000:.2f}",
            f"{max(one.slowest_cpu_ms for one in runs) / 1000:.2f}",
            f"{sum(one.wall_s for one in runs) / len(runs):.0f}",
            "" if all(one.is_clean for one in runs) else "SEE BELOW",
        )
    return table


def _beside(ours: Means, published: Means | None) -> list[str]:
    if published is None:
        return _cells(ours)
    pairs = zip(_cells(ours), _cells(published), strict=True)
    return [f"{a} ({b})" for a, b in pairs]


def means_table(lived: Iterable[Lived], known: References) -> Table:
    """Means over the instances of this run, for us and for everybody who is known on all."""
    grouped = by_instance(lived)
    table = Table("policy", *_HEADINGS, title="means over instances", title_justify="left")
    table.add_row("this one", *_cells(overall(grouped)), style="bold")
    for policy in known.by_policy:
        theirs = known.mean(policy, grouped)
        if theirs is not None:
            table.add_row(policy, *_cells(theirs))
    return table


def overall(grouped: Mapping[str, Sequence[Lived]]) -> Means:
    """Means over instances of means over seeds."""
    return mean_of([means(runs) for runs in grouped.values()])


def better_than_published(
    grouped: Mapping[str, Sequence[Lived]], known: References
) -> tuple[int, int]:
    """On how many instances mean click-to-door is below the published one, and of how many."""
    published = known.by_policy.get(PUBLISHED, {})
    pairs = [
        (means(runs).click_to_door, published[name].click_to_door)
        for name, runs in grouped.items()
        if name in published
    ]
    told = [(a, b) for a, b in pairs if a is not None and b is not None]
    return sum(a < b for a, b in told), len(told)


def _cells(one: Means) -> list[str]:
    return [_cell(getattr(one, name)) for name in Means.__struct_fields__]


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
