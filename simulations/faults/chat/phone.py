"""A phone in a conversation: one line at a time, and everything again that was not answered."""

import asyncio
import random
from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from actors.chance import Chance, new_id
from engine.kernel.ids import OrderId
from engine.kernel.messages import Caller, Role
from engine.kernel.timing import SECOND_MS, Instant
from simulations.faults.chat.means import Line
from simulations.faults.chat.truth import ChatTruth
from simulations.faults.misfortune import Misfortune
from simulations.talk_page import TalkPage
from simulations.views import AGAIN, Frame, Told
from storage.live import Bookmark

_ANSWER_MS: Final = 10 * SECOND_MS
_AGAIN_MS: Final = 1 * SECOND_MS
# How long a phone is away when its line is cut: it hardly notices, or it is in a lift, or off.
_AWAY_MS: Final = (200, 3_000, 60_000, 400_000)
_AWAY_IN_CALM_MS: Final = 3_000
_LINE_MS: Final = 600_000
_SHARE: Final = 0.5
_READS_WITHIN_MS: Final = 20_000
_NOT_HIS: Final = frozenset({"no_such_channel", "not_allowed"})

_frame: Final = msgspec.json.Decoder(Frame)


class Reached(Protocol):
    """Where phones connect."""

    def connect(self, caller: Caller, channels: dict[str, Bookmark | None]) -> Line | None:
        """A line; None while nobody is there."""
        ...


