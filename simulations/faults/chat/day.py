"""The conversations of a day under faults: who writes to whom, by edges that die and come back.

They have faults, a stream and an outbox of their own, drawn from the same seed, so that a day is
otherwise the same with them as without.
"""

import asyncio
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, cast

from actors.bus import Bus
from actors.chance import SeededChance
from actors.conversations import Conversations
from engine.chat.conversation import OPEN_AFTER_END_MS, TellOfMessage
from engine.identity.login import User
from engine.kernel.ids import CourierId, OrderId, UserId, derived_id
from engine.kernel.messages import Caller, Effect, Role
from engine.kernel.timing import MINUTE_MS, SECOND_MS, Instant
from engine.orders.order import Order
from simulations.faults.chat.means import ChatEdge, Line, Means, OpenEdge
from simulations.faults.chat.phone import ChatPhone
from simulations.faults.chat.truth import ChatTruth, CheckedChat, FaultyChat
from simulations.faults.clocks import WrongClock
from simulations.faults.effects import Effects
from simulations.faults.journal import Journal
from simulations.faults.misfortune import Misfortune
from simulations.faults.odds import Odds
from simulations.faults.parts import Crash, FaultyStore, FaultyStream
from simulations.faults.truth import Truth
from simulations.people import until
from simulations.virtual import VirtualClock
from storage.chat import ChatStore
from storage.live import Bookmark
from storage.memory import MemoryStore
from storage.memory_live import MemoryLive
from storage.store import Store

if TYPE_CHECKING:
    from storage.identity import IdentityStore

_EDGES: Final = 2
_GAP_MS: Final = 40 * SECOND_MS
_IN_CALM_GAP_MS: Final = 4 * MINUTE_MS
_RESTART_MS: Final = 2 * SECOND_MS
# By then who listens has heard what was said.
_HEARD_WITHIN_MS: Final = 90 * SECOND_MS
_ALL_HEARD_AFTER_MS: Final = 12 * MINUTE_MS
_FAR: Final = 1 << 52
_SUPPORT: Final = Caller(user_id=UserId(derived_id("who helps")), role=Role.OPERATOR)


class EdgeHome:
    """Satisfies `Reached`: one edge, life after life."""

    def __init__(self, misfortune: Misfortune, open_life: Callable[[Crash], ChatEdge]) -> None:
        self._misfortune, self._open_life = misfortune, open_life
        self._edge: ChatEdge | None = None
        self._lines: list[Line] = []

    def connect(self, caller: Caller, channels: dict[str, Bookmark | None]) -> Line | None:
        """A line to its present life."""
        if self._edge is None:
            return None
        line = self._edge.connect(caller, channels)
        self._lines.append(line)
        return line

    async def run(self) -> None:
        """Live until cancelled."""
        while True:
            died = asyncio.Event()

            async def crash(where: str, died: asyncio.Event = died) -> None:
                odds = self._misfortune.odds
                if died.is_set() or self._misfortune.happens(odds.crash, "edge crashes", where):
                    died.set()
                    await asyncio.Event().wait()

            self._edge = self._open_life(crash)
            serving = self._misfortune.begin(self._edge.run())
            await died.wait()
            self._edge = None
            serving.cancel()
            for line in self._lines:
                line.close()
            self._lines.clear()
            await self._misfortune.clock.sleep(_RESTART_MS)


