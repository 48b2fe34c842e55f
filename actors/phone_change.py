"""The host of phone changes: two codes, one change, a word to the old phone, a day to undo it."""

import structlog

from actors.clock import Clock
from actors.codes import Codes, Wording
from actors.gateways.sms import SmsFailed, SmsGateway
from engine.audit.record import Action, acted_on_oneself
from engine.identity.login import Purpose, User
from engine.identity.phone_change import NOTHING_TO_UNDO, PHONE_TAKEN, move, undo
from engine.kernel.ids import UserId, derived_id
from engine.kernel.messages import Caller
from engine.kernel.refusals import STALE, Refusal
from storage.identity import IdentityStore

_TOLD = (
    "تم تغيير رقم جوالك في هديتي. إن لم تكن أنت فتراجع من التطبيق خلال ٢٤ ساعة.",
    "Your phone number at Hadiyati was changed. Not you? Undo it in the app within 24 hours.",
)


class PhoneChange:
    """`wall` is the real clock."""

    def __init__(self, codes: Codes, store: IdentityStore, sms: SmsGateway, *, wall: Clock) -> None:
        self._codes = codes
        self._store = store
        self._sms = sms
        self._wall = wall

    async def send_codes(
        self, user: User, phone: str, wording: Wording, *, place: str, asked_as: str = ""
    ) -> Refusal | None:
        """A code to the phone that is left and another to the one that is taken."""
        for number, purpose in ((user.phone, Purpose.LEAVE_PHONE), (phone, Purpose.TAKE_PHONE)):
            refusal = await self._codes.send(
                number, purpose, wording, place=place, asked_as=asked_as
            )
            if refusal is not None:
                return refusal
        return None

    async def change(
        self, user: User, phone: str, codes: tuple[str, str], *, arabic: bool, by: Caller
    ) -> User | Refusal:
        """Move to another phone; `codes` are those of the old phone and of the new one.

        The audit log is told that he moved and from where he asked, not which phones these are.
        """
        moved = move(user, phone, now=self._wall.now())
        if isinstance(moved, Refusal):
            return moved
        for number, code, purpose in (
            (user.phone, codes[0], Purpose.LEAVE_PHONE),
            (phone, codes[1], Purpose.TAKE_PHONE),
        ):
            refusal = await self._codes.prove(number, code, purpose)
            if refusal is not None:
                return refusal
        # Only who has the phone in his hand is told that it belongs to an account.
        record = acted_on_oneself(
            user.id, Action.MOVE_PHONE, role=by.role, place=by.place, at=moved.moved_at
        )
        if not await self._store.change_user(moved, records=(record,)):
            return PHONE_TAKEN()
        await self._tell(moved, _TOLD[0] if arabic else _TOLD[1])
        return moved

    async def send_undo_code(
        self, phone: str, wording: Wording, *, place: str, asked_as: str = ""
    ) -> Refusal | None:
        """A code to a phone, whether or not it was left by anybody."""
        return await self._codes.send(
            phone, Purpose.KEEP_PHONE, wording, place=place, asked_as=asked_as
        )

    async def undo(self, phone: str, code: str, *, place: str) -> User | Refusal:
        """Take the account back to the phone that it was moved from."""
        refusal = await self._codes.prove(phone, code, Purpose.KEEP_PHONE)
        if refusal is not None:
            return refusal
        user = await self._store.find_user_by_previous_phone(phone)
        if user is None:
            return NOTHING_TO_UNDO()
        restored = undo(user, now=self._wall.now())
        if isinstance(restored, Refusal):
            return restored
        record = acted_on_oneself(
            user.id, Action.UNDO_PHONE_MOVE, role=None, place=place, at=self._wall.now()
        )
        is_undone = await self._store.change_user(restored, records=(record,))
        return restored if is_undone else STALE()

    async def user(self, user_id: UserId) -> User | None:
        """A user by his id."""
        return await self._store.find_user(user_id)

    async def _tell(self, moved: User, text: str) -> None:
        key = derived_id("moved", moved.id, str(moved.version))
        try:
            await self._sms.send(moved.previous_phone, text, key)
        except SmsFailed as error:
            structlog.get_logger(__name__).warning("sms_failed", why=str(error))
