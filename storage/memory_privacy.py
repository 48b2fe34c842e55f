"""The in-memory twins of what people ask about their data, and of what is known of them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from msgspec import to_builtins

from engine.audit.record import AuditRecord
from engine.kernel.ids import UserId, derived_id
from engine.kernel.messages import Effect, Role
from engine.kernel.pages import Page, Wanted
from engine.kernel.timing import Instant
from engine.listings import CONSENTS, OPEN_PRIVACY_REQUESTS, PRIVACY_REQUESTS
from engine.privacy.consents import Consent, ConsentPurpose
from engine.privacy.requests import PrivacyRequest, PrivacyRequestId, RequestKind, Unfinished
from engine.privacy.retention import Periods
from storage.memory_audit import MemoryAudit
from storage.memory_identity import MemoryIdentity
from storage.memory_outbox import MemoryOutbox
from storage.personal_data import Belongings, Person, Told


class MemoryPrivacy:
    """Satisfies `PrivacyStore`; nothing in it waits."""

    def __init__(self, outbox: MemoryOutbox, audit: MemoryAudit) -> None:
        self._outbox, self._audit = outbox, audit
        self._requests: dict[PrivacyRequestId, PrivacyRequest] = {}
        self._leases: dict[PrivacyRequestId, Instant] = {}
        self._exports: dict[PrivacyRequestId, tuple[UserId, bytes, Instant]] = {}
        self._consents: dict[tuple[UserId, ConsentPurpose, Instant], Consent] = {}

    async def save_request(
        self,
        request: PrivacyRequest,
        *,
        effects: Sequence[Effect] = (),
        at: Instant = 0,
        records: Sequence[AuditRecord] = (),
    ) -> bool:
        last = self._requests.get(request.id)
        if request.version != (last.version if last else 0) + 1:
            return False
        if last is None and await self.find_open_request(request.user_id, request.kind):
            return False
        self._requests[request.id] = request
        self._leases[request.id] = request.due_at
        self._outbox.add(effects, at)
        self._audit.add(records)
        return True

    async def find_request(self, request_id: PrivacyRequestId) -> PrivacyRequest | None:
        return self._requests.get(request_id)

    async def find_open_request(self, user_id: UserId, kind: RequestKind) -> PrivacyRequest | None:
        mine = (one for one in self._requests.values() if one.user_id == user_id)
        return next((one for one in mine if one.kind is kind and one.is_open), None)

    async def list_requests_of(self, user_id: UserId, wanted: Wanted) -> Page[PrivacyRequest]:
        mine = (one for one in self._requests.values() if one.user_id == user_id)
        return PRIVACY_REQUESTS.page(mine, wanted)

    async def list_open_requests(self, wanted: Wanted) -> Page[PrivacyRequest]:
        is_open = (one for one in self._requests.values() if one.is_open)
        return OPEN_PRIVACY_REQUESTS.page(is_open, wanted)

    async def take_due(self, *, now: Instant, lease_until: Instant) -> PrivacyRequest | None:
        due = [one for one in self._requests.values() if one.is_open]
        due = [one for one in due if self._leases[one.id] <= now]
        first = min(due, key=lambda one: self._leases[one.id], default=None)
        if first is not None:
            self._leases[first.id] = lease_until
        return first

    async def save_export(
        self, request: PrivacyRequest, data: bytes, *, expires_at: Instant
    ) -> None:
        others = {id_: one for id_, one in self._exports.items() if one[0] != request.user_id}
        self._exports = {**others, request.id: (request.user_id, data, expires_at)}

    async def find_export(self, request_id: PrivacyRequestId, *, now: Instant) -> bytes | None:
        found = self._exports.get(request_id)
        return found[1] if found and found[2] > now else None

    async def list_exports_of(
        self, user_id: UserId, *, now: Instant
    ) -> Mapping[PrivacyRequestId, Instant]:
        return {
            id_: until
            for id_, (owner, _, until) in self._exports.items()
            if owner == user_id and until > now
        }

    async def save_consents(self, consents: Sequence[Consent]) -> None:
        for one in consents:
            self._consents[one.user_id, one.purpose, one.given_at] = one

    async def find_consent(self, user_id: UserId, purpose: ConsentPurpose) -> Consent | None:
        mine = (one for one in self._consents.values() if one.user_id == user_id)
        return next((one for one in mine if one.purpose is purpose and one.ended_at is None), None)

    async def list_consents(self, user_id: UserId, wanted: Wanted) -> Page[Consent]:
        mine = (one for one in self._consents.values() if one.user_id == user_id)
        return CONSENTS.page(mine, wanted)


class MemoryPersonalData:
    """Satisfies `PersonalData` and `Retention` for accounts and profiles: all that it knows of."""

    def __init__(self, identity: MemoryIdentity) -> None:
        self._identity = identity

    async def find_person(self, user_id: UserId) -> Person | None:
        user = await self._identity.find_user(user_id)
        return None if user is None else Person(user_id=user_id, phones=(user.phone,))

    async def find_user_of(self, phone: str) -> UserId | None:
        return self._identity.user_of(phone)

    def pseudonym_of(self, phone: str) -> UserId:
        return UserId(derived_id("recipient", phone))

    async def find_belongings(self, person: Person) -> Belongings:
        return Belongings(person=person)

    async def find_unfinished(self, belongings: Belongings) -> tuple[Unfinished, ...]:
        del belongings
        return ()

    async def tell(self, belongings: Belongings) -> Told:
        user_id = belongings.person.user_id
        user = await self._identity.find_user(user_id)
        profiles = [await self._identity.find_profile(user_id, one) for one in Role]
        return {
            "users": [] if user is None else [to_builtins(user)],
            "profiles": [to_builtins(one) for one in profiles if one is not None],
        }

    @asynccontextmanager
    async def as_one(self) -> AsyncIterator[object]:
        yield self

    async def erase(self, belongings: Belongings, *, now: Instant) -> None:
        del now
        self._identity.forget(belongings.person.user_id)

    async def forget_old(self, periods: Periods, *, now: Instant) -> Mapping[str, int]:
        del periods, now
        return {}
