"""Why orders wait: remembered from tick to tick, stored when it changes."""

from collections.abc import Container, Iterable, Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from actors.clock import Clock
from actors.holdings import Holdings
from actors.slices import slices
from engine.dispatch.proposals import Proposal
from engine.dispatch.roster import Roster
from engine.dispatch.waiting import (
    NEXT_BEST,
    Reason,
    Surroundings,
    Wait,
    passed_over,
    why_they_wait,
)
from engine.dispatch.why import Why, reach_s
from engine.geo.zone import Zone
from engine.kernel.ids import CourierId, OrderId, ZoneId
from engine.kernel.timing import SECOND_MS
from engine.orders.order import Order
from optimizer.problem import Plan
from optimizer.routes import RouteTable
from storage.store import Store, StoreUnavailable

# What speaks against each courier moves with them, and a plan may waver between two reasons.
_LOOK_AGAIN_MS: Final = 60 * SECOND_MS
_OTHER_REASON_MS: Final = 10 * SECOND_MS
_LOOKED_AT_IN_A_TICK: Final = 25
_NEARER_NAMED: Final = 4
_EXPLAINED_AT_ONCE: Final = 5

Seen = Mapping[str, tuple[str, ...]]


class _Known(Struct, frozen=True):
    """Why an order waits as it was seen last, and as it was stored last."""

    seen: Wait
    stored: Wait


class _Begun(Struct, frozen=True):
    """What a tick began with: the orders that waited, and everybody around them."""

    orders: Mapping[OrderId, Order]
    around: Surroundings


