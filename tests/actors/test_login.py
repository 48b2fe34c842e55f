"""The host of logging in: what is stored before what is sent or told."""

import asyncio
import re
from collections.abc import Callable, Coroutine
from typing import Any

from actors.chance import SeededChance
from actors.codes import Codes, Wording, code_text
from actors.gateways.sms import SmsFailed, SmsUncertain
from actors.login import LogIn
from engine.identity.budgets import BudgetRules
from engine.identity.login import Challenge, LoginRules, Purpose, User
from engine.kernel.refusals import Refusal
from simulations.virtual import VirtualClock, VirtualLoop, run_virtually
from storage.memory_identity import MemoryIdentity
from tests.builders import NOON

PHONE = "+966500000001"
WORDING = Wording(domain="x.example", arabic=False)


class Post:
    """Keeps what is sent, or takes nothing."""

    def __init__(self, store: "Register") -> None:
        self._store = store
        self.is_shut = False
        self.is_uncertain = False
        self.sent: list[tuple[str, str, str]] = []
        self.stored_when_sent: list[Challenge | None] = []

    async def send(self, phone: str, text: str, key: str) -> None:
        if self.is_shut:
            raise SmsFailed("shut")
        self.stored_when_sent.append(await self._store.find_challenge(phone))
        self.sent.append((phone, text, key))
        if self.is_uncertain:
            raise SmsUncertain("no answer")

    def code(self) -> str:
        found = re.search(r"#(\d{6})$", self.sent[-1][1])
        assert found is not None
        return found[1]


class Register(MemoryIdentity):
    """A store in which somebody else is sometimes quicker."""

    def __init__(self) -> None:
        super().__init__()
        self.races = 0

    async def save_challenge(self, challenge: Challenge) -> bool:
        if self.races:
            self.races -= 1
            return False
        return await super().save_challenge(challenge)


class Door:
    def __init__(self, loop: VirtualLoop) -> None:
        self.clock = VirtualClock(loop, starts_at=NOON)
        self.store = Register()
        self.post = Post(self.store)
        self.login = self.log_in_of()

    def log_in_of(self) -> LogIn:
        chance = SeededChance(5)
        codes = Codes(
            self.store,
            self.post,
            wall=self.clock,
            chance=chance,
            pepper=b"pepper",
            rules=LoginRules(),
            budgets=BudgetRules(place_hour=3, place_day=6),
        )
        return LogIn(codes, self.store, wall=self.clock, chance=chance)

    async def ask(self, phone: str = PHONE, *, place: str = "192.0.2.1") -> str:
        refusal = await self.login.send_code(phone, WORDING, place=place)
        return refusal.code if refusal else ""

    async def answer(self, code: str, phone: str = PHONE) -> User | str:
        told = await self.login.try_code(phone, code)
        return told.code if isinstance(told, Refusal) else told


def at_the_door(story: Callable[[Door], Coroutine[Any, Any, None]]) -> None:
    async def main(loop: VirtualLoop) -> None:
        await story(Door(loop))

    run_virtually(main)


def test_the_code_is_stored_before_it_is_sent_and_only_as_its_mac() -> None:
    async def story(door: Door) -> None:
        assert await door.ask() == ""
        (stored,) = door.post.stored_when_sent
        assert stored is not None
        assert door.post.code() not in stored.code_mac
        user = await door.answer(door.post.code())
        assert isinstance(user, User)
        assert (user.phone, user.created_at) == (PHONE, NOON)

    at_the_door(story)


def test_a_message_that_cannot_be_sent_is_told_and_may_be_asked_for_again() -> None:
    async def story(door: Door) -> None:
        door.post.is_shut = True
        assert await door.ask() == "temporarily_unavailable"
        door.post.is_shut = False
        assert await door.ask() == ""
        assert isinstance(await door.answer(door.post.code()), User)

    at_the_door(story)


def test_every_message_has_a_key_of_its_own() -> None:
    async def story(door: Door) -> None:
        for phone in (PHONE, "+966500000002"):
            await door.ask(phone)
        await door.clock.sleep(60_000)
        await door.ask()
        assert len({key for _, _, key in door.post.sent}) == 3

    at_the_door(story)


