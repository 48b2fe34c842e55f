"""All that is stored of a person: found, told, and erased, as the graph of places declares it."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, Protocol

import msgspec
from msgspec import Struct, to_builtins

from engine.kernel.ids import OrderId, UserId, derived_id
from engine.kernel.messages import Role
from engine.kernel.pages import FIRST_ID
from engine.kernel.timing import Instant
from engine.money.accounts import AccountId, AccountKind, Asset, account, asset_of
from engine.privacy.places import TOLD, erasure_order
from engine.privacy.requests import Unfinished
from engine.uploads import Upload, object_key
from storage.database import Database, Session
from storage.identity import IdentityStore
from storage.kinds import decode, known
from storage.objects import ObjectStore
from storage.queries import queries
from storage.staff import StaffStore
from storage.vault import Vault

# Of the longest lists so much is told; nobody's own are longer.
ROWS_MAX: Final = 100_000
_AT_ONCE: Final = 500
_PART: Final = 5_000

Told = Mapping[str, list[Any]]


class Person(Struct, frozen=True, kw_only=True):
    """Who somebody is to us: perhaps only a phone to which gifts were sent."""

    user_id: UserId
    phones: tuple[str, ...] = ()


class Belongings(Struct, frozen=True, kw_only=True):
    """By what a person's rows are found: the things that he ordered, received and carried."""

    person: Person
    ordered: tuple[OrderId, ...] = ()
    received: tuple[OrderId, ...] = ()
    carried: tuple[OrderId, ...] = ()
    gift_links: tuple[str, ...] = ()
    is_awaited: bool = False

    @property
    def told_in(self) -> tuple[OrderId, ...]:
        """The orders in which something of his own stands."""
        return tuple(dict.fromkeys((*self.ordered, *self.received)))


class PersonalData(Protocol):
    """Every method may raise `StoreUnavailable`."""

    async def find_person(self, user_id: UserId) -> Person | None:
        """Somebody with an account."""
        ...

    async def find_user_of(self, phone: str) -> UserId | None:
        """Whose account has this phone."""
        ...

    def pseudonym_of(self, phone: str) -> UserId:
        """The same id for the same phone, from which nobody without the key finds it."""
        ...

    async def find_belongings(self, person: Person) -> Belongings:
        """What of all that is stored belongs to him."""
        ...

    async def find_unfinished(self, belongings: Belongings) -> tuple[Unfinished, ...]:
        """What must come to its end before he is erased."""
        ...

    async def tell(self, belongings: Belongings) -> Told:
        """All that is known of him, by the places where it is."""
        ...

    def as_one(self) -> AbstractAsyncContextManager[object]:
        """What is done in the block, here and in stores beside, is done together or not at all."""
        ...

    async def erase(self, belongings: Belongings, *, now: Instant) -> None:
        """Let all of it go but what a law holds."""
        ...


