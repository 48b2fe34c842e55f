"""What must hold of everything that was stored, told and published, checked as it happens."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeVar

from engine.couriers.courier import Courier
from engine.couriers.messages import (
    BUSY_ELSEWHERE,
    AcceptOffer,
    GoOnDuty,
    LendCouriers,
    ReportProgress,
)
from engine.couriers.progress import REACHES
from engine.dispatch.offer import Offer, OfferStatus
from engine.geo.zone import Zone
from engine.kernel.ids import CommandId, CourierId, OrderId
from engine.kernel.messages import Change, Effect, Envelope, Thing
from engine.kernel.refusals import ELSEWHERE
from engine.orders.messages import CancelOrder, PlaceOrder
from engine.orders.order import HELD, Order
from simulations.checks import REACHABLE
from simulations.faults.journal import Journal
from simulations.views import AGAIN
from storage.live import Publication
from storage.memory import MemoryStore
from storage.store import Answer, Commit, Outcome, Stored

T = TypeVar("T", bound=Thing)

_CHANNELS: Final[dict[str, type[Thing]]] = {"order": Order, "courier": Courier, "zone": Zone}


# Who does not own what a command speaks of says so to the edge, which looks for who does.
_ASKED_ELSEWHERE: Final = frozenset({BUSY_ELSEWHERE.code, ELSEWHERE.code})


class Truth:
    """Knows all that was ever stored, by its own book-keeping."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._things: dict[tuple[type[Thing], str], Thing] = {}
        self._holders: dict[OrderId, set[CourierId]] = defaultdict(set)
        self._asking: dict[OrderId, set[str]] = defaultdict(set)
        self._answers: dict[CommandId, Answer] = {}
        self._told: dict[CommandId, Answer] = {}
        self.effects: dict[str, Effect] = {}
        self.commits = 0

    def all(self, kind: type[Any]) -> Iterator[Any]:
        """Every thing of a kind as last stored."""
        return (thing for (of, _), thing in self._things.items() if of is kind)

    def find(self, kind: type[T], key: str) -> T | None:
        """A thing as last stored."""
        found = self._things.get((kind, key))
        return found if isinstance(found, kind) else None

    # What is stored

    def take(self, commit: Commit) -> None:
        """A commit was stored."""
        self.commits += 1
        self._journal.note(f"commit by {commit.cell[:6]}: {_events(commit.decision.changes)}")
        for what in (*self._wrong_answer(commit), *self._wrong_changes(commit)):
            self._journal.violate(what)
        for effect in commit.decision.effects:
            if effect.id in self.effects:
                self._journal.violate(f"effect {effect.id} was promised twice")
            self.effects[effect.id] = effect

    def _wrong_answer(self, commit: Commit) -> Iterator[str]:
        if commit.answer is None:
            return
        if commit.answer.command_id in self._answers:
            yield f"command {commit.answer.command_id} was carried out twice"
        self._answers[commit.answer.command_id] = commit.answer

    def _wrong_changes(self, commit: Commit) -> Iterator[str]:
        touched: set[OrderId] = set()
        for change in commit.decision.changes:
            thing = change.thing
            key = (type(thing), thing.id)
            before = self._things.get(key)
            expected = (before.version if before else 0) + 1
            if thing.version != expected:
                yield f"{_name(thing)} got version {thing.version}, expected {expected}"
            self._things[key] = thing
            touched |= self._follow(before, thing)
        for order_id in sorted(touched):
            yield from self._wrong_order(order_id)
        for change in commit.decision.changes:
            if isinstance(change.thing, Offer):
                yield from self._wrong_offer(change.thing)

    def _follow(self, before: Thing | None, thing: Thing) -> set[OrderId]:
        """Keep who holds which order and which offers ask for it; the orders it is about."""
        match thing:
            case Order():
                return {thing.id}
            case Courier():
                held_before = set(before.orders) if isinstance(before, Courier) else set()
                held = set(thing.orders)
                for order_id in held_before - held:
                    self._holders[order_id].discard(thing.id)
                for order_id in held:
                    self._holders[order_id].add(thing.id)
                return held_before | held
            case Offer():
                for order_id in thing.order_ids:
                    asking = self._asking[order_id]
                    is_open = thing.status is OfferStatus.OPEN
                    (asking.add if is_open else asking.discard)(thing.id)
                return set(thing.order_ids)
            case _:
                return set()

    def _wrong_order(self, order_id: OrderId) -> Iterator[str]:
        order, holders = self._things.get((Order, order_id)), self._holders[order_id]
        if len(holders) > 1:
            yield f"order {order_id} is on the routes of {sorted(holders)}"
        if len(self._asking[order_id]) > 1:
            yield f"order {order_id} is in the open offers {sorted(self._asking[order_id])}"
        if not isinstance(order, Order):
            yield f"order {order_id} is spoken of and was never stored"
            return
        expected = {order.courier_id} if order.status in HELD else set()
        if holders != expected:
            yield f"order {order_id} is {order.status} by {expected}, on routes of {holders}"

    def _wrong_offer(self, offer: Offer) -> Iterator[str]:
        """An accepted trip belongs to who accepted; what he is asked, nobody else decides."""
        if offer.status is OfferStatus.ACCEPTED:
            for order_id in offer.order_ids:
                if offer.courier_id not in self._holders[order_id]:
                    yield f"offer {offer.id} was accepted, but order {order_id} is not his"

    # What is told

    def told(self, envelope: Envelope, answer: Answer) -> None:
        """A client was answered."""
        refusal = answer.refusal.code if answer.refusal else ""
        if refusal in AGAIN or refusal in _ASKED_ELSEWHERE:
            return
        if isinstance(envelope.command, LendCouriers) and answer.reply == {"lent": []}:
            return  # Who lends nobody has promised nothing, and may lend when asked again.
        kind = type(envelope.command).__name__
        self._journal.note(f"told {kind} {envelope.id[-6:]}: {refusal or 'yes'}")
        before = self._told.setdefault(envelope.id, answer)
        if before != answer:
            self._journal.violate(f"{kind} {envelope.id} was answered {before} and {answer}")
        if not refusal and not self._is_stored(envelope):
            self._journal.violate(f"{kind} {envelope.id} was told yes, and that is not stored")
        if isinstance(envelope.command, AcceptOffer):
            self._judge_acceptance(envelope.command, is_yes=not refusal)

    def _is_stored(self, envelope: Envelope) -> bool:
        """Whether a yes is true: stored with what it changed, or it had come about before."""
        match envelope.command:
            case ReportProgress(order_id=order_id, step=step):
                order = self._things.get((Order, order_id))
                has_happened = isinstance(order, Order) and (
                    order.status is REACHES[step] or order.status in REACHABLE[REACHES[step]]
                )
            case AcceptOffer() | CancelOrder() | GoOnDuty() | PlaceOrder():
                has_happened = False
            case _:
                return True
        return has_happened or envelope.id in self._answers

    def _judge_acceptance(self, command: AcceptOffer, *, is_yes: bool) -> None:
        """An accepted offer is honoured or refused, never both."""
        offer = self._things.get((Offer, command.offer_id))
        has_it = (
            isinstance(offer, Offer)
            and offer.status is OfferStatus.ACCEPTED
            and offer.courier_id == command.courier_id
        )
        if has_it != is_yes:
            self._journal.violate(f"{command} was told {is_yes}, but the stored offer is {offer}")

    def published(self, publication: Publication) -> None:
        """Watchers were told of a state: it must be stored."""
        kind, _, key = publication.channel.partition(":")
        if publication.kind != "state" or kind not in _CHANNELS or not publication.version:
            return
        stored = self._things.get((_CHANNELS[kind], key))
        if stored is None or stored.version < publication.version:
            self._journal.violate(
                f"{publication.channel} was shown in version {publication.version}, "
                f"stored is {stored and stored.version}"
            )
        elif isinstance(stored, Order) and stored.version == publication.version:
            shown = publication.body["status"]
            if shown != stored.status:
                self._journal.violate(
                    f"{publication.channel} was shown {shown}, stored is {stored.status}"
                )


class CheckedStore(MemoryStore):
    """The store's twin that shows the truth every commit."""

    def __init__(self, truth: Truth) -> None:
        super().__init__()
        self._truth = truth

    async def commit(self, commit: Commit) -> Outcome:
        """Store it, and check what is stored now."""
        outcome = await super().commit(commit)
        if isinstance(outcome, Stored) and commit.decision.changes:
            self._truth.take(commit)
        return outcome


def _name(thing: Any) -> str:  # noqa: ANN401 - every thing has an id, their base has not
    return f"{type(thing).__name__.lower()} {thing.id}"


def _events(changes: Iterable[Change[Any]]) -> str:
    return ", ".join(
        f"{_name(one.thing)} v{one.thing.version} "
        + "+".join(type(event).__name__ for event in one.events)
        for one in changes
    )
