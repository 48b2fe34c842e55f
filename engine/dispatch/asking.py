"""Who is asked about a trip beside the courier it is planned for: in line, or at the same time."""

from collections.abc import Iterable, Mapping, Sequence

from engine.geo.dispatch_parameters import OfferMode
from engine.geo.parameters import ZoneParameters
from engine.kernel.ids import CourierId, OrderId
from optimizer.problem import Alternative, Trip

Candidates = Mapping[OrderId, Sequence[str]]


class Asking:
    """Hands couriers out, in the order in which trips are offered.

    Who is asked at the same time as others is asked about one trip only, and nobody whose own trip
    begins now is asked about another's.
    """

    def __init__(
        self, parameters: ZoneParameters, candidates: Candidates, planned: Iterable[CourierId]
    ) -> None:
        self._parameters = parameters
        self._candidates = candidates
        self._taken = set(planned)

    def others(
        self, trip: Trip, courier_id: CourierId, ranking: Sequence[Alternative]
    ) -> tuple[CourierId, ...]:
        """Who is asked at the same moment."""
        if self._parameters.offer_mode is not OfferMode.BROADCAST:
            return ()
        ranked = self._ranked(trip, courier_id, ranking)
        found = tuple(one for one in ranked if one not in self._taken)
        found = found[: self._parameters.asked_max - 1]
        self._taken.update(found)
        return found

    def in_line(
        self, trip: Trip, courier_id: CourierId, ranking: Sequence[Alternative]
    ) -> tuple[CourierId, ...]:
        """Who is asked one after the other."""
        if self._parameters.offer_mode is not OfferMode.RANKED:
            return ()
        return tuple(self._ranked(trip, courier_id, ranking))[: self._parameters.asked_max - 1]

    def _ranked(
        self, trip: Trip, courier_id: CourierId, ranking: Sequence[Alternative]
    ) -> list[CourierId]:
        """Those who may be asked about all of the trip: the plan's next best, then the soonest."""
        best = [one.vehicle for one in ranking if one.extra_cost is not None]
        first, *rest = (self._candidates[OrderId(job)] for job in trip.jobs)
        everywhere = set(first).intersection(*rest) - {courier_id}
        return [CourierId(one) for one in dict.fromkeys((*best, *first)) if one in everywhere]
