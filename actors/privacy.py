"""The host of what people ask about their data: takes it down, carries it out when it is due."""

import asyncio
from functools import partial
from typing import Final

import structlog

from actors.chance import Chance, new_id
from actors.clock import Clock, rest
from actors.export_file import export_file
from engine.audit.record import Action, AuditRecord, acted
from engine.kernel.ids import EffectId, UserId, derived_id
from engine.kernel.messages import SYSTEM_CALLER, Caller
from engine.kernel.refusals import STALE, Refusal
from engine.kernel.timing import HOUR_MS, MINUTE_MS, SECOND_MS
from engine.orders.messages import SendSms
from engine.privacy import requests as rules
from engine.privacy.requests import (
    UNKNOWN_PERSON,
    PrivacyRequest,
    PrivacyRequestId,
    PrivacyRules,
    RequestKind,
)
from engine.privacy.retention import Periods
from storage.live import LiveTraces, LiveUnavailable
from storage.personal_data import Belongings, Person, PersonalData
from storage.privacy import PrivacyStore
from storage.retention import Retention
from storage.store import StoreUnavailable

_LOOK_EVERY_MS: Final = 5 * SECOND_MS
_RACES_MAX: Final = 20
_LEASE_MS: Final = 5 * MINUTE_MS
_FORGET_EVERY_MS: Final = HOUR_MS
_ASKED: Final = {
    RequestKind.EXPORT: Action.ASK_EXPORT,
    RequestKind.ERASURE: Action.ASK_ERASURE,
}
_TOLD: Final = (
    "طلبتَ حذف حسابك في هديتي. إن لم تكن أنت أو غيّرت رأيك فاسحب الطلب من التطبيق خلال {days} أيام."
    "\nYour account at Hadiyati is to be erased. Not you, or a change of mind? Withdraw it in the "
    "app within {days} days."
)


