"""The host of codes that prove a phone: reads, asks the rule, stores, and only then sends."""

import structlog
from msgspec import Struct
from msgspec.structs import replace

from actors.chance import Chance
from actors.clock import Clock
from actors.gateways.sms import SmsFailed, SmsGateway, SmsUncertain
from engine.identity import login
from engine.identity.budgets import TOO_MANY_CODES, BudgetRules, charges, wait_s
from engine.identity.login import CODE_DIGITS, CODES, Challenge, LoginRules, Purpose, code_mac
from engine.kernel.ids import derived_id
from engine.kernel.refusals import UNAVAILABLE, Refusal
from storage.identity import IdentityStore

_RACES_MAX = 8


class Wording(Struct, frozen=True, kw_only=True):
    """How a message is put: its language, and what lets a phone fill the code in.

    `domain` is for browsers; `app_hash` names the app to Android, and is empty without one.
    """

    domain: str
    arabic: bool
    app_hash: str = ""


class Codes:
    """Sends codes and tries them; nothing here knows whose phone it is, so nothing can tell."""

    def __init__(
        self,
        store: IdentityStore,
        sms: SmsGateway,
        *,
        wall: Clock,
        chance: Chance,
        pepper: bytes,
        rules: LoginRules,
        budgets: BudgetRules,
    ) -> None:
        self._store = store
        self._sms = sms
        self._wall = wall
        self._chance = chance
        self._pepper = pepper
        self._rules = rules
        self._budgets = budgets

    async def send(
        self,
        phone: str,
        purpose: Purpose,
        wording: Wording,
        *,
        place: str,
        asked_as: str = "",
    ) -> Refusal | None:
        """Send a code to a phone in E.164, whoever's it is; `place` is the address that asks.

        `asked_as`, if any, names the request: while its code is the last one, it is sent once.
        """
        code = f"{self._chance.below(CODES):0{CODE_DIGITS}}"
        mac = code_mac(self._pepper, phone, code, purpose)
        paid: tuple[str, ...] = ()
        for _ in range(_RACES_MAX):
            last = await self._store.find_challenge(phone, purpose)
            if login.is_repeated(last, asked_as):
                await self._store.give_back(paid)
                return None
            asked = login.ask(
                last,
                phone=phone,
                mac=mac,
                purpose=purpose,
                asked_as=asked_as,
                rules=self._rules,
                now=self._wall.now(),
            )
            refused = asked if isinstance(asked, Refusal) else None
            if refused is None and not paid:
                paid, refused = await self._pay(place, phone)
            if refused is not None:
                await self._store.give_back(paid)
                return refused
            assert isinstance(asked, Challenge)
            challenge = replace(asked, tallies=paid)
            if await self._store.save_challenge(challenge):
                return await self._send(challenge, code_text(code, purpose, wording))
        await self._store.give_back(paid)
        return UNAVAILABLE()

    async def prove(self, phone: str, code: str, purpose: Purpose) -> Refusal | None:
        """Nothing, if that is the code that was sent to this phone for this."""
        mac = code_mac(self._pepper, phone, code, purpose)
        for _ in range(_RACES_MAX):
            last = await self._store.find_challenge(phone, purpose)
            tried = login.attempt(last, mac=mac, rules=self._rules, now=self._wall.now())
            # A try counts before its answer is known, or parallel tries would be free.
            if tried.challenge is not None and not await self._store.save_challenge(
                tried.challenge
            ):
                continue
            if tried.refusal is None and tried.challenge is not None:
                await self._store.give_back(tried.challenge.tallies)
            return tried.refusal
        return UNAVAILABLE()

    async def _pay(self, place: str, phone: str) -> tuple[tuple[str, ...], Refusal | None]:
        now = self._wall.now()
        owed = charges(place, phone, self._budgets, now=now)
        empty = await self._store.spend(owed, now=now)
        if empty is None:
            return tuple(one.key for one in owed), None
        structlog.get_logger(__name__).warning(
            "codes_budget_spent", budget=_without_place(empty.key)
        )
        return (), TOO_MANY_CODES(retry_after_s=wait_s(empty, now))

    async def _send(self, challenge: Challenge, text: str) -> Refusal | None:
        key = derived_id("code", challenge.phone, challenge.purpose.value, str(challenge.version))
        try:
            await self._sms.send(challenge.phone, text, key)
        except SmsUncertain as error:
            # It may well arrive, and then the code must be good.
            structlog.get_logger(__name__).warning("sms_uncertain", why=str(error))
        except SmsFailed as error:
            structlog.get_logger(__name__).warning("sms_failed", why=str(error))
            await self._store.save_challenge(login.unsent(challenge))
            await self._store.give_back(challenge.tallies)
            return UNAVAILABLE()
        return None


_WORDS = {
    Purpose.LOG_IN: (
        "رمز الدخول إلى هديتي: {code}\nلا تعطه لأحد.",
        "{code} is your Hadiyati code.\nDo not tell it to anybody.",
    ),
    Purpose.LEAVE_PHONE: (
        "رمز تغيير رقم جوالك في هديتي: {code}\nإن لم تطلبه فلا تعطه لأحد.",
        "{code} changes your phone number at Hadiyati.\nDid not ask? Tell it to nobody.",
    ),
    Purpose.TAKE_PHONE: (
        "رمز تأكيد رقم جوالك الجديد في هديتي: {code}\nلا تعطه لأحد.",
        "{code} confirms your new phone number at Hadiyati.\nDo not tell it to anybody.",
    ),
    Purpose.KEEP_PHONE: (
        "رمز استعادة رقم جوالك في هديتي: {code}\nلا تعطه لأحد.",
        "{code} takes your Hadiyati account back to this phone.\nDo not tell it to anybody.",
    ),
    Purpose.STEP_UP: (
        "رمز تأكيد تغيير مهم في حسابك في هديتي: {code}\nإن لم تطلبه فلا تعطه لأحد.",
        "{code} confirms an important change at Hadiyati.\nDid not ask? Tell it to nobody.",
    ),
}


def code_text(code: str, purpose: Purpose, wording: Wording) -> str:
    """The message; its last line lets a browser fill the code in (WICG, SMS one-time codes).

    The line before it, if any, is the hash by which Android hands the message to the app.
    """
    ar, en = _WORDS[purpose]
    words = (ar if wording.arabic else en).format(code=code)
    app = f"\n{wording.app_hash}" if wording.app_hash else ""
    return f"{words}{app}\n\n@{wording.domain} #{code}"


def _without_place(key: str) -> str:
    """A budget as it may stand in a log: an address is somebody's."""
    kind, _, rest = key.partition(":")
    return kind if kind == "place" else f"{kind}:{rest}"
