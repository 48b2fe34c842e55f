"""A recorded day under chaos: lived, hurt, audited, and told."""

import random
import statistics
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx2
import msgspec
from rich.console import Console
from rich.table import Table

from simulations import mdrp
from simulations.chaos.audit import Audit
from simulations.chaos.elsewhere import Elsewhere, Service
from simulations.chaos.harm import Harm
from simulations.chaos.injector import Harmed, Injector
from simulations.score import Score
from simulations.witness import Chronicle, Request
from storage.servers.patience import Stopwatch

_ASK_S: Final = 1.0
_LAST_HARM_S: Final = 120.0
_CALM_S: Final = 120.0


def speed_of(folder: Path, *, minutes: float) -> float:
    """How fast a recorded day must go to last so many real minutes; raises mdrp.BadInstance."""
    day = mdrp.day(mdrp.read(folder), starts_at=0)
    ends_at = max(one.off_at or 0 for one in day.couriers)
    return max(1.0, ends_at / 60_000 / minutes)


def is_well(url: str) -> bool:
    """Whether the service says that all of it serves, the live stream too."""
    try:
        answer = httpx2.get(f"{url}/readyz", timeout=_ASK_S, trust_env=False)
    except httpx2.HTTPError:
        return False
    return answer.status_code == 200 and answer.json()["live_stream"] == "ok"


def count_cells(url: str) -> int:
    """How many cells there are, well or not."""
    try:
        answer = httpx2.get(f"{url}/readyz", timeout=_ASK_S, trust_env=False)
    except httpx2.HTTPError:
        return 0
    return len(answer.json()["cells"])


def _has_begun(chronicle: Chronicle) -> bool:
    """Everybody is logged in, and the first gift was ordered."""
    asked = (one.asked for one in chronicle.answers)
    return any(isinstance(one, Request) and one.path == "/v1/orders" for one in asked)


def _calm(injector: Injector, url: str) -> None:
    """End the harm, and wait for the service to be well, but not for ever."""
    injector.stop(patience_s=_LAST_HARM_S)
    watch = Stopwatch()
    while not is_well(url):
        if watch.elapsed_s > _CALM_S:
            injector.violations.append(f"not well {_CALM_S:.0f} s after the last harm")
            return
        threading.Event().wait(_ASK_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Harming:
    """What is done to the service: the kinds in an order drawn from `seed`, so many rounds of them.

    Each waits until `is_whole` says that what the former one took is there again.
    """

    kinds: Mapping[str, Harm]
    seed: int
    rounds: int | None = None
    patience_s: float = 90.0
    is_whole: Callable[[], bool] = lambda: True


def live_through(
    folder: Path, *, service: Service, speed: float, harming: Harming, out: Path, towns: int = 1
) -> bool:
    """Live the day while harm is done; print and write what came of it; whether all held.

    The same day may be lived in several `towns` far from each other, each with a cell of its own.
    Harm begins with the first order. What was lost or doubled is said whatever happens: after the
    day, or as much of it as there was time for, nothing is harmed any more and all is looked at.

    `out` gets `told.jsonl`, every word to any client, `solution.json` and `chaos.json`.
    """
    console = Console()
    out.mkdir(parents=True, exist_ok=True)
    chronicle = Chronicle(out / "told.jsonl")
    injector = Injector(
        harming.kinds,
        chance=random.Random(harming.seed),
        is_well=lambda: is_well(service.url),
        on_harm=lambda one: console.print(
            f"{one.at_s:6.0f} s  {one.kind}: away for {one.away_s:.1f} s"
        ),
        may_harm=lambda: (
            _has_begun(chronicle) and harming.is_whole() and count_cells(service.url) >= towns
        ),
        rounds=harming.rounds,
        patience_s=harming.patience_s,
    )
    audit = Audit(chronicle, service.database, calm=lambda: _calm(injector, service.url))
    injector.start()
    others = [
        Elsewhere(folder, service=service, speed=speed, out=out / f"town-{number}")
        for number in range(2, towns + 1)
    ]
    try:
        found = service.live(folder, speed=speed, out=out, audit=audit)
    finally:
        injector.stop(patience_s=_LAST_HARM_S)
        chronicle.close()
    _tell(console, found, injector.harmed, audit)
    elsewhere = [what for other in others for what in other.violations()]
    violations = [*found.violations, *found.faults, *injector.violations, *elsewhere]
    for one in (*injector.violations, *elsewhere):
        console.print(f"violation: {one}")
    _write(out / "chaos.json", found, injector, audit)
    return not violations


def _tell(console: Console, found: Score, harmed: Sequence[Harmed], audit: Audit) -> None:
    table = Table("harm", "times", "away, median s", "away, most s")
    of_kind = defaultdict(list)
    for one in harmed:
        of_kind[one.kind].append(one.away_s)
    for kind, away in sorted(of_kind.items()):
        table.add_row(kind, str(len(away)), f"{statistics.median(away):.1f}", f"{max(away):.1f}")
    console.print(table)
    console.print(
        f"{len(harmed)} times harmed; {found.lost} lost, {found.duplicates} doubled; "
        f"{audit.witness.lines} words to clients, {audit.asked_again} commands asked again, "
        f"{audit.histories_read} histories read"
    )


def _write(path: Path, found: Score, injector: Injector, audit: Audit) -> None:
    told = {
        "day": found.name,
        "orders": found.orders,
        "delivered": found.delivered,
        "lost": found.lost,
        "doubled": found.duplicates,
        "violations": [*found.violations, *injector.violations],
        "odd_answers": found.faults,
        "told": audit.witness.lines,
        "asked_again": audit.asked_again,
        "histories_read": audit.histories_read,
        "harm": [
            {"kind": one.kind, "at_s": round(one.at_s, 1), "away_s": round(one.away_s, 2)}
            for one in injector.harmed
        ],
    }
    path.write_bytes(msgspec.json.format(msgspec.json.encode(told)))
