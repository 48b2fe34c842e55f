"""The host of logging in: reads, asks the rule, stores, and only then sends or answers."""

import structlog

from actors.chance import Chance, new_id
from actors.clock import Clock
from actors.gateways.sms import SmsFailed, SmsGateway
from engine.identity import login
from engine.identity.login import CODE_DIGITS, CODES, Challenge, LoginRules, User, code_mac
from engine.kernel.ids import UserId, derived_id
from engine.kernel.refusals import UNAVAILABLE, Refusal
from storage.identity import IdentityStore

_RACES_MAX = 8


class LogIn:
    """Sends codes and turns the right ones into users; `wall` is the real clock."""

    def __init__(
        self,
        store: IdentityStore,
        sms: SmsGateway,
        *,
        wall: Clock,
        chance: Chance,
        pepper: bytes,
        rules: LoginRules,
    ) -> None:
        self._store = store
        self._sms = sms
        self._wall = wall
        self._chance = chance
        self._pepper = pepper
        self._rules = rules

    async def send_code(self, phone: str, *, domain: str, arabic: bool) -> Refusal | None:
        """Send a code to a phone in E.164, whoever's it is."""
        code = f"{self._chance.below(CODES):0{CODE_DIGITS}}"
        mac = code_mac(self._pepper, phone, code)
        for _ in range(_RACES_MAX):
            last = await self._store.find_challenge(phone)
            asked = login.ask(last, phone=phone, mac=mac, rules=self._rules, now=self._wall.now())
            if isinstance(asked, Refusal):
                return asked
            if await self._store.save_challenge(asked):
                return await self._send(asked, code_text(code, domain=domain, arabic=arabic))
        return UNAVAILABLE()

    async def try_code(self, phone: str, code: str) -> User | Refusal:
        """The user of this phone, if that is the code that was sent; his first log-in makes him."""
        mac = code_mac(self._pepper, phone, code)
        for _ in range(_RACES_MAX):
            last = await self._store.find_challenge(phone)
            tried = login.attempt(last, mac=mac, rules=self._rules, now=self._wall.now())
            # A try counts before its answer is known, or parallel tries would be free.
            if tried.challenge is not None and not await self._store.save_challenge(
                tried.challenge
            ):
                continue
            if tried.refusal is not None:
                return tried.refusal
            user_id = UserId(new_id(self._wall, self._chance))
            return await self._store.register(
                User(id=user_id, phone=phone, created_at=self._wall.now())
            )
        return UNAVAILABLE()

    async def _send(self, challenge: Challenge, text: str) -> Refusal | None:
        key = derived_id("code", challenge.phone, str(challenge.version))
        try:
            await self._sms.send(challenge.phone, text, key)
        except SmsFailed as error:
            structlog.get_logger(__name__).warning("sms_failed", why=str(error))
            await self._store.save_challenge(login.unsent(challenge))
            return UNAVAILABLE()
        return None


def code_text(code: str, *, domain: str, arabic: bool) -> str:
    """The message; its last line lets a phone fill the code in (WICG, SMS one-time codes)."""
    words = (
        f"رمز الدخول إلى هديتي: {code}\nلا تعطه لأحد."
        if arabic
        else f"{code} is your Hadiyati code.\nDo not tell it to anybody."
    )
    return f"{words}\n\n@{domain} #{code}"
