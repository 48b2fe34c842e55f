"""A lived day as a solution file of the recorded problem: stops with minutes, for its evaluator."""

import json
from pathlib import Path
from typing import Any

from engine.kernel.timing import MINUTE_MS, Instant
from simulations.diary import Diary, Visit

# The recorded problem knows neither doors that stay shut nor returns.
_STOPS = frozenset({"pickup", "dropoff"})


def solution(diary: Diary, *, starts_at: Instant) -> dict[str, Any]:
    """Every courier's stops, in minutes since the start of the day."""
    return {
        "couriers": [
            {
                "courier": page.plan.key,
                "stops": [
                    stop
                    for visit in page.visits
                    if visit.kind in _STOPS
                    for stop in _stops(visit, starts_at=starts_at)
                ],
            }
            for page in diary.couriers.values()
        ]
    }


def write(file: Path, diary: Diary, *, starts_at: Instant) -> None:
    """Write the solution as JSON."""
    text = json.dumps(solution(diary, starts_at=starts_at), indent=1)
    file.write_text(text + "\n", "utf-8")


def _stops(visit: Visit, *, starts_at: Instant) -> list[dict[str, Any]]:
    def minute(at: Instant) -> float:
        return (at - starts_at) / MINUTE_MS

    times = {"arrive": minute(visit.arrived_at), "depart": minute(visit.free_at)}
    if visit.kind == "pickup":
        told = [minute(at) for at in visit.told_at]
        return [{"kind": "pickup", "orders": list(visit.keys), **times, "decided_at": told}]
    return [
        {"kind": "dropoff", "order": key, **times, "decided_at": minute(told_at)}
        for key, told_at in zip(visit.keys, visit.told_at, strict=True)
    ]
