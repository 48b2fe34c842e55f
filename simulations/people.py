"""Simulated people and their way into the service: the doors they use, and how they behave."""

import asyncio
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, Protocol, Self, TypeVar

from actors.clock import Clock
from engine.kernel.place import Point
from engine.kernel.timing import Instant
from simulations.day import Ways
from simulations.diary import Diary
from simulations.views import OrderShown, Told, WorkShown

T = TypeVar("T")

# From one in two to nearly nobody it takes about five times this share of the threshold.
_SOFTNESS: Final = 0.2
_STEEPEST: Final = 40.0


class DoorShut(Exception):
    """The service does not let this phone in, or put it out; the message says why."""


class Newest(Generic[T]):
    """A value of which only the newest matters, and a way to wait for a newer one."""

    def __init__(self) -> None:
        self.value: T | None = None
        self.number = 0
        self._changed = asyncio.Event()

    def put(self, value: T) -> None:
        """Replace the value and wake who waits."""
        self.value = value
        self.nudge()

    def nudge(self) -> None:
        """Wake who waits although the value is the same."""
        self.number += 1
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def after(self, number: int) -> int:
        """Wait until there were more than `number` values; how many there were."""
        while self.number <= number:
            await self._changed.wait()
        return self.number


class CourierDoor(Protocol):
    """A courier's phone. It stays connected by itself and sends until it is answered."""

    @property
    def work(self) -> Newest[WorkShown]:
        """The work view."""
        ...

    async def open(self) -> str:
        """Connect and stay connected; the courier's id, once the work view is there."""
        ...

    async def close(self) -> None:
        """Switch the phone off."""
        ...

    async def tell(self, kind: str, **fields: Any) -> Told:  # noqa: ANN401 - frames hold anything
        """Send a courier's command until it is answered, always under one id."""
        ...

    async def give_back(self, order_id: str, reason: str) -> Told:
        """Give an order back before the pick-up."""
        ...

    async def position(self, point: Point, at: Instant) -> None:
        """Send a position; it may get lost."""
        ...


