"""What people ask about their data, what exports came to, and what was agreed to."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from engine.audit.record import AuditRecord
from engine.kernel.ids import UserId
from engine.kernel.messages import Effect
from engine.kernel.pages import Page, Wanted
from engine.kernel.timing import Instant
from engine.listings import CONSENTS, OPEN_PRIVACY_REQUESTS, PRIVACY_REQUESTS
from engine.privacy.consents import Consent, ConsentPurpose
from engine.privacy.requests import PrivacyRequest, PrivacyRequestId, RequestKind
from storage.audit import save_records
from storage.database import Database
from storage.kinds import decode, encode, known
from storage.listed import page_in
from storage.queries import queries
from storage.vault import Sealed, Vault


class PrivacyStore(Protocol):
    """Every method may raise `StoreUnavailable`."""

    async def save_request(
        self,
        request: PrivacyRequest,
        *,
        effects: Sequence[Effect] = (),
        at: Instant = 0,
        records: Sequence[AuditRecord] = (),
    ) -> bool:
        """Keep it in the place of the version before, with effects promised `at`, and records.

        False, and nothing is kept, when somebody was quicker, or when the same person has an open
        one of this kind.
        """
        ...

    async def find_request(self, request_id: PrivacyRequestId) -> PrivacyRequest | None:
        """A request by its id."""
        ...

    async def find_open_request(self, user_id: UserId, kind: RequestKind) -> PrivacyRequest | None:
        """The one of this kind that is still to be carried out."""
        ...

    async def list_requests_of(self, user_id: UserId, wanted: Wanted) -> Page[PrivacyRequest]:
        """A page of a person's, as `PRIVACY_REQUESTS` says."""
        ...

    async def list_open_requests(self, wanted: Wanted) -> Page[PrivacyRequest]:
        """A page of those still to be carried out, as `OPEN_PRIVACY_REQUESTS` says."""
        ...

    async def take_due(self, *, now: Instant, lease_until: Instant) -> PrivacyRequest | None:
        """One whose time has come, and which nobody else takes until the lease ends."""
        ...

    async def save_export(
        self, request: PrivacyRequest, data: bytes, *, expires_at: Instant
    ) -> None:
        """Keep what an export came to; the person's exports before it go."""
        ...

    async def find_export(self, request_id: PrivacyRequestId, *, now: Instant) -> bytes | None:
        """What it came to, while it may be fetched."""
        ...

    async def list_exports_of(
        self, user_id: UserId, *, now: Instant
    ) -> Mapping[PrivacyRequestId, Instant]:
        """Which exports of a person may be fetched, and until when."""
        ...

    async def save_consents(self, consents: Sequence[Consent]) -> None:
        """Keep what ended, then what began."""
        ...

    async def find_consent(self, user_id: UserId, purpose: ConsentPurpose) -> Consent | None:
        """What is agreed to at present."""
        ...

    async def list_consents(self, user_id: UserId, wanted: Wanted) -> Page[Consent]:
        """A page of all that somebody ever agreed to, as `CONSENTS` says."""
        ...


class _Row(Struct, frozen=True, kw_only=True):
    """The request without its phone, which is sealed beside it as long as it is needed."""

    request: PrivacyRequest
    key_id: str = ""
    sealed: str = ""


