"""What requests with a key were answered, kept in the transaction of their effect."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from msgspec import Struct

from engine.kernel.timing import Instant
from storage.database import Database
from storage.kinds import decode, encode
from storage.queries import queries
from storage.vault import Sealed, Vault


class KeptAnswer(Struct, frozen=True, kw_only=True):
    """An answer over HTTP as it was given; `fingerprint` is a digest of what was asked."""

    id: str
    fingerprint: str
    status: int
    headers: dict[str, str] = {}
    body: bytes
    expires_at: Instant


class UnderWay(Exception):
    """The same request is being carried out at this moment."""


Make = Callable[[], Awaitable[KeptAnswer]]


class KeptAnswers(Protocol):
    """Every method may raise `StoreUnavailable`."""

    async def once(self, answer_id: str, make: Make, *, now: Instant) -> KeptAnswer:
        """The answer kept under this id, else the one that is made now.

        Whatever `make` stores is stored together with what it returns, or nothing of it is. An
        answer that expires at once is not kept. Raises `UnderWay` while somebody else makes it.
        """
        ...


class _Row(Struct, frozen=True, kw_only=True):
    id: str
    expires_at: Instant
    key_id: str
    sealed: str


class PostgresKeptAnswers:
    """Satisfies `KeptAnswers`; the pool is its caller's to close. Answers may hold tokens."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def once(self, answer_id: str, make: Make, *, now: Instant) -> KeptAnswer:
        if (kept := await self._find(answer_id, now)) is not None:
            return kept
        async with self._database.as_one() as session:
            if not await session.value(queries.take_turn, answer_id=answer_id):
                raise UnderWay
            # Whoever had the turn before may have kept it meanwhile.
            if (kept := await self._find(answer_id, now)) is not None:
                return kept
            answer = await make()
            if answer.expires_at > now:
                await session.run(queries.keep_answer, state=self._sealed(answer))
            # Also says that the transaction has not failed unnoticed.
            await session.run(queries.forget_kept_answers, now=now)
        return answer

    async def _find(self, answer_id: str, now: Instant) -> KeptAnswer | None:
        state = await self._database.value(queries.find_kept_answer, answer_id=answer_id)
        kept = None if state is None else self._opened(state)
        return kept if kept and kept.expires_at > now else None

    def _sealed(self, answer: KeptAnswer) -> bytes:
        sealed = self._vault.seal(encode(answer), row=f"answer:{answer.id}")
        return encode(
            _Row(
                id=answer.id,
                expires_at=answer.expires_at,
                key_id=sealed.key_id,
                sealed=sealed.text,
            )
        )

    def _opened(self, state: bytes) -> KeptAnswer:
        row = decode(_Row, state)
        sealed = Sealed(key_id=row.key_id, text=row.sealed)
        return decode(KeptAnswer, self._vault.open(sealed, row=f"answer:{row.id}"))