class CustomerDoor(Protocol):
    """A customer's app. It stays connected by itself and asks until it is answered."""

    async def open(self) -> str:
        """Log in, connect and stay connected; the customer's id."""
        ...

    async def close(self) -> None:
        """Switch the app off."""
        ...

    async def quote(self, shop: Point, door: Point, preparation_s: int) -> Told:
        """Ask for a price."""
        ...

    async def place(self, key: str, order: dict[str, Any]) -> Told:
        """Place an order under an idempotency key."""
        ...

    async def cancel(self, order_id: str, key: str, reason: str) -> Told:
        """Cancel an order under an idempotency key."""
        ...

    async def list_orders(self) -> list[OrderShown]:
        """The customer's newest orders."""
        ...

    async def watch(self, order_id: str, shown: Callable[[OrderShown], None]) -> None:
        """Be shown the order now and whenever it changes."""
        ...

    async def unwatch(self, order_id: str) -> None:
        """Be shown it no more."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """How people, their phones, the shops and the roads are; the default has no surprises.

    A courier answers an offer after `think_s` seconds (least, most), lets it expire with the
    probability `ignore` and says no with the probability `decline`, whatever it is. `far_min` is
    the approach, in minutes, and `wage_halalas` the pay for a minute of the trip at which one in
    two says no; 0: that does not matter to him. He takes what he can collect
    `shift_spare_ms` before his shift ends. Nobody opens the door with `nobody_home`; then the
    courier waits there and tries once more with `tries_again`, before he brings it back. A
    customer changes his mind after `patience_min` minutes in the mean; 0: never.

    A shop is late with the probability `shop_late`, by `shop_late_min` minutes in the mean. Real
    travel times differ from what is believed by a factor whose logarithm has the deviation
    `traffic`. Positions are off by `gps_noise_m` metres in each direction (one deviation); with the
    probability `gps_gap` after each the phone finds none for `gps_gap_s` seconds. A phone dies
    `phone_deaths_per_h` times an hour and is back after `phone_off_min` minutes (least, most).
    """

    decline: float = 0.0
    ignore: float = 0.0
    nobody_home: float = 0.0
    tries_again: float = 0.0
    think_s: tuple[float, float] = (0.0, 0.0)
    far_min: float = 0.0
    wage_halalas: float = 0.0
    patience_min: float = 0.0
    shop_late: float = 0.0
    shop_late_min: float = 0.0
    traffic: float = 0.0
    gps_noise_m: float = 0.0
    gps_gap: float = 0.0
    gps_gap_s: float = 0.0
    phone_deaths_per_h: float = 0.0
    phone_off_min: tuple[float, float] = (0.0, 0.0)
    position_every_ms: int = 30_000
    idle_position_ms: int = 300_000
    shift_spare_ms: int = 30_000


# A city as it is on an ordinary evening.
LIVELY: Final = Behaviour(
    decline=0.02,
    ignore=0.01,
    nobody_home=0.01,
    think_s=(2.0, 20.0),
    far_min=30.0,
    wage_halalas=30.0,
    patience_min=900.0,
    shop_late=0.15,
    shop_late_min=6.0,
    traffic=0.15,
    gps_noise_m=12.0,
    gps_gap=0.01,
    gps_gap_s=240.0,
    phone_deaths_per_h=0.02,
    phone_off_min=(3.0, 20.0),
    position_every_ms=60_000,
    idle_position_ms=600_000,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What all people of a day have in common; `closing` is set when everybody is to go home.

    `zone_of` is the id of the zone that a courier at a place works in, `pay_halalas` what somebody
    earns who carries a gift from a shop to a door.
    """

    clock: Clock
    diary: Diary
    ways: Ways
    shop_service_ms: int
    door_service_ms: int
    zone_of: Callable[[Point], str]
    pay_halalas: Callable[[Point, Point], int]
    closing: asyncio.Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Temper:
    """One person's behaviour with his own chance.

    `seed` is his own, `day` that of everybody on this day; without them his luck in one matter
    depends on all that he was asked before.
    """

    behaviour: Behaviour
    chance: random.Random
    # How much more than others he puts up with.
    tolerance: float = 1.0
    seed: int | None = None
    day: int | None = None

    @classmethod
    def of(cls, behaviour: Behaviour, seed: int, *, day: int | None = None) -> Self:
        """Somebody with this behaviour, himself by his seed."""
        chance = random.Random(seed)
        tolerance = chance.lognormvariate(0, 0.25)
        return cls(behaviour=behaviour, chance=chance, tolerance=tolerance, seed=seed, day=day)

    def about(self, *matter: object) -> Self:
        """He in one matter: his luck in it is the same whatever happened before.

        So two runs of a day in which other things are decided still ask the same dice.
        """
        return self._with_luck(self.seed, matter)

    def at_door(self, key: str) -> Self:
        """He at the door of an order: who is at home does not depend on who comes."""
        return self._with_luck(self.day, (key,))

    def _with_luck(self, seed: int | None, matter: tuple[object, ...]) -> Self:
        if seed is None:
            return self
        return replace(self, chance=random.Random(f"{seed} {matter}"))

    def refuses(self, *, approach_min: float, halalas_per_min: float) -> bool:
        """Whether he says no to an offer of this quality."""
        how = self.behaviour
        taken = 1 - how.decline
        if how.far_min:
            far_min = how.far_min * self.tolerance
            taken *= 1 - _logistic((approach_min - far_min) / (_SOFTNESS * far_min))
        if how.wage_halalas:
            wage = how.wage_halalas / self.tolerance
            taken *= 1 - _logistic((wage - halalas_per_min) / (_SOFTNESS * wage))
        return self.happens(1 - taken)

    def happens(self, probability: float) -> bool:
        """Whether something of this probability happens now; what cannot happen draws nothing."""
        return probability > 0 and self.chance.random() < probability

    def thinking_ms(self) -> float:
        """How long he thinks now."""
        least, most = self.behaviour.think_s
        return 1000 * (least if most <= least else self.chance.uniform(least, most))


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-max(-_STEEPEST, min(_STEEPEST, x))))


async def until(clock: Clock, at: Instant) -> None:
    """Wait until the clock shows `at` or later."""
    while (left := at - clock.now()) > 0:
        await clock.sleep(left)


async def until_or(clock: Clock, at: Instant, event: asyncio.Event) -> None:
    """Wait until the clock shows `at` or later, or the event is set."""
    while not event.is_set() and (left := at - clock.now()) > 0:
        try:
            async with asyncio.timeout(left / 1000 / clock.speed):
                await event.wait()
        except TimeoutError:
            continue


async def newer_within(clock: Clock, newest: Newest[Any], number: int, ms: float) -> bool:
    """Whether a newer value came within so many of the clock's milliseconds."""
    try:
        async with asyncio.timeout(ms / 1000 / clock.speed):
            await newest.after(number)
    except TimeoutError:
        return False
    return True
