"""A demo city for an empty database: an evening lived in virtual time, and people with accounts.

Nothing is made up past the rules: what the actors committed during that evening is committed again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Final

from msgspec.structs import replace

from engine.couriers.courier import Courier
from engine.identity.login import User
from engine.identity.profiles import Language, Profile, ProfileStatus
from engine.kernel.ids import QuoteId, UserId
from engine.kernel.messages import Role
from engine.kernel.timing import HOUR_MS, SECOND_MS, Instant
from engine.orders.messages import SendSms
from engine.orders.order import Order
from engine.orders.quote import Quote
from simulations.people import LIVELY
from simulations.replay import live
from simulations.sources import Asked, generated
from simulations.surprises import surprising
from storage.identity import IdentityStore
from storage.memory import MemoryStore
from storage.store import Commit, Outcome, Store, Stored

_ARABIC: Final = {
    "Abdullah": "عبدالله", "Fahad": "فهد", "Khalid": "خالد", "Mohammed": "محمد", "Omar": "عمر",
    "Saad": "سعد", "Sultan": "سلطان", "Turki": "تركي", "Yousef": "يوسف", "Faisal": "فيصل",
    "Hind": "هند", "Lama": "لمى", "Maha": "مها", "Noura": "نورة", "Reem": "ريم", "Sara": "سارة",
    "Haya": "هيا", "Amal": "أمل", "Dana": "دانة", "Jawaher": "جواهر", "Al Qahtani": "القحطاني",
    "Al Otaibi": "العتيبي", "Al Harbi": "الحربي", "Al Shehri": "الشهري", "Al Ghamdi": "الغامدي",
    "Al Dosari": "الدوسري", "Al Zahrani": "الزهراني", "Al Mutairi": "المطيري",
    "Al Anazi": "العنزي", "Al Subaie": "السبيعي",
}  # fmt: skip
_RIYADH: Final = timezone(timedelta(hours=3))
_CUSTOMER, _COURIER = "+96655000", "+96656000"
# Couriers go home and the last gifts arrive after the last order.
_AFTERWARDS_MS: Final = 3 * HOUR_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoCity:
    """What is to be stored: an evening's commits in their order, its quotes, and who took part."""

    commits: tuple[Commit, ...]
    quotes: tuple[Quote, ...]
    people: tuple[tuple[User, Profile], ...]


class _Remembering(MemoryStore):
    """A store that also knows in which order it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.commits: list[Commit] = []
        self.quotes: dict[QuoteId, Quote] = {}

    async def commit(self, commit: Commit) -> Outcome:
        outcome = await super().commit(commit)
        if isinstance(outcome, Stored):
            self.commits.append(commit)
        return outcome

    async def save_quote(self, quote: Quote) -> None:
        self.quotes[quote.id] = quote
        await super().save_quote(quote)


def demo_city(
    *, city: str, couriers: int, hours: float, zones: int, seed: int, now: Instant
) -> DemoCity:
    """An evening that ends before now; raises simulate.NoSuchCity."""
    begins = now - int(hours * HOUR_MS) - _AFTERWARDS_MS
    start = datetime.fromtimestamp(begins / SECOND_MS, _RIYADH).replace(tzinfo=None)
    asked = Asked(city, couriers, None, hours, start.isoformat(timespec="minutes"), 30, zones)
    source, store = generated(asked, seed=seed), _Remembering()
    day = surprising(source.day, LIVELY, seed=seed, pace=source.pace)
    live(day, seed=seed, behaviour=LIVELY, store=store)
    return DemoCity(
        commits=tuple(_quiet(one) for one in store.commits),
        quotes=tuple(store.quotes.values()),
        people=tuple(_people(store.commits, begins)),
    )


async def store_city(
    city: DemoCity, store: Store, identity: IdentityStore, *, on_step: Callable[[], None]
) -> None:
    """Store it; `on_step` hears of every commit, quote and person."""
    for commit in city.commits:
        outcome = await store.commit(commit)
        assert isinstance(outcome, Stored), f"{outcome}: the database was not empty"
        on_step()
    for quote in city.quotes:
        await store.save_quote(quote)
        on_step()
    for user, profile in city.people:
        await identity.register(user)
        await identity.save_profile(profile)
        on_step()


def _quiet(commit: Commit) -> Commit:
    """Nobody is written to about what is long over."""
    effects = tuple(one for one in commit.decision.effects if not isinstance(one, SendSms))
    return replace(commit, decision=replace(commit.decision, effects=effects))


def _people(commits: list[Commit], at: Instant) -> Iterator[tuple[User, Profile]]:
    things = [change.thing for one in commits for change in one.decision.changes]
    couriers = {one.id: one.name for one in things if isinstance(one, Courier)}
    customers = dict.fromkeys(one.customer_id for one in things if isinstance(one, Order))
    for number, (courier_id, name) in enumerate(couriers.items()):
        yield _person(courier_id, Role.COURIER, f"{_COURIER}{number:04}", name, at)
    names = [(first, last) for last in list(_ARABIC)[20:] for first in list(_ARABIC)[:20]]
    for number, customer_id in enumerate(customers):
        first, last = names[number * 7 % len(names)]
        phone = f"{_CUSTOMER}{number:04}"
        yield _person(customer_id, Role.CUSTOMER, phone, f"{first} {last}", at)


def _person(
    user_id: UserId, role: Role, phone: str, name: str, at: Instant
) -> tuple[User, Profile]:
    first, _, family = name.partition(" ")
    arabic = " ".join(_ARABIC.get(one, one) for one in (first, family) if one)
    profile = Profile(
        version=1,
        user_id=user_id,
        role=role,
        status=ProfileStatus.ACTIVE,
        created_at=at,
        language=Language.ARABIC if int(phone[-1]) % 2 else Language.ENGLISH,
        name_ar=arabic,
        name_en=name,
        email=f"{role.value}.{phone[-4:]}@hadiyati.example",
        verified_email=f"{role.value}.{phone[-4:]}@hadiyati.example",
        birth_date="1990-01-01",
    )
    return User(id=user_id, phone=phone, created_at=at), profile