class ChatPhone:
    """Somebody's app, which does what the protocol asks of it.

    A line is cut instead of a call or an answer lost, and a doubled call is a message said twice.
    """

    def __init__(
        self,
        caller: Caller,
        edges: Sequence[Reached],
        truth: ChatTruth,
        misfortune: Misfortune,
        chance: Chance,
    ) -> None:
        self.caller, self._edges, self._truth = caller, edges, truth
        self._misfortune, self._chance = misfortune, chance
        self._clock = misfortune.clock
        self._luck = random.Random(chance.below(1 << 30))
        # Whoever hangs up now and then is told everything anew, and so may never miss what he lost.
        self._hangs_up = self._luck.random() < _SHARE
        # Who reads nothing has it all the same.
        self._reads = self._luck.random() < _SHARE
        self._line: Line | None = None
        self._unsaid: list[bytes] = []
        self._something = asyncio.Event()
        self._asked: dict[str, asyncio.Future[Frame]] = {}
        # Up to which number he has said that he has read each.
        self.has_read: dict[OrderId, int] = {}
        self.pages: dict[OrderId, TalkPage] = {}
        self.listens_since: dict[OrderId, Instant] = {}

    def listen(self, order_id: OrderId) -> None:
        """Hear what is said about an order from now on."""
        if order_id not in self.pages:
            self.pages[order_id] = TalkPage(order_id)
            self.listens_since[order_id] = self._clock.now()
            self._say({"type": "subscribe", "channel": _channel(order_id)})

    async def write(self, order_id: OrderId, text: str) -> None:
        """Say a message again and again under one id until it is answered for good."""
        frame = {
            "type": "message",
            "id": new_id(self._clock, self._chance),
            "order_id": order_id,
            "text": text,
        }
        while True:
            answer = await self._ask(frame)
            if answer is not None and answer.code not in AGAIN:
                break
            await self._clock.sleep(_AGAIN_MS)
        told = Told(refused=answer.code)
        if answer.type == "reply":
            told = Told(body=msgspec.json.decode(answer.body))
        self._truth.answered(self.caller, frame, told)

    async def live(self) -> None:
        """Stay connected until cancelled, as well as that goes."""
        while True:
            channels = {_channel(one): page.bookmark for one, page in self.pages.items()}
            line = self._luck.choice(self._edges).connect(self.caller, channels)
            if line is not None:
                await self._use(line)
            away_ms = self._luck.choice(_AWAY_MS)
            if self._misfortune.is_calm:
                away_ms = min(away_ms, _AWAY_IN_CALM_MS)
            await self._clock.sleep(away_ms)

    async def _use(self, line: Line) -> None:
        self._line = line
        self._unsaid.clear()
        for order_id, number in self.has_read.items():
            self._say({"type": "read", "order_id": order_id, "number": number})
        both = [
            self._misfortune.begin(self._speak(line)),
            self._misfortune.begin(self._hear(line)),
        ]
        hangs_up = self._hangs_up and not self._misfortune.is_calm
        left_ms = self._luck.expovariate(1 / _LINE_MS) if hangs_up else None
        try:
            await asyncio.wait(
                both,
                timeout=None if left_ms is None else left_ms / SECOND_MS,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            self._line = None
            line.close()
            for one in both:
                one.cancel()

    async def _speak(self, line: Line) -> None:
        """Say what is to be said, in order, until the line is cut."""
        odds = self._misfortune.odds
        while True:
            await self._something.wait()
            self._something.clear()
            while self._unsaid:
                frame = self._unsaid.pop(0)
                await self._misfortune.pause()
                if self._misfortune.happens(odds.call_lost, "line cut", "on the way there"):
                    return
                line.say(frame)
                if self._misfortune.happens(odds.call_doubled, "said twice", ""):
                    line.say(frame)

    async def _hear(self, line: Line) -> None:
        odds = self._misfortune.odds
        while frames := await line.hear():
            await self._misfortune.pause()
            for frame in frames:
                if self._misfortune.happens(odds.answer_lost, "line cut", "on the way back"):
                    return
                self._take(_frame.decode(frame))

    def _take(self, frame: Frame) -> None:
        match frame.type:
            case "reply" | "refused":
                asked = self._asked.get(frame.id)
                if asked is not None and not asked.done():
                    asked.set_result(frame)
            case "snapshot" | "update" | "resumed":
                self._show(frame)
            case "error":
                self._mind(frame)
            case _:
                pass

    def _show(self, frame: Frame) -> None:
        order_id = OrderId(frame.channel.partition(":")[2])
        page = self.pages.get(order_id)
        if page is None:
            return
        new = page.take(frame)
        for one in new:
            self._truth.shown(self.caller, order_id, one)
        if self._reads and any(one.side != _SIDES[self.caller.role] for one in new):
            self._misfortune.begin(self._read(order_id, page.last_number))
        for what in page.faults:
            self._misfortune.journal.violate(f"{self.caller.role} {self.caller.user_id}: {what}")
        page.faults.clear()
        if frame.bookmark is not None:
            self._say({"type": "received", "channel": frame.channel, "bookmark": frame.bookmark})

    def _mind(self, frame: Frame) -> None:
        """Whoever may not hear any more leaves; what was away is said once more."""
        order_id = OrderId(frame.channel.partition(":")[2])
        if frame.code in _NOT_HIS:
            self.pages.pop(order_id, None)
        elif frame.code in AGAIN and order_id in self.has_read:
            self._misfortune.begin(self._read(order_id, self.has_read[order_id]))
        elif frame.code == "unknown_order":
            self.has_read.pop(order_id, None)
        else:
            self._misfortune.journal.violate(f"{self.caller} was told {frame.code}")

    async def _read(self, order_id: OrderId, number: int) -> None:
        await self._clock.sleep(self._luck.randint(_AGAIN_MS, _READS_WITHIN_MS))
        self.has_read[order_id] = max(number, self.has_read.get(order_id, 0))
        self._say({"type": "read", "order_id": order_id, "number": number})

    async def _ask(self, frame: dict[str, str]) -> Frame | None:
        answer = asyncio.get_running_loop().create_future()
        self._asked[frame["id"]] = answer
        self._say(frame)
        try:
            await asyncio.wait({answer}, timeout=_ANSWER_MS / SECOND_MS)
            return answer.result() if answer.done() else None
        finally:
            del self._asked[frame["id"]]

    def _say(self, frame: object) -> None:
        """If there is a line; what matters is said again when there is one."""
        if self._line is not None:
            self._unsaid.append(msgspec.json.encode(frame))
            self._something.set()


_SIDES: Final = {Role.CUSTOMER: "customer", Role.COURIER: "courier", Role.OPERATOR: "support"}


def _channel(order_id: OrderId) -> str:
    return f"conversation:{order_id}"