class Waits:
    """The latest reason of every order that waits, for the zones of one cell."""

    def __init__(self, store: Store, holdings: Holdings, clock: Clock) -> None:
        self._store = store
        self._holdings = holdings
        self._clock = clock
        self._latest: dict[ZoneId, dict[OrderId, _Known]] = {}
        self._begun: dict[ZoneId, _Begun] = {}

    def find(self, order_id: OrderId) -> Wait | None:
        """Why an order waits, as the last tick saw it."""
        order = self._holdings.orders.get(order_id)
        known = order and self._latest.get(order.zone_id, {}).get(order_id)
        return known.seen if isinstance(known, _Known) else None

    def begin(self, zone: Zone, orders: Iterable[Order], roster: Roster) -> None:
        """A tick begins, with everybody where he is now."""
        around = Surroundings(roster, zone.parameters, self._clock.now())
        self._begun[zone.id] = _Begun({one.id: one for one in orders}, around)

    async def explain(
        self, zone: Zone, found: Iterable[Proposal], plan: Plan, candidates: Seen
    ) -> list[Proposal]:
        """The proposals with what speaks against couriers who are nearer, or would be next."""
        planned = frozenset(RouteTable.of(plan.routes).vehicles)
        told = []
        for some in slices(found, _EXPLAINED_AT_ONCE):
            told += [self._explained(zone, one, plan, candidates, planned) for one in some]
            await self._clock.sleep(0)
        return told

    def _explained(
        self,
        zone: Zone,
        proposal: Proposal,
        plan: Plan,
        candidates: Seen,
        planned: frozenset[str],
    ) -> Proposal:
        first = proposal.order_ids[0]
        order = self._holdings.orders.get(first)
        if order is None:
            return proposal
        allowed, ranking = candidates.get(first, ()), plan.rankings.get(first, ())
        chosen, why = proposal.courier_id, Why.NOT_CHOSEN
        told = self._begun[zone.id].around.why_not(
            order,
            set(allowed),
            ranking,
            of_candidates=why,
            elsewhere=planned,
            but=chosen,
            count=min(NEXT_BEST, len(ranking)) + _NEARER_NAMED,
        )
        rest = passed_over(told, allowed, ranking, of_candidates=why, but=chosen)
        explanation = replace(proposal.explanation, next_best=told, passed_over=rest)
        return replace(proposal, explanation=explanation)

    async def note(
        self,
        zone: Zone,
        plan: Plan | None,
        candidates: Seen,
        *,
        why_unplanned: Why,
        gone: Container[CourierId] = (),
    ) -> None:
        """After a tick: why those wait that still do; who has `gone` ahead is asked later.

        What has changed since the tick began is told by the next: of one who declined meanwhile,
        this one knows that he was being asked.
        """
        now = self._clock.now()
        begun = self._begun[zone.id].orders
        still = self._holdings.waiting(zone.id)
        waiting = {one.id: one for one in still if begun.get(one.id) is one}
        reasons = why_they_wait(
            zone, waiting, plan, why_unplanned=why_unplanned, gone=gone, now=now
        )
        before = self._latest.get(zone.id, {})
        kept = {one: before[one] for one in waiting if one in before}
        self._latest[zone.id] = kept
        news = []
        old = [one for one, reason in reasons.items() if self._is_old(kept.get(one), reason)]
        # Nobody is looked at again while somebody was not looked at yet.
        old.sort(key=kept.__contains__)
        for some in slices(old[:_LOOKED_AT_IN_A_TICK], _EXPLAINED_AT_ONCE):
            for order_id in some:
                known, reason = kept.get(order_id), reasons[order_id]
                wait = self._wait(zone, waiting[order_id], reason, plan, candidates)
                is_news = known is None or _is_news(wait, known.stored)
                stored = wait if known is None or is_news else known.stored
                kept[order_id] = _Known(wait, stored)
                news += [wait] if is_news else []
            await self._clock.sleep(0)
        await self._save(zone, news)

    def _is_old(self, known: _Known | None, reason: Reason) -> bool:
        if known is None:
            return True
        last, now = known.seen.reason, self._clock.now()
        is_other = (last.why, last.courier_id) != (reason.why, reason.courier_id)
        is_unstored = reason.why != known.stored.reason.why
        return (
            is_other
            or known.seen.at + _LOOK_AGAIN_MS <= now
            or (is_unstored and known.stored.at + _OTHER_REASON_MS <= now)
        )

    def _wait(
        self, zone: Zone, order: Order, reason: Reason, plan: Plan | None, candidates: Seen
    ) -> Wait:
        now = self._clock.now()
        is_planned = reason.courier_id is not None
        of_candidates = Why.NOT_CHOSEN if is_planned else reason.why
        allowed = candidates.get(order.id, ())
        ranking = () if plan is None else plan.rankings.get(order.id, ())
        named = self._begun[zone.id].around.why_not(
            order, set(allowed), ranking, of_candidates=of_candidates, but=reason.courier_id
        )
        return Wait(
            order_id=order.id,
            at=now,
            parameters_version=zone.parameters_version,
            reason=reason,
            reach_s=reach_s(order, zone.parameters, now),
            couriers=named,
            passed_over=passed_over(
                named, allowed, ranking, of_candidates=of_candidates, but=reason.courier_id
            ),
        )

    async def _save(self, zone: Zone, news: list[Wait]) -> None:
        """What cannot be stored now is news again at the next tick."""
        if not news:
            return
        try:
            await self._store.save_waits(news)
        except StoreUnavailable:
            for one in news:
                self._latest[zone.id].pop(one.order_id, None)


def _is_news(wait: Wait, stored: Wait) -> bool:
    """Whether it is another reason, and the last one was stored long enough ago."""
    is_other = wait.reason.why != stored.reason.why
    gap_ms = _OTHER_REASON_MS if is_other else _LOOK_AGAIN_MS
    return stored.at + gap_ms <= wait.at and _essence(wait) != _essence(stored)


def _essence(wait: Wait) -> tuple[Reason, frozenset[tuple[str, str]]]:
    """What makes it another reason: not when it was looked at, nor by how much one is dearer."""
    told: frozenset[tuple[str, str]] = frozenset(
        (one.courier_id, one.reason) for one in wait.couriers
    )
    return replace(wait.reason, leaves_at=None), told
