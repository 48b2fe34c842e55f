"""A lived day as a solution file of the recorded problem: stops with minutes, for its evaluator."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from engine.kernel.place import Place, Point
from engine.kernel.timing import MINUTE_MS, Instant
from simulations.diary import Diary, Visit

# The recorded problem knows neither doors that stay shut nor returns.
_STOPS = frozenset({"move", "wait", "pickup", "dropoff"})


def solution(diary: Diary, *, shops: Iterable[Place], starts_at: Instant) -> dict[str, Any]:
    """Every courier's stops, in minutes since the start of the day.

    Where he waited for orders is one of the `shops`, or one of the orders', and is named like it.
    """
    places = (*shops, *(one.wanted.shop for one in diary.orders.values()))
    names = {one.point: one.name for one in places}
    return {
        "couriers": [
            {
                "courier": page.plan.key,
                "stops": [
                    stop
                    for visit in page.visits
                    if visit.kind in _STOPS
                    for stop in _stops(visit, names, starts_at=starts_at)
                ],
            }
            for page in diary.couriers.values()
        ]
    }


def write(file: Path, diary: Diary, *, shops: Iterable[Place], starts_at: Instant) -> None:
    """Write the solution as JSON."""
    text = json.dumps(solution(diary, shops=shops, starts_at=starts_at), indent=1)
    file.write_text(text + "\n", "utf-8")


def _stops(visit: Visit, names: Mapping[Point, str], *, starts_at: Instant) -> list[dict[str, Any]]:
    def minute(at: Instant) -> float:
        return (at - starts_at) / MINUTE_MS

    times = {"arrive": minute(visit.arrived_at), "depart": minute(visit.free_at)}
    told = [minute(at) for at in visit.told_at]
    if visit.kind in {"move", "wait"}:
        return [{"kind": "move", "restaurant": names[visit.point], **times, "decided_at": told}]
    if visit.kind == "pickup":
        return [{"kind": "pickup", "orders": list(visit.keys), **times, "decided_at": told}]
    return [
        {"kind": "dropoff", "order": key, **times, "decided_at": at}
        for key, at in zip(visit.keys, told, strict=True)
    ]