class PostgresPrivacy:
    """Satisfies `PrivacyStore`; the pool is its caller's to close."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def save_request(
        self,
        request: PrivacyRequest,
        *,
        effects: Sequence[Effect] = (),
        at: Instant = 0,
        records: Sequence[AuditRecord] = (),
    ) -> bool:
        due_at = request.due_at if request.is_open else None
        async with self._database.transaction() as session:
            saved = await session.run(
                queries.save_privacy_request, state=encode(self._sealed(request)), due_at=due_at
            )
            if saved != 1:
                return False
            for effect in effects:
                await session.run(queries.promise_effect, effect=encode(effect), at=at)
            await save_records(session, records)
        return True

    async def find_request(self, request_id: PrivacyRequestId) -> PrivacyRequest | None:
        state = await self._database.value(
            queries.find_privacy_request, request_id=known(request_id)
        )
        return None if state is None else self._opened(state)

    async def find_open_request(self, user_id: UserId, kind: RequestKind) -> PrivacyRequest | None:
        state = await self._database.value(
            queries.find_open_privacy_request, user_id=known(user_id), kind=kind.value
        )
        return None if state is None else self._opened(state)

    async def list_requests_of(self, user_id: UserId, wanted: Wanted) -> Page[PrivacyRequest]:
        return await page_in(
            self._database,
            queries.list_privacy_requests_of,
            PRIVACY_REQUESTS,
            wanted,
            lambda row: self._opened(row["state"]),
            user_id=known(user_id),
        )

    async def list_open_requests(self, wanted: Wanted) -> Page[PrivacyRequest]:
        return await page_in(
            self._database,
            queries.list_open_privacy_requests,
            OPEN_PRIVACY_REQUESTS,
            wanted,
            lambda row: self._opened(row["state"]),
        )

    async def take_due(self, *, now: Instant, lease_until: Instant) -> PrivacyRequest | None:
        state = await self._database.value(
            queries.take_due_privacy_request, now=now, lease_until=lease_until
        )
        return None if state is None else self._opened(state)

    async def save_export(
        self, request: PrivacyRequest, data: bytes, *, expires_at: Instant
    ) -> None:
        sealed = self._vault.seal(data, row=f"export:{request.id}")
        await self._database.run(
            queries.save_export,
            request_id=request.id,
            user_id=request.user_id,
            expires_at=expires_at,
            key_id=sealed.key_id,
            sealed=sealed.text,
        )

    async def find_export(self, request_id: PrivacyRequestId, *, now: Instant) -> bytes | None:
        rows = await self._database.rows(queries.find_export, request_id=known(request_id), now=now)
        if not rows:
            return None
        sealed = Sealed(key_id=rows[0]["key_id"], text=rows[0]["sealed"])
        return self._vault.open(sealed, row=f"export:{request_id}")

    async def list_exports_of(
        self, user_id: UserId, *, now: Instant
    ) -> Mapping[PrivacyRequestId, Instant]:
        rows = await self._database.rows(queries.list_exports_of, user_id=known(user_id), now=now)
        return {PrivacyRequestId(row["request_id"]): row["expires_at"] for row in rows}

    async def save_consents(self, consents: Sequence[Consent]) -> None:
        async with self._database.transaction() as session:
            for one in consents:
                is_over = one.ended_at is not None
                await session.run(
                    queries.end_consent if is_over else queries.give_consent, state=encode(one)
                )

    async def find_consent(self, user_id: UserId, purpose: ConsentPurpose) -> Consent | None:
        state = await self._database.value(
            queries.find_open_consent, user_id=known(user_id), purpose=purpose.value
        )
        return None if state is None else decode(Consent, state)

    async def list_consents(self, user_id: UserId, wanted: Wanted) -> Page[Consent]:
        return await page_in(
            self._database,
            queries.list_consents,
            CONSENTS,
            wanted,
            lambda row: decode(Consent, row["state"]),
            user_id=known(user_id),
        )

    def _sealed(self, request: PrivacyRequest) -> _Row:
        if not request.phone:
            return _Row(request=request)
        sealed = self._vault.seal(request.phone.encode(), row=f"privacy:{request.id}")
        return _Row(request=replace(request, phone=""), key_id=sealed.key_id, sealed=sealed.text)

    def _opened(self, state: bytes) -> PrivacyRequest:
        row = decode(_Row, state)
        if not row.key_id:
            return row.request
        sealed = Sealed(key_id=row.key_id, text=row.sealed)
        phone = self._vault.open(sealed, row=f"privacy:{row.request.id}").decode()
        return replace(row.request, phone=phone)
