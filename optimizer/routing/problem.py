"""Pick-up and delivery with time windows as numbers, and the plan that answers it.

Instants are integer seconds from an origin of the caller's choice, costs are integers so that they
compare exactly, places are rows of the table of travel times.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Table = NDArray[np.int64]
FOREVER_S = 1 << 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A visit to a place: service begins within the window and takes `service_s`.

    `due_s` is the soft end of the window: each second after it costs the weight of lateness.
    """

    node: int
    earliest_s: int = 0
    latest_s: int = FOREVER_S
    due_s: int = FOREVER_S
    service_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One thing to be fetched at one stop and brought to another by the same vehicle.

    skills: what the vehicle must have. unserved: what it costs to leave the request out; None = the
    weight that holds for all.
    """

    id: str
    pickup: Stop
    delivery: Stop
    volume: int = 0
    weight: int = 0
    skills: frozenset[str] = frozenset()
    unserved: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """A break of so many seconds that begins within its window, never during a drive or a service.

    It falls away when the vehicle's work is over by the latest moment at which it could begin.
    """

    earliest_s: int
    latest_s: int
    duration_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Vehicle:
    """Somebody who can carry, from `shift_start_s` at `start` until `shift_end_s`.

    end: where he must be at the end of his shift; None = wherever his last service ends.
    pace_permille: his travel times by those of the table.
    rests: in the order in which they are taken.
    """

    id: str
    start: int
    end: int | None = None
    shift_start_s: int = 0
    shift_end_s: int = FOREVER_S
    volume: int = FOREVER_S
    weight: int = FOREVER_S
    skills: frozenset[str] = frozenset()
    pace_permille: int = 1000
    rests: tuple[Rest, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What a plan costs, in one unit for everything.

    vehicle: once per vehicle used. distance: per unit of the table of distances. time: per second
    of driving. lateness: per second of a service that begins after it is due. unserved: once per
    request left out.
    """

    vehicle: int = 0
    distance: int = 0
    time: int = 1
    lateness: int = 10
    unserved: int = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How long to search: whichever bound comes first.

    With a stop-watch that stands still the rounds alone bound the work, so that runs are alike.
    """

    time_budget_s: float = 5.0
    rounds_max: int = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RoutingProblem:
    """Everything the search may know.

    seconds, distances: square tables of the same nodes, [origin, destination]; without distances
    the seconds stand for them. incumbent: the visits of each vehicle in the last plan; of what is
    no longer possible as much as possible is kept.
    """

    requests: tuple[Request, ...]
    vehicles: tuple[Vehicle, ...]
    seconds: Table
    distances: Table | None = None
    weights: Weights = field(default_factory=Weights)
    effort: Effort = field(default_factory=Effort)
    incumbent: Mapping[str, tuple["Visit", ...]] = field(default_factory=dict)
    seed: int = 0


class Side(StrEnum):
    """Which stop of a request."""

    PICKUP = "pickup"
    DELIVERY = "delivery"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A stop on a route: service from `begin_s` to `end_s`.

    `latest_s` is when it could begin at the latest without making the rest of the route impossible.
    """

    request: str
    side: Side
    begin_s: int = 0
    end_s: int = 0
    latest_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One vehicle's work: visits in their order, when its rests begin, and when it is over.

    `leave_s` is the latest departure from the start that does not make the first visit later.
    """

    vehicle: str
    visits: tuple[Visit, ...]
    rests_s: tuple[int, ...]
    leave_s: int
    over_s: int


class Reason(StrEnum):
    """Why a request is left out; stable codes."""

    NO_SKILL = "no_skill"
    TOO_BIG = "too_big"
    WINDOW = "window"
    NO_ROOM = "no_room"
    TOO_DEAR = "too_dear"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingPlan:
    """The answer: the routes of the vehicles with work, by id, and why what is left out is."""

    routes: tuple[Route, ...]
    unserved: Mapping[str, Reason]
    cost: int
    rounds: int = 0