class PostgresPersonalData:
    """Satisfies `PersonalData`; the pool is its caller's to close."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        identity: IdentityStore,
        staff: StaffStore,
        objects: ObjectStore,
    ) -> None:
        self._database, self._vault, self._objects = database, vault, objects
        self._identity, self._staff = identity, staff

    async def find_person(self, user_id: UserId) -> Person | None:
        user = await self._identity.find_user(user_id)
        if user is None:
            return None
        phones = tuple(one for one in (user.phone, user.previous_phone) if one)
        return Person(user_id=user_id, phones=phones)

    async def find_user_of(self, phone: str) -> UserId | None:
        found: UserId | None = await self._database.value(
            queries.find_user_by_phone, phone_index=self._vault.index(phone)
        )
        return found

    def pseudonym_of(self, phone: str) -> UserId:
        return UserId(derived_id("recipient", self._vault.index(phone)))

    async def find_belongings(self, person: Person) -> Belongings:
        ordered: list[OrderId] = []
        asked = {"user_id": known(person.user_id)}
        while rows := await self._database.rows(
            queries.orders_of_person,
            **asked,
            after=ordered[-1] if ordered else FIRST_ID,
            limit=_PART,
        ):
            ordered += [OrderId(row["id"]) for row in rows]
        links = await self._database.rows(queries.gift_links_of_person, **asked)
        received, carried, is_awaited = await self._walk_orders(person)
        return Belongings(
            person=person,
            ordered=tuple(ordered),
            received=tuple(received),
            carried=tuple(carried),
            gift_links=(*(row["id"] for row in links), *await self._walk_gift_links(person)),
            is_awaited=is_awaited,
        )

    async def find_unfinished(self, belongings: Belongings) -> tuple[Unfinished, ...]:
        (row,) = await self._database.rows(
            queries.unfinished_business,
            user_id=known(belongings.person.user_id),
            # Points are no money: they lapse with their owner.
            accounts=[
                one for one in _accounts(belongings.person) if asset_of(one) is Asset.HALALAS
            ],
        )
        found = {Unfinished(name) for name, is_so in row.items() if is_so}
        if belongings.is_awaited:
            found.add(Unfinished.GIFTS)
        return tuple(one for one in Unfinished if one in found)

    async def tell(self, belongings: Belongings) -> Told:
        told: dict[str, list[Any]] = await self._identified(belongings.person)
        values = _values(belongings, limit=ROWS_MAX)
        async with self._database.snapshot() as session:
            for name in TOLD:
                if name not in told:
                    told[name] = await self._rows_of(session, name, belongings, values)
        return told

    def as_one(self) -> AbstractAsyncContextManager[object]:
        return self._database.as_one()

    async def erase(self, belongings: Belongings, *, now: Instant) -> None:
        indexes = [self._vault.index(one) for one in belongings.person.phones]
        values = _values(belongings, now=now, phone_indexes=indexes)
        async with self._database.transaction() as session:
            await delete_files(session, self._objects, values)
            await erase_rows(session, erasure_order(), values)

    async def _walk_orders(self, person: Person) -> tuple[list[OrderId], list[OrderId], bool]:
        received: list[OrderId] = []
        carried: list[OrderId] = []
        is_awaited = False
        after: str | None = FIRST_ID
        while after is not None:
            (row,) = await self._database.rows(
                queries.orders_about_person,
                user_id=known(person.user_id),
                phones=list(person.phones),
                after=after,
                limit=_PART,
            )
            received += row["received"]
            carried += row["carried"]
            is_awaited = is_awaited or row["is_awaited"]
            after = row["last"]
        return received, carried, is_awaited

    async def _walk_gift_links(self, person: Person) -> list[str]:
        received: list[str] = []
        after: str | None = FIRST_ID
        while after is not None:
            (row,) = await self._database.rows(
                queries.gift_links_about_person,
                phones=list(person.phones),
                after=after,
                limit=_PART,
            )
            received += row["received"]
            after = row["last"]
        return received

    async def _identified(self, person: Person) -> dict[str, list[Any]]:
        """What is sealed, opened."""
        user = await self._identity.find_user(person.user_id)
        profiles = [
            await self._identity.find_profile(person.user_id, one)
            for one in Role
            if one is not Role.SYSTEM
        ]
        account_of = await self._staff.find_account_of(person.user_id)
        staff = (
            []
            if account_of is None
            else [{"email": account_of.email, "created_at": account_of.created_at}]
        )
        return {
            "users": [] if user is None else [to_builtins(user)],
            "profiles": [to_builtins(one) for one in profiles if one is not None],
            "staff": staff,
        }

    async def _rows_of(
        self, session: Session, name: str, belongings: Belongings, values: dict[str, Any]
    ) -> list[Any]:
        if name != "orders":
            return await _told(session, f"tell_{name}", values)
        parts = {
            "tell_orders": belongings.ordered,
            "tell_received_orders": belongings.received,
            "tell_carried_orders": belongings.carried,
        }
        return [
            one
            for query, orders in parts.items()
            for one in await _told(session, query, {"orders": list(orders)})
        ]


async def delete_files(session: Session, objects: ObjectStore, values: Mapping[str, Any]) -> None:
    """The files go before what is known of them: what fails is found again."""
    for part in _parts(values["orders"]) or [[]]:
        given = {"user_id": values["user_id"], "orders": part}
        for row in await session.rows(queries.files_of_person, **given):
            await objects.delete(object_key(decode(Upload, row["state"]).id))


async def erase_rows(session: Session, places: Sequence[str], values: Mapping[str, Any]) -> None:
    """Change the rows of these places, the long lists of things in parts."""
    await session.value(queries.begin_redaction)
    for name in places:
        query = getattr(queries, f"erase_{name}")
        long = next((one for one in ("things", "orders") if one in query.parameters), None)
        for part in (_parts(values[long]) or [[]]) if long else [None]:
            given = {one: values[one] for one in query.parameters}
            if part is not None:
                given |= {one: part for one in ("things", "orders") if one in given}
            await session.run(query, **given)
    await session.value(queries.end_redaction)


def _parts(ids: Sequence[str]) -> list[list[str]]:
    return [list(ids[start : start + _AT_ONCE]) for start in range(0, len(ids), _AT_ONCE)]


async def _told(session: Session, name: str, values: dict[str, Any]) -> list[Any]:
    query = getattr(queries, name)
    given = {one: values[one] for one in query.parameters}
    rows = await session.rows(query, **given)
    return [msgspec.json.decode(row["told"]) for row in rows]


def _values(belongings: Belongings, **more: object) -> dict[str, Any]:
    """All by which the queries of the places find their rows."""
    person = belongings.person
    return {
        "user_id": known(person.user_id),
        "phones": list(person.phones),
        "orders": list(belongings.told_in),
        # Orders and couriers both have a history; so has a courier's own.
        "things": [*belongings.told_in, person.user_id],
        "gift_links": list(belongings.gift_links),
        "accounts": _accounts(person),
        "subjects": _subjects(person),
        **more,
    }


def _accounts(person: Person) -> list[AccountId]:
    return [account(kind, person.user_id) for kind in AccountKind]


def _subjects(person: Person) -> list[str]:
    profiles = [f"profile:{person.user_id}:{role}" for role in Role]
    return [f"user:{person.user_id}", f"courier:{person.user_id}", *profiles]