class PrivacyDesk:
    """`wall` is the real clock, `clock` dates what leaves through the outbox."""

    def __init__(
        self,
        store: PrivacyStore,
        data: PersonalData,
        traces: LiveTraces,
        *,
        rules: PrivacyRules,
        wall: Clock,
        clock: Clock,
        chance: Chance,
    ) -> None:
        self._store, self._data, self._traces = store, data, traces
        self._rules, self._wall, self._clock, self._chance = rules, wall, clock, chance
        self._woken = asyncio.Event()

    async def ask(self, kind: RequestKind, *, by: Caller) -> PrivacyRequest:
        """Ask for oneself; what is open already is the answer."""
        return await self._ask(kind, by.user_id, by=by)

    async def ask_for(
        self, kind: RequestKind, *, user_id: UserId | None, phone: str, by: Caller, reason: str
    ) -> PrivacyRequest | Refusal:
        """An admin asks for somebody who has proven who he is by another way.

        A phone without an account is a recipient's: what of him is in others' orders is meant.
        """
        if user_id is None:
            user_id = await self._data.find_user_of(phone)
            if user_id is not None:
                phone = ""
        if user_id is None:
            user_id = self._data.pseudonym_of(phone)
            return await self._ask(kind, user_id, by=by, phone=phone, reason=reason)
        if await self._data.find_person(user_id) is None:
            return UNKNOWN_PERSON()
        return await self._ask(kind, user_id, by=by, reason=reason)

    async def withdraw_erasure(self, *, by: Caller) -> PrivacyRequest | Refusal:
        """Keep the account after all."""
        found = await self._store.find_open_request(by.user_id, RequestKind.ERASURE)
        told = rules.withdraw(found, now=self._wall.now())
        if isinstance(told, Refusal):
            return told
        record = self._record(told, Action.WITHDRAW_ERASURE, by=by)
        return told if await self._store.save_request(told, records=(record,)) else STALE()

    async def run(self) -> None:
        """Carry out what is due, until cancelled."""
        while True:
            try:
                while await self.carry_out_next():
                    pass
            except StoreUnavailable as error:
                structlog.get_logger(__name__).warning("privacy_waits", why=str(error))
            await self._rest()

    async def carry_out_next(self) -> bool:
        """Carry out one request that is due; whether there was one.

        What cannot be done now is done when its lease has ended.
        """
        now = self._wall.now()
        request = await self._store.take_due(now=now, lease_until=now + _LEASE_MS)
        if request is None:
            return False
        try:
            await self._carry_out(request)
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - one request must not hold up the others
            structlog.get_logger(__name__).warning(
                "privacy_request_failed", id=request.id, why=type(error).__name__
            )
        return True

    async def _carry_out(self, request: PrivacyRequest) -> None:
        person = await self._data.find_person(request.user_id)
        if person is None:
            phones = (request.phone,) if request.phone else ()
            person = Person(user_id=request.user_id, phones=phones)
        belongings = await self._data.find_belongings(person)
        if request.kind is RequestKind.EXPORT:
            await self._export(request, belongings)
        else:
            await self._erase(request, belongings)

    async def _export(self, request: PrivacyRequest, belongings: Belongings) -> None:
        told = await self._data.tell(belongings)
        now = self._wall.now()
        file = await asyncio.to_thread(partial(export_file, told, person=request.user_id, at=now))
        async with self._data.as_one():
            await self._store.save_export(request, file, expires_at=now + self._rules.fetch_ms)
            await self._finish(request, Action.EXPORT_PERSON)

    async def _erase(self, request: PrivacyRequest, belongings: Belongings) -> None:
        now = self._wall.now()
        waits_for = await self._data.find_unfinished(belongings)
        if waits_for:
            await self._store.save_request(rules.put_off(request, waits_for, now=now))
            return
        # Valkey first: what fails there is tried again with all the rest.
        try:
            await self._traces.forget({belongings.person.user_id, *belongings.told_in})
        except LiveUnavailable as error:
            raise StoreUnavailable(str(error)) from error
        async with self._data.as_one():
            await self._data.erase(belongings, now=now)
            await self._finish(request, Action.ERASE_PERSON)

    async def _finish(self, request: PrivacyRequest, action: Action) -> None:
        done = rules.finish(request, now=self._wall.now())
        record = self._record(done, action, by=SYSTEM_CALLER)
        if not await self._store.save_request(done, records=(record,)):
            raise StoreUnavailable("the request was withdrawn at this moment")

    async def _ask(
        self,
        kind: RequestKind,
        user_id: UserId,
        *,
        by: Caller,
        phone: str = "",
        reason: str = "",
    ) -> PrivacyRequest:
        request = rules.ask(
            PrivacyRequestId(new_id(self._wall, self._chance)),
            user_id,
            kind,
            self._rules,
            by=by.user_id,
            now=self._wall.now(),
            phone=phone,
        )
        effects = await self._notices(request)
        record = self._record(request, _ASKED[kind], by=by, reason=reason)
        for _ in range(_RACES_MAX):
            open_one = await self._store.find_open_request(request.user_id, kind)
            if open_one is not None:
                return open_one
            if await self._store.save_request(
                request, effects=effects, at=self._clock.now(), records=(record,)
            ):
                self._woken.set()
                return request
        raise StoreUnavailable(f"requests of {user_id} keep changing")

    async def _notices(self, request: PrivacyRequest) -> tuple[SendSms, ...]:
        """Whoever has the phone learns that the account is to go: a thief may have asked."""
        person = await self._data.find_person(request.user_id)
        if request.kind is RequestKind.EXPORT or person is None or not person.phones:
            return ()
        days = (request.due_at - request.asked_at) // (24 * HOUR_MS)
        notice_id = EffectId(derived_id("erasure notice", request.id))
        return (SendSms(id=notice_id, phone=person.phones[0], text=_TOLD.format(days=days)),)

    def _record(
        self, request: PrivacyRequest, action: Action, *, by: Caller, reason: str = ""
    ) -> AuditRecord:
        after = {"request_id": request.id}
        subject, at = f"user:{request.user_id}", self._wall.now()
        return acted(by, action, subject, at=at, after=after, reason=reason)

    async def _rest(self) -> None:
        await rest(self._wall, _LOOK_EVERY_MS, self._woken)


class RetentionKeeper:
    """Lets go, every hour, what has been kept long enough."""

    def __init__(self, retention: Retention, periods: Periods, *, wall: Clock) -> None:
        self._retention, self._periods, self._wall = retention, periods, wall

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                gone = await self._retention.forget_old(self._periods, now=self._wall.now())
            except StoreUnavailable as error:
                structlog.get_logger(__name__).warning("retention_waits", why=str(error))
            else:
                if gone:
                    structlog.get_logger(__name__).info("forgotten", **gone)
            await self._wall.sleep(_FORGET_EVERY_MS)
