"""Couriers who say that they work, as often as they are made to: a load that costs little itself.

A task and a timer for each command would take as much of the processor as the command.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import Final

import msgspec

from actors.clock import Clock
from simulations.realtime.courier import CourierPhone, Refused
from simulations.realtime.phone import Heard, Phone
from simulations.views import Frame

# What is answered later is of no use to who waits.
IN_TIME_S: Final = 10.0
_LOOK_MS: Final = 50
_REFUSED: Final = b'{"type":"refused",'
_UPDATE: Final = b'{"type":"update",'
_NO_OFFER: Final = b'"offer":null'
_decode: Final = msgspec.json.Decoder(Frame).decode


@dataclass(slots=True)
class Told:
    """What was answered: in time, late, or refused by code; `waited_s` is of the first two."""

    done: int = 0
    late: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    waited_s: list[float] = field(default_factory=list)

    async def ask(self, courier: CourierPhone, duty: str) -> None:
        """A courier says how it stands with him, and waits for the answer."""
        began = perf_counter()
        try:
            await courier.ask("duty", duty=duty)
        except Refused as refused:
            self.refused[str(refused)] += 1
        except TimeoutError:
            self.refused["no answer"] += 1
        else:
            self.answered(perf_counter() - began)

    def answered(self, waited_s: float) -> None:
        """Something was done, after so long."""
        self.waited_s.append(waited_s)
        if waited_s > IN_TIME_S:
            self.late += 1
        else:
            self.done += 1

    @property
    def all(self) -> int:
        """How many were answered, or given up."""
        return self.done + self.late + self.refused.total()


class Crowd:
    """Says it for one courier after another, and notes what is answered; `name` is of one run."""

    def __init__(
        self, name: str, couriers: Sequence[CourierPhone], zone_id: str, clock: Clock
    ) -> None:
        self._name = f"{name}-"
        self._clock = clock
        self._phones = [_phone_of(one) for one in couriers]
        self._words = [_word(one, zone_id) for one in couriers]
        self._sent_at: list[float] = []
        self._ends_at = 0.0
        self._reply = b'{"type":"reply","id":"%b' % self._name.encode()
        self._shown: dict[int, bytes] = {}
        self.told = Told()

    @property
    def asked(self) -> int:
        """How often it was said."""
        return len(self._sent_at)

    @contextmanager
    def hearing(self) -> Iterator[None]:
        """Hear the answers until the block ends; what the phones were shown they see then."""
        before = [phone.heard for phone in self._phones]
        for at, phone in enumerate(self._phones):
            phone.heard = partial(self._hear, at, phone.heard)
        try:
            yield
        finally:
            for phone, heard in zip(self._phones, before, strict=True):
                phone.heard = heard
            for at, message in self._shown.items():
                before[at](message)

    def say(self, at: int) -> None:
        """The courier at this place says that he works: a command that is always stored."""
        name = f"{self._name}{len(self._sent_at)}"
        self._sent_at.append(perf_counter())
        self._phones[at].say(b'{"type":"duty","id":"%b",%b' % (name.encode(), self._words[at]))

    def say_next(self, times: int) -> None:
        """So many more, one courier after another."""
        for _ in range(times):
            self.say(self.asked % len(self._phones))

    async def go_on(self, seconds: float) -> float:
        """All say it at once, and each again when he is answered; seconds until the last was."""
        began = perf_counter()
        self._ends_at = began + seconds
        for at in range(len(self._phones)):
            self.say(at)
        await self.rest(seconds + IN_TIME_S)
        return perf_counter() - began

    async def rest(self, patience_s: float) -> None:
        """Wait until all was answered, or for so long: what was not is refused."""
        ends_at = perf_counter() + patience_s
        while self.told.all < self.asked and perf_counter() < ends_at:
            await self._clock.sleep(_LOOK_MS)
        if (missing := self.asked - self.told.all) > 0:
            self.told.refused["no answer"] += missing

    def _hear(self, at: int, otherwise: Heard, message: bytes) -> None:
        """Read no more of a message than is counted: it costs as much as the service does."""
        if message.startswith(self._reply):
            begins = len(self._reply)
            number = int(message[begins : message.index(b'"', begins)])
            now = perf_counter()
            self.told.answered(now - self._sent_at[number])
            if now < self._ends_at:
                self.say(at)
        elif message.startswith(_UPDATE) and _NO_OFFER in message:
            self._shown[at] = message
        elif not (message.startswith(_REFUSED) and self._is_refused(at, message)):
            # An older one is not to be seen after it.
            self._shown.pop(at, None)
            otherwise(message)

    def _is_refused(self, at: int, message: bytes) -> bool:
        """Whether it was this crowd that was refused."""
        frame = _decode(message)
        if not frame.id.startswith(self._name):
            return False
        self.told.refused[frame.code] += 1 + len(frame.also)
        if perf_counter() < self._ends_at:
            self.say(at)
        return True


def _phone_of(courier: CourierPhone) -> Phone:
    assert courier.phone is not None, "who has no socket cannot say anything"
    return courier.phone


def _word(courier: CourierPhone, zone_id: str) -> bytes:
    """All of the frame that stays the same, without its beginning."""
    day = courier.day
    fields = {
        "duty": "on",
        "zone_id": zone_id,
        "name": day.name,
        "vehicle": day.vehicle.value,
        "capacity_units": day.capacity_units,
        "lat": day.start.lat,
        "lng": day.start.lng,
    }
    return msgspec.json.encode(fields)[1:]
