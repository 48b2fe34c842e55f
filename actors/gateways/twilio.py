"""Text messages over Twilio's Messages API (REST, version 2010-04-01)."""

import asyncio
from collections import OrderedDict
from typing import Any, Final

import httpx2
import structlog

from actors.clock import Clock
from actors.gateways.http_client import HttpClient
from actors.gateways.settings import SmsSettings
from actors.gateways.sms import SmsFailed, SmsRejected, SmsUncertain
from engine.kernel.timing import SECOND_MS

_AGAIN: Final = frozenset({429, 500, 502, 503, 504})
_REMEMBERED_MAX: Final = 10_000
_PAUSE_MS: Final = 200.0


class TwilioSms(HttpClient):
    """Sends each key once: while a message is on its way, and after it was taken.

    The API itself knows no idempotency key. So what was certainly not taken is sent again, and what
    may have been taken is not.
    """

    def __init__(self, settings: SmsSettings, wall: Clock) -> None:
        super().__init__(
            settings.url,
            timeout_s=settings.timeout_s,
            auth=(settings.account, settings.token.get_secret_value()),
        )
        self._settings = settings
        self._wall = wall
        self._taken: OrderedDict[str, asyncio.Future[None]] = OrderedDict()

    async def send(self, phone: str, text: str, key: str) -> None:
        """See `SmsGateway.send`."""
        known = self._taken.get(key)
        if known is not None:
            await asyncio.shield(known)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._taken[key] = future
        try:
            await self._deliver(phone, text)
        except SmsUncertain as error:
            self._settle(future, error)
            raise
        except BaseException as error:
            self._taken.pop(key, None)
            self._settle(future, SmsFailed(str(error)))
            raise
        self._settle(future, None)
        while len(self._taken) > _REMEMBERED_MAX:
            self._taken.popitem(last=False)

    def _settle(self, future: asyncio.Future[None], error: SmsFailed | None) -> None:
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(type(error)(str(error)))
            # Who waited has been told; that nobody waited is no fault.
            future.exception()

    async def _deliver(self, phone: str, text: str) -> None:
        why = ""
        for tried in range(self._settings.tries):
            if tried:
                await self._wall.sleep(_PAUSE_MS * 2**tried)
            why, is_over = await self._try(phone, text)
            if is_over:
                return
        raise SmsFailed(why)

    async def _try(self, phone: str, text: str) -> tuple[str, bool]:
        """One request: why it may be repeated, or that it is over; raises when it must not be."""
        form = {"To": phone, "From": self._settings.sender, "Body": text}
        path = f"/2010-04-01/Accounts/{self._settings.account}/Messages.json"
        try:
            answer = await self._client.post(path, data=form)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            return f"not reached: {type(error).__name__}", False
        except httpx2.TransportError as error:
            raise SmsUncertain(f"no answer: {type(error).__name__}") from error
        if answer.is_success:
            structlog.get_logger(__name__).info("sms_taken", sid=_said(answer).get("sid"))
            return "", True
        if answer.status_code in _AGAIN:
            await self._rest(answer)
            return f"status {answer.status_code}", False
        raise SmsRejected(f"status {answer.status_code}, code {_said(answer).get('code')}")

    async def _rest(self, answer: httpx2.Response) -> None:
        told = answer.headers.get("retry-after", "")
        if told.isdecimal():
            await self._wall.sleep(min(int(told), self._settings.timeout_s) * SECOND_MS)


def _said(answer: httpx2.Response) -> dict[str, Any]:
    """What is in the answer; of the phone and the text, which are in it too, nothing is logged."""
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
