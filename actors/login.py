"""The host of logging in: who proves a phone is the user of that phone."""

from actors.chance import Chance, new_id
from actors.clock import Clock
from actors.codes import Codes, Wording
from engine.identity.login import Purpose, User
from engine.identity.phone_change import PHONE_WAS_CHANGED, may_be_undone
from engine.kernel.ids import UserId
from engine.kernel.refusals import Refusal
from storage.identity import IdentityStore


class LogIn:
    """Turns the right codes into users; `wall` is the real clock."""

    def __init__(self, codes: Codes, store: IdentityStore, *, wall: Clock, chance: Chance) -> None:
        self._codes = codes
        self._store = store
        self._wall = wall
        self._chance = chance

    async def send_code(
        self, phone: str, wording: Wording, *, place: str, asked_as: str = ""
    ) -> Refusal | None:
        """Send a code to a phone in E.164, whoever's it is."""
        return await self._codes.send(
            phone, Purpose.LOG_IN, wording, place=place, asked_as=asked_as
        )

    async def try_code(self, phone: str, code: str) -> User | Refusal:
        """The user of this phone, if that is the code that was sent; his first log-in makes him."""
        refusal = await self._codes.prove(phone, code, Purpose.LOG_IN)
        if refusal is not None:
            return refusal
        moved = await self._store.find_user_by_previous_phone(phone)
        if moved is not None and may_be_undone(moved, self._wall.now()):
            return PHONE_WAS_CHANGED()
        user_id = UserId(new_id(self._wall, self._chance))
        return await self._store.register(
            User(id=user_id, phone=phone, created_at=self._wall.now())
        )
