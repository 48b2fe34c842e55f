"""Half of the small day, driven by hand without a fault, as a solution file tells it."""

from copy import deepcopy
from typing import Any, Final

import msgspec

from simulations.mdrp_score import Solution

_C1: Final = [
    {"kind": "pickup", "orders": ["o1", "o2"], "arrive": 7, "depart": 18, "decided_at": [6, 6]},
    {"kind": "dropoff", "order": "o1", "arrive": 22, "depart": 26, "decided_at": 6},
    {"kind": "dropoff", "order": "o2", "arrive": 28, "depart": 32, "decided_at": 6},
]
_C2: Final = [
    {"kind": "pickup", "order": "o3", "arrive": 11, "depart": 31, "decided_at": 9},
    {"kind": "dropoff", "order": "o3", "arrive": 37, "depart": 41, "decided_at": 9},
    {"kind": "move", "restaurant": "r1", "arrive": 51, "depart": 51, "decided_at": 41},
]


def raw() -> dict[str, Any]:
    """A copy that may be broken."""
    pages = [{"courier": "c1", "stops": _C1}, {"courier": "c2", "stops": _C2}]
    return deepcopy({"couriers": pages})


def of(told: dict[str, Any]) -> Solution:
    """As the judge reads it."""
    return msgspec.convert(told, Solution)
