"""PayPal's access token: asked for with our id and secret, and kept until it expires."""

from collections.abc import Generator
from typing import Final

import httpx2
import msgspec

from actors.clock import Clock
from actors.gateways.payments import GatewayUncertain
from engine.kernel.timing import SECOND_MS

_EARLY_S: Final = 60
_NOT_LET_IN: Final = 401


class _Granted(msgspec.Struct):
    access_token: str
    expires_in: int


class AccessToken(httpx2.Auth):
    """OAuth 2 client credentials for every request.

    A request that was not let in was not carried out, so it goes once more with a new token.
    """

    requires_response_body = True

    def __init__(self, url: str, client_id: str, secret: str, clock: Clock) -> None:
        self._url = f"{url}/v1/oauth2/token"
        self._basic = httpx2.BasicAuth(client_id, secret)
        self._clock = clock
        self._token, self._until = "", 0

    def auth_flow(
        self, request: httpx2.Request
    ) -> Generator[httpx2.Request, httpx2.Response, None]:
        """See `httpx2.Auth`; raises `GatewayUncertain` where no token is given."""
        if self._clock.now() >= self._until:
            yield from self._renew()
        answer = yield self._carrying(request)
        if answer.status_code == _NOT_LET_IN:
            yield from self._renew()
            yield self._carrying(request)

    def _carrying(self, request: httpx2.Request) -> httpx2.Request:
        request.headers["authorization"] = f"Bearer {self._token}"
        return request

    def _renew(self) -> Generator[httpx2.Request, httpx2.Response, None]:
        wish = httpx2.Request("POST", self._url, data={"grant_type": "client_credentials"})
        answer = yield next(self._basic.auth_flow(wish))
        if not answer.is_success:
            # Our own key is wrong, or PayPal is ill; neither says anything of a payment.
            raise GatewayUncertain(f"no access token: status {answer.status_code}")
        try:
            granted = msgspec.json.decode(answer.content, type=_Granted)
        except msgspec.DecodeError as error:
            raise GatewayUncertain("no access token in the answer") from error
        self._token = granted.access_token
        self._until = self._clock.now() + (granted.expires_in - _EARLY_S) * SECOND_MS