class Conversing:
    """Everything that a day's conversations consist of; `bus` is only there to be asked nothing."""

    def __init__(
        self,
        seed: int,
        odds: Odds | None,
        open_edge: OpenEdge,
        *,
        orders: Store,
        bus: Bus,
        day: Truth,
        journal: Journal,
        clock: VirtualClock,
        calm_at: Instant,
    ) -> None:
        self._luck = random.Random(f"conversations {seed}")
        self._orders, self._bus, self._day = orders, bus, day
        self._journal, self._clock, self._open_edge = journal, clock, open_edge
        self._calm_at = calm_at
        self.misfortune = Misfortune(
            odds or Odds.drawn(self._luck),
            random.Random(self._luck.getrandbits(64)),
            clock=clock,
            journal=journal,
            calm_at=calm_at,
        )
        self.truth = ChatTruth(journal, self._order, clock)
        self._beside, self._live = MemoryStore(), MemoryLive()
        self._chat = CheckedChat(orders, self._beside.outbox, self.truth)
        outbox = cast("Store", FaultyStore(self._beside, self.misfortune, _nobody))
        self._effects = Effects(outbox, self.misfortune, bus=bus, seed=seed)
        self._texting = self._conversations(_nobody)
        self._effects.handlers[TellOfMessage] = self._tell
        self._edges = [EdgeHome(self.misfortune, self._life) for _ in range(_EDGES)]
        self._phones: dict[Caller, ChatPhone] = {}
        self._written = 0

    async def run(self) -> None:
        """Converse until cancelled."""
        begin = self.misfortune.begin
        for doing in (
            *(one.run() for one in self._edges),
            self._effects.run(),
            self._forget_now_and_then(),
            self._look_what_was_heard(),
        ):
            begin(doing)
        while True:
            is_calm = self._clock.now() >= self._calm_at
            gap_ms = _IN_CALM_GAP_MS if is_calm else _GAP_MS
            await self._clock.sleep(self._luck.randint(0, gap_ms))
            orders = [one for one in self._day.all(Order) if one.courier_id is not None]
            if orders:
                self._somebody_writes(self._luck.choice(orders))

    def judge(self) -> list[str]:
        """What does not hold at the end of the day."""
        now = self._clock.now()
        return [
            *self._unheard(),
            *(
                f"effect {one.effect.id} was promised and did not happen"
                for one in self._beside.outbox.lease(limit=_FAR, now=_FAR, lease_until=_FAR)
                if self._is_overdue(one.effect, now)
            ),
            *(
                f"text message {one} left and was never promised"
                for one in self._effects.happened
                if one not in self.truth.effects
            ),
        ]

    def _is_overdue(self, effect: Effect, now: Instant) -> bool:
        """It was written long enough ago."""
        assert isinstance(effect, TellOfMessage)
        message = self.truth.part(effect.order_id, None)[effect.number - 1]
        return message.at < now - 2 * _HEARD_WITHIN_MS

    # Who writes

    def _somebody_writes(self, order: Order) -> None:
        courier_id = order.courier_id
        assert courier_id is not None
        courier = Caller(user_id=courier_id, role=Role.COURIER)
        customer = Caller(user_id=order.customer_id, role=Role.CUSTOMER)
        for one in (customer, courier):
            self._phone(one).listen(order.id)
        if self._luck.random() < 0.3:
            self._phone(_SUPPORT).listen(order.id)
        who = self._luck.choices((customer, courier, _SUPPORT), (4, 4, 1))[0]
        self._written += 1
        self.misfortune.begin(self._phone(who).write(order.id, f"words {self._written}"))

    def _phone(self, caller: Caller) -> ChatPhone:
        phone = self._phones.get(caller)
        if phone is None:
            chance = SeededChance(self._luck.getrandbits(64))
            phone = ChatPhone(caller, self._edges, self.truth, self.misfortune, chance)
            self._phones[caller] = phone
            self.misfortune.begin(phone.live())
        return phone

    # What must hold

    async def _look_what_was_heard(self) -> None:
        await until(self._clock, self._calm_at + _ALL_HEARD_AFTER_MS)
        for what in self._unheard():
            self._journal.violate(what)

    def _unheard(self) -> list[str]:
        return [
            what
            for caller, phone in self._phones.items()
            for order_id in phone.pages
            for what in self._unheard_of(caller, phone, order_id)
        ]

    def _unheard_of(self, caller: Caller, phone: ChatPhone, order_id: OrderId) -> list[str]:
        """What somebody who listens should have heard by now, and what should be known of it."""
        order, now = self._order(order_id), self._clock.now()
        assert order is not None
        if phone.listens_since[order_id] > now - _HEARD_WITHIN_MS:
            return []
        part = self.truth.part(order_id, _part_of(caller))
        if caller.role is Role.COURIER:
            is_over = order.ended_at is not None and now >= order.ended_at + OPEN_AFTER_END_MS // 2
            if order.courier_id != caller.user_id or is_over:
                return []
        page, found = phone.pages[order_id], list[str]()
        shown = {one.number for one in page.messages.values()}
        old = [one for one in part if one.at < now - _HEARD_WITHIN_MS]
        lost = [one.number for one in old if one.number not in shown]
        if lost:
            found.append(f"{caller} never heard the messages {lost} of {order_id}")
        delivered, read = self.truth.marker(order_id, _reader(caller))
        others = [one.number for one in old if one.author_id != caller.user_id]
        if others and delivered < others[-1]:
            found.append(f"{caller} has {others[-1]} of {order_id}, known is {delivered}")
        said = phone.has_read.get(order_id, 0)
        if said in {one.number for one in old} and read < said:
            found.append(f"{caller} has read {said} of {order_id}, known is {read}")
        return found

    async def _tell(self, effect: Effect) -> None:
        assert isinstance(effect, TellOfMessage)
        await self._texting.on_effect(effect)
        is_texted = self._effects.happened[effect.id] > 0
        self.truth.settled(effect, is_texted=is_texted)

    # What it is made of

    def _life(self, crash: Crash) -> ChatEdge:
        skew_ms, jumps = self.misfortune.clock_spells()
        clock = WrongClock(
            self._clock, skew_ms=skew_ms, jump_ms=self.misfortune.odds.jump_ms, jumps=jumps
        )
        conversations = self._conversations(crash, clock)
        return self._open_edge(
            Means(
                conversations=conversations,
                chat=self._chat_for(crash),
                orders=cast("Store", FaultyStore(self._orders, self.misfortune, crash)),
                live=FaultyStream(self._live, self.misfortune, self._day, crash),
                bus=self._bus,
                clock=clock,
                failed=self._failed,
            )
        )

    def _conversations(self, crash: Crash, clock: WrongClock | None = None) -> Conversations:
        return Conversations(
            self._chat_for(crash),
            cast("Store", FaultyStore(self._orders, self.misfortune, crash)),
            cast("IdentityStore", _Everybody()),
            live=FaultyStream(self._live, self.misfortune, self._day, crash),
            sms=self._effects,
            clock=clock or self._clock,
        )

    def _chat_for(self, crash: Crash) -> ChatStore:
        return cast("ChatStore", FaultyChat(self._chat, self.misfortune, crash))

    def _failed(self, error: Exception) -> None:
        self._journal.violate(f"a bug: {error!r}")

    async def _forget_now_and_then(self) -> None:
        for spell in self.misfortune.stream_away:
            await self._clock.sleep(spell.until - self._clock.now())
            if self.misfortune.happens(self.misfortune.odds.stream_forgets, "stream forgets", ""):
                self._live.lose()

    def _order(self, order_id: OrderId) -> Order | None:
        return self._day.find(Order, order_id)


class _Everybody:
    """Everybody has a phone, and says nothing of himself."""

    async def find_user(self, user_id: UserId) -> User:
        return User(id=user_id, phone=user_id, created_at=0)

    async def find_profile(self, _user_id: UserId, _role: Role) -> None:
        return None


def _reader(caller: Caller) -> str:
    match caller.role:
        case Role.COURIER:
            return f"courier:{caller.user_id}"
        case Role.CUSTOMER:
            return "customer"
        case _:
            return "support"


def _part_of(caller: Caller) -> CourierId | None:
    return CourierId(caller.user_id) if caller.role is Role.COURIER else None


async def _nobody(_where: str) -> None:
    """Who is not an edge does not crash."""
