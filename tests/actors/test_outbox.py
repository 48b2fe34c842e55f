"""Effects leave at least once, and what fails is tried again."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from actors.chance import SeededChance
from actors.clock import Clock, SystemClock
from actors.gateways.settings import OutboxSettings
from actors.outbox import Outbox
from engine.kernel.ids import EffectId
from engine.kernel.messages import Effect
from engine.orders.messages import SendSms
from simulations.virtual import VirtualClock, VirtualLoop, run_virtually
from storage.memory import MemoryStore
from storage.store import StoreUnavailable
from tests.builders import NOON, a_zone, new_id
from tests.storage.telling import a_commit, first

SETTINGS = OutboxSettings(at_once=4, lease_s=30, poll_s=1, retry_s=2, retry_s_max=60)


class Post:
    """A gateway that fails as often as it is told to, and remembers what it was given."""

    def __init__(self, *, fails: int = 0, hangs: bool = False) -> None:
        self.fails, self.hangs = fails, hangs
        self.taken: list[tuple[EffectId, str]] = []
        self.together = self.most_together = 0
        self.clock: Clock = SystemClock()

    async def __call__(self, effect: Effect) -> None:
        assert isinstance(effect, SendSms)
        self.together += 1
        self.most_together = max(self.most_together, self.together)
        try:
            await self.clock.sleep(1)
            if self.hangs:
                await asyncio.Event().wait()
            if self.fails > 0:
                self.fails -= 1
                raise ConnectionError("nobody answers")
            self.taken.append((effect.id, effect.text))
        finally:
            self.together -= 1


class Office:
    """An outbox in virtual time."""

    def __init__(self, loop: VirtualLoop, post: Post) -> None:
        self.clock = VirtualClock(loop, starts_at=NOON)
        self.store = MemoryStore()
        self.post = post
        post.clock = self.clock
        self.outbox = self.another()

    def another(self) -> Outbox:
        return Outbox(
            self.store,
            {SendSms: self.post},
            SETTINGS,
            clock=self.clock,
            chance=SeededChance(3),
        )

    async def write(self, count: int = 1) -> list[EffectId]:
        """A decision that wants some messages sent."""
        ids = [EffectId(new_id()) for _ in range(count)]
        decision = first(a_zone())
        effects = tuple(SendSms(id=one, phone="+966500000001", text=one) for one in ids)
        changed = type(decision)(changes=decision.changes, effects=effects)
        await self.store.commit(a_commit(changed, at=self.clock.now()))
        return ids

    def sent(self) -> list[EffectId]:
        return [one for one, _ in self.post.taken]


def in_an_office(story: Callable[[Office], Coroutine[Any, Any, None]], post: Post) -> None:
    async def main(loop: VirtualLoop) -> None:
        await story(Office(loop, post))

    run_virtually(main)


def test_what_was_decided_is_sent_once_when_all_is_well() -> None:
    async def story(office: Office) -> None:
        ids = await office.write(3)
        assert await office.outbox.drain() == 3
        assert await office.outbox.drain() == 0
        assert sorted(office.sent()) == sorted(ids)

    in_an_office(story, Post())


def test_what_fails_is_tried_again_until_it_succeeds() -> None:
    async def story(office: Office) -> None:
        (wanted,) = await office.write()
        running = asyncio.ensure_future(office.outbox.run())
        await office.clock.sleep(120_000)
        running.cancel()
        assert office.sent() == [wanted]

    in_an_office(story, Post(fails=4))


def test_a_failure_is_not_repeated_before_its_pause_is_over() -> None:
    async def story(office: Office) -> None:
        await office.write()
        assert await office.outbox.drain() == 1
        assert await office.outbox.drain() == 0
        assert office.sent() == []

    in_an_office(story, Post(fails=1))


def test_one_message_that_cannot_be_sent_does_not_hold_the_others_up() -> None:
    async def story(office: Office) -> None:
        ids = await office.write(4)
        await office.outbox.drain()
        assert len(office.sent()) == len(ids) - 1

    in_an_office(story, Post(fails=1))


def test_no_more_than_allowed_are_sent_together() -> None:
    async def story(office: Office) -> None:
        await office.write(20)
        running = asyncio.ensure_future(office.outbox.run())
        await office.clock.sleep(30_000)
        running.cancel()
        assert len(office.sent()) == 20
        assert office.post.most_together == 4

    in_an_office(story, Post())


def test_two_processes_do_not_send_the_same_message() -> None:
    async def story(office: Office) -> None:
        ids = await office.write(4)
        other = office.another()
        await asyncio.gather(office.outbox.drain(), other.drain())
        assert sorted(office.sent()) == sorted(ids)

    in_an_office(story, Post())


def test_after_a_crash_the_lease_ends_and_another_process_sends() -> None:
    async def story(office: Office) -> None:
        (wanted,) = await office.write()
        crashed = asyncio.ensure_future(office.outbox.drain())
        await office.clock.sleep(2)
        crashed.cancel()
        await asyncio.gather(crashed, return_exceptions=True)
        office.post.hangs = False
        assert await office.another().drain() == 0
        await office.clock.sleep(30_000)
        assert await office.another().drain() == 1
        assert office.sent() == [wanted]

    in_an_office(story, Post(hangs=True))


def test_a_gateway_that_never_answers_is_given_up_and_tried_later() -> None:
    async def story(office: Office) -> None:
        (wanted,) = await office.write()
        await office.outbox.drain()
        office.post.hangs = False
        await office.clock.sleep(120_000)
        assert await office.outbox.drain() == 1
        assert office.sent() == [wanted]

    in_an_office(story, Post(hangs=True))


def test_a_database_that_goes_away_stops_nothing_for_good() -> None:
    class Forgetful(MemoryStore):
        goes = 2

        async def finish_effect(self, effect_id: EffectId, *, now: int) -> None:
            if self.goes:
                self.goes -= 1
                raise StoreUnavailable("away")
            await super().finish_effect(effect_id, now=now)

    async def story(office: Office) -> None:
        office.store = Forgetful()
        running = asyncio.ensure_future(office.another().run())
        (wanted,) = await office.write()
        await office.clock.sleep(120_000)
        running.cancel()
        # Sent again since nobody could write down that it was sent: at least once.
        assert office.sent() == [wanted] * 3

    in_an_office(story, Post())


def test_it_looks_at_once_when_it_is_woken() -> None:
    async def story(office: Office) -> None:
        running = asyncio.ensure_future(office.outbox.run())
        await office.clock.sleep(100)
        before = office.clock.now()
        (wanted,) = await office.write()
        office.outbox.wake()
        while not office.sent():
            await office.clock.sleep(1)
        running.cancel()
        assert office.sent() == [wanted]
        assert office.clock.now() - before < 1_000

    in_an_office(story, Post())
