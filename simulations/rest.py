"""The REST half of a simulated phone: log-in by a texted code, requests until they are answered."""

import asyncio
import random
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx2
import msgspec

from actors.clock import Clock, SystemClock
from actors.settings import ClockSettings
from engine.kernel.ids import uuid7
from simulations.people import DoorShut
from simulations.views import Told
from simulations.witness import Request, Witness

_CODE: Final = re.compile(r"#(\d{4,8})\b")
_POLL_MS = 50.0
_CODE_PATIENCE_S = 10.0
_REQUEST_TIMEOUT_S = 15.0
_CONNECTIONS_MAX = 64
_CLOCK_SAMPLES = 5
# Log-ins hash and store: more of them at once only wait in the server.
_LOG_INS_AT_ONCE = 8
_NO_LONGER = frozenset({"not_authenticated", "token_expired", "session_ended"})
_AGAIN_STATUS = frozenset({429, 502, 503, 504})
_STILL_RUNNING, _WRONG_CODE = "still_running", "wrong_code"


class _Sms(msgspec.Struct, frozen=True):
    phone: str
    text: str


class SmsInbox:
    """The phones of all simulated people: reads what the development gateway writes."""

    def __init__(self, file: Path, clock: Clock) -> None:
        self._file, self._clock = file, clock
        self._offset = file.stat().st_size if file.exists() else 0
        self._codes: dict[str, str] = {}
        self._looking: asyncio.Task[None] | None = None
        self._waiting: dict[str, asyncio.Future[str]] = {}

    async def code_for(self, phone: str) -> str | None:
        """The next code sent to this phone; None when none comes."""
        if phone in self._codes:
            return self._codes.pop(phone)
        self._waiting[phone] = asyncio.get_running_loop().create_future()
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            async with asyncio.timeout(_CODE_PATIENCE_S):
                return await self._waiting[phone]
        except TimeoutError:
            return None
        finally:
            del self._waiting[phone]

    async def _look(self) -> None:
        while self._waiting:
            self._read()
            await self._clock.sleep(_POLL_MS * self._clock.speed)

    def _read(self) -> None:
        if not self._file.exists():
            return
        with self._file.open("rb") as file:
            file.seek(self._offset)
            text = file.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.splitlines():
            sms = msgspec.json.decode(line, type=_Sms)
            found = _CODE.search(sms.text)
            if found is None:
                continue
            waiting = self._waiting.get(sms.phone)
            if waiting is not None and not waiting.done():
                waiting.set_result(found[1])
            else:
                self._codes[sms.phone] = found[1]


class Backoff:
    """Real pauses that double from one failure to the next, each made a little different."""

    def __init__(self, clock: Clock, chance: random.Random, *, most_s: float = 3.0) -> None:
        self._clock, self._chance = clock, chance
        self._most_s, self._next_s = most_s, 0.1

    def reset(self) -> None:
        """It works again."""
        self._next_s = 0.1

    async def pause(self, at_least_s: float = 0.0) -> None:
        """Wait before the next try."""
        seconds = max(self._next_s * self._chance.uniform(0.5, 1.0), at_least_s)
        self._next_s = min(self._most_s, self._next_s * 2)
        await self._clock.sleep(seconds * 1000 * self._clock.speed)