def test_whoever_is_quicker_a_try_is_counted_or_not_answered() -> None:
    async def story(door: Door) -> None:
        await door.ask()
        door.store.races = 3
        assert await door.answer("000000") == "wrong_code"
        stored = await door.store.find_challenge(PHONE)
        assert stored is not None
        assert stored.wrong_tries == 1
        door.store.races = 100
        assert await door.answer(door.post.code()) == "temporarily_unavailable"
        door.store.races = 0
        assert isinstance(await door.answer(door.post.code()), User)

    at_the_door(story)


def test_right_tries_at_once_log_in_once() -> None:
    async def story(door: Door) -> None:
        await door.ask()
        code = door.post.code()
        told = await asyncio.gather(*(door.answer(code) for _ in range(5)))
        assert sum(isinstance(one, User) for one in told) == 1
        assert told.count("wrong_code") == 4

    at_the_door(story)


def test_a_message_of_which_nobody_knows_may_have_arrived() -> None:
    async def story(door: Door) -> None:
        door.post.is_uncertain = True
        assert await door.ask() == ""
        assert isinstance(await door.answer(door.post.code()), User)

    at_the_door(story)


def phones(count: int) -> list[str]:
    return [f"+9665000001{number:02d}" for number in range(count)]


def test_one_address_has_few_codes_on_their_way_and_proven_ones_cost_nothing() -> None:
    async def story(door: Door) -> None:
        for phone in phones(20):
            assert await door.ask(phone) == ""
            assert isinstance(await door.answer(door.post.code(), phone), User)
        told = [await door.ask(phone) for phone in phones(5)]
        assert told == ["", "", "", "too_many_codes", "too_many_codes"]
        assert await door.ask(phones(5)[4], place="192.0.2.2") == ""
        await door.clock.sleep(3_600_000)
        assert [await door.ask(phone) for phone in phones(5)][:3] == ["", "", ""]
        await door.clock.sleep(3_600_000)
        assert await door.ask(PHONE) == "too_many_codes"
        await door.clock.sleep(24 * 3_600_000)
        assert await door.ask(PHONE) == ""

    at_the_door(story)


def test_a_code_that_was_refused_or_could_not_be_sent_costs_nothing() -> None:
    async def story(door: Door) -> None:
        assert await door.ask() == ""
        for _ in range(10):
            assert await door.ask() == "code_too_soon"
        door.post.is_shut = True
        for phone in phones(10):
            assert await door.ask(phone) == "temporarily_unavailable"
        door.post.is_shut = False
        assert [await door.ask(phone) for phone in phones(2)] == ["", ""]

    at_the_door(story)


class Counting(Register):
    """Remembers what was asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def __getattribute__(self, name: str) -> Any:
        if not name.startswith("_") and name not in {"asked", "races"}:
            self.asked.append(name)
        return super().__getattribute__(name)


def test_for_a_known_and_an_unknown_phone_the_same_is_done() -> None:
    """The same steps take the same time, on any machine."""

    async def story(door: Door) -> None:
        store = Counting()
        door.store = store
        door.post = Post(store)
        door.login = door.log_in_of()
        steps: list[list[str]] = []
        for phone in (PHONE, PHONE, "+966500000002"):
            await door.clock.sleep(61_000)
            store.asked.clear()
            assert await door.ask(phone) == ""
            assert await door.answer("000000", phone) == "wrong_code"
            steps.append(list(store.asked))
            if len(steps) == 1:
                assert isinstance(await door.answer(door.post.code(), phone), User)
        assert steps[1] == steps[2]

    at_the_door(story)


def test_the_message_lets_a_phone_fill_the_code_in() -> None:
    for purpose in Purpose:
        for arabic in (True, False):
            wording = Wording(domain="x.example", arabic=arabic, app_hash="FA+9qCX9VSu")
            text = code_text("012345", purpose, wording)
            assert text.splitlines()[-3:] == ["FA+9qCX9VSu", "", "@x.example #012345"]
            assert text.count("012345") == 2
            # Two parts of a message at most: 70 letters of Arabic each, less the joint.
            assert len(text) <= 134
            plain = code_text("012345", purpose, Wording(domain="x.example", arabic=arabic))
            assert "FA+" not in plain