class Edge:
    """The address of the service and what the people of one process share to reach it."""

    def __init__(
        self,
        url: str,
        sms_log: Path,
        *,
        clock: Clock,
        chance: random.Random,
        witness: Witness | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self.clock, self.chance = clock, chance
        self.inbox = SmsInbox(sms_log, clock)
        self.log_ins = asyncio.Semaphore(_LOG_INS_AT_ONCE)
        self.client = _client(self.url)
        self.witness = witness or Witness()

    @property
    def socket_url(self) -> str:
        """Where the WebSocket is."""
        return f"ws{self.url.removeprefix('http')}/v1/socket"

    def backoff(self) -> Backoff:
        """Pauses for one caller."""
        return Backoff(self.clock, self.chance)

    async def close(self) -> None:
        """Close the connections."""
        await self.client.aclose()


def _client(url: str) -> httpx2.AsyncClient:
    limits = httpx2.Limits(
        max_connections=_CONNECTIONS_MAX, max_keepalive_connections=_CONNECTIONS_MAX
    )
    return httpx2.AsyncClient(
        base_url=url, timeout=_REQUEST_TIMEOUT_S, limits=limits, trust_env=False
    )


async def clock_of(url: str) -> SystemClock:
    """A clock that shows the service's time and runs at its speed."""
    real = SystemClock()
    best: tuple[int, ClockSettings] | None = None
    async with _client(url.rstrip("/")) as client:
        for _ in range(_CLOCK_SAMPLES):
            asked_at = real.now()
            answer = (await client.get("/v1/clock")).raise_for_status().json()
            told_at = real.now()
            settings = ClockSettings(
                speed=answer["speed"], start_ms=answer["now"], started_ms=told_at
            )
            # The quickest answer is the least stale one.
            if best is None or told_at - asked_at < best[0]:
                best = (told_at - asked_at, settings)
    assert best is not None
    return SystemClock(best[1])


class NotLoggedIn(DoorShut):
    """The service did not let this phone in; the message says why."""


class Account:
    """One phone number in one role."""

    def __init__(self, edge: Edge, *, phone: str, role: str) -> None:
        self.edge, self.phone, self._role = edge, phone, role
        self.token = ""
        self.user_id = ""
        self._refresh_token = ""

    async def renew(self) -> None:
        """Get a new token without a code, or with one if there is no other way."""
        told = await self._send("/v1/auth/refresh", {"refresh_token": self._refresh_token or "-"})
        if told.refused:
            await self.log_in()
        else:
            self._keep(told.body)

    def _keep(self, body: Mapping[str, Any]) -> None:
        self.token, self.user_id = body["access_token"], body["user_id"]
        self._refresh_token = body["refresh_token"]

    async def log_in(self) -> None:
        """Get a token by a texted code; raises NotLoggedIn."""
        backoff = self.edge.backoff()
        async with self.edge.log_ins:
            for _ in range(8):
                asked = await self._send("/v1/auth/otp", {"phone": self.phone}, key=self._key())
                if asked.refused:
                    raise NotLoggedIn(f"{self.phone}: {asked.refused}")
                told = await self._try_texts()
                if told is None:
                    await backoff.pause()
                    continue
                if told.refused:
                    raise NotLoggedIn(f"{self.phone} as {self._role}: {told.refused}")
                self._keep(told.body)
                return
        raise NotLoggedIn(f"{self.phone}: no code came")

    async def _try_texts(self) -> Told | None:
        """What the first code that is not wrong gave; a text may come twice, or late."""
        while code := await self.edge.inbox.code_for(self.phone):
            wish = {"phone": self.phone, "code": code, "role": self._role}
            told = await self._send("/v1/auth/token", wish, key=self._key())
            if told.refused != _WRONG_CODE:
                return told
        return None

    async def request(
        self, method: str, path: str, body: object = None, *, key: str = "", match: str = ""
    ) -> Told:
        """Ask until there is an answer, always under the same key; `match` is for `If-Match`."""
        headers = {"Authorization": f"Bearer {self.token}"}
        headers |= {"Idempotency-Key": key} if key else {}
        headers |= {"If-Match": f'"{match}"'} if match else {}
        told = await self._ask(method, path, body, headers)
        if told.refused in _NO_LONGER:
            await self.renew()
            headers["Authorization"] = f"Bearer {self.token}"
            told = await self._ask(method, path, body, headers)
        if key:
            self.edge.witness.answered(self.phone, Request(method, path, body, key), told)
        return told

    async def tell_gateway(self, url: str, body: object) -> Told:
        """Send something to a payment gateway, who is told no token of ours."""
        return await self._ask("POST", url, body, {})

    async def pages(self, path: str, name: str) -> AsyncIterator[Any]:
        """Every row of a list, page by page."""
        cursor = ""
        while True:
            told = await self.request("GET", f"{path}?cursor={quote(cursor)}" if cursor else path)
            for row in told.body[name]:
                yield row
            cursor = told.body.get("next") or ""
            if not cursor:
                return

    def _key(self) -> str:
        """Under which a question may be asked again that perhaps was answered."""
        return uuid7(self.edge.clock.now(), self.edge.chance.getrandbits(74))

    async def _send(self, path: str, body: object, *, key: str = "") -> Told:
        return await self._ask("POST", path, body, {"Idempotency-Key": key} if key else {})

    async def _ask(self, method: str, path: str, body: object, headers: Mapping[str, str]) -> Told:
        backoff = self.edge.backoff()
        content = None if body is None else msgspec.json.encode(body)
        typed = {**headers, "Content-Type": "application/json"} if content else dict(headers)
        while True:
            try:
                answer = await self.edge.client.request(
                    method, path, content=content, headers=typed
                )
            except httpx2.TransportError:
                await backoff.pause()
                continue
            told = _told(answer)
            if answer.status_code not in _AGAIN_STATUS and told.refused != _STILL_RUNNING:
                return told
            await backoff.pause(_seconds(answer.headers.get("Retry-After")))


def _seconds(text: str | None) -> float:
    """A `Retry-After` in seconds, with a bound on how long a simulated person waits."""
    return min(10.0, float(text)) if text and text.isdigit() else 0.0


def _told(answer: httpx2.Response) -> Told:
    body = _body(answer.content)
    if answer.is_success:
        return Told(body=body if isinstance(body, dict) else {"items": body})
    code = body.get("code") if isinstance(body, dict) else None
    return Told(body={"problem": body}, refused=str(code or f"status_{answer.status_code}"))


def _body(content: bytes) -> Any:  # noqa: ANN401 - JSON holds anything
    """What was said; text that is no JSON is an odd answer, which its hearer notes."""
    try:
        return msgspec.json.decode(content) if content else {}
    except msgspec.DecodeError:
        return content.decode(errors="replace")
