"""A simulated phone at the real edge: REST for single questions, the WebSocket for what is live."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import msgspec

from actors.chance import Chance, new_id
from engine.kernel.place import Point
from engine.kernel.timing import Instant
from simulations.app_socket import Socket
from simulations.diary import Diary
from simulations.gateways.stc_pay import RIGHT
from simulations.people import Newest
from simulations.rest import Account
from simulations.views import Frame, OrderShown, Told, WorkShown

if TYPE_CHECKING:
    from simulations.small_talk import SmallTalk

_PAGE: Final = 100


def _speaking(talk: "SmallTalk | None", socket: Socket) -> "SmallTalk | None":
    if talk is not None:
        talk.use(socket)
    return talk


class CourierSocketDoor:
    """A courier's phone."""

    def __init__(
        self, account: Account, diary: Diary, chance: Chance, talk: "SmallTalk | None" = None
    ) -> None:
        self._account = account
        self._clock, self._chance = account.edge.clock, chance
        self._socket = Socket(account, diary, chance)
        self._talk = _speaking(talk, self._socket)
        self._work: Newest[WorkShown] = Newest()

    @property
    def work(self) -> Newest[WorkShown]:
        """The work view."""
        return self._work

    async def open(self) -> str:
        """Connect and stay connected; the courier's id."""
        if not self._account.token:
            await self._account.log_in()
        channel = f"courier:{self._account.user_id}"
        await self._socket.listen(channel, self._show, subscribe=False)
        await self._socket.open()
        return self._account.user_id

    async def close(self) -> None:
        """Switch the phone off."""
        if self._talk is not None:
            await self._talk.end()
        await self._socket.close()

    async def tell(self, kind: str, **fields: Any) -> Told:  # noqa: ANN401 - frames hold anything
        """Send a courier's command until it is answered."""
        return await self._socket.tell(kind, fields)

    async def give_back(self, order_id: str, reason: str) -> Told:
        """Give an order back before the pick-up."""
        path, key = f"/v1/orders/{order_id}/unassign", new_id(self._clock, self._chance)
        return await self._account.request("POST", path, {"reason": reason}, key=key)

    async def position(self, point: Point, at: Instant) -> None:
        """Send a position; it may get lost."""
        await self._socket.position(point, at)

    def _show(self, frame: Frame) -> None:
        if frame.kind not in {"", "state"}:
            return
        work = msgspec.json.decode(frame.body, type=WorkShown)
        seen = self._work.value
        if frame.type == "snapshot" or seen is None or work.version >= seen.version:
            self._work.put(work)
        if self._talk is not None:
            for one in work.orders:
                self._talk.begin(one.order_id)


_TO_BE_PAID: Final = "payment_required"
_PHONE_MONEY: Final = {"kind": "stc_pay", "value": "0500000000"}


class CustomerSocketDoor:
    """A customer's app."""

    def __init__(
        self, account: Account, diary: Diary, chance: Chance, talk: "SmallTalk | None" = None
    ) -> None:
        self._account = account
        self._clock, self._chance = account.edge.clock, chance
        self._socket = Socket(account, diary, chance)
        self._talk = _speaking(talk, self._socket)

    async def open(self) -> str:
        """Log in, connect and stay connected; the customer's id."""
        await self._socket.open()
        return self._account.user_id

    async def close(self) -> None:
        """Switch the app off."""
        if self._talk is not None:
            await self._talk.end()
        await self._socket.close()

    async def quote(self, shop: Point, door: Point, preparation_s: int) -> Told:
        """Ask for a price."""
        body = {
            "shop": {"lat": shop.lat, "lng": shop.lng},
            "door": {"lat": door.lat, "lng": door.lng},
            "preparation_s": preparation_s,
        }
        key = new_id(self._clock, self._chance)
        return await self._account.request("POST", "/v1/quotes", body, key=key)

    async def place(self, key: str, order: dict[str, Any]) -> Told:
        """Place an order under an idempotency key, and pay for it where that is asked for."""
        told = await self._account.request("POST", "/v1/orders", order, key=key)
        return await self._pay(key, order) if told.refused == _TO_BE_PAID else told

    async def _pay(self, key: str, order: dict[str, Any]) -> Told:
        """Pay with what the local payment server takes without a card's form."""
        wish = {"order": order, "network": "stc_pay", "source": _PHONE_MONEY}
        told = await self._account.request("POST", "/v1/payments", wish, key=key)
        if not told.refused and told.body["challenge_url"]:
            # The code that STC Pay sends; then he comes back, as a browser would bring him.
            await self._account.tell_gateway(told.body["challenge_url"], {"otp_value": RIGHT})
            path = f"/v1/payments/{told.body['payment_id']}"
            await self._account.request("GET", f"{path}/return")
            told = await self._account.request("GET", path)
        if told.refused or told.body["is_placed"]:
            return told
        return Told(refused=str(told.body["reason"] or told.body["status"]))

    async def cancel(self, order_id: str, key: str, reason: str) -> Told:
        """Cancel an order under an idempotency key."""
        path = f"/v1/orders/{order_id}/cancel"
        return await self._account.request("POST", path, {"reason": reason}, key=key)

    async def list_orders(self) -> list[OrderShown]:
        """The customer's newest orders."""
        told = await self._account.request("GET", f"/v1/orders?limit={_PAGE}")
        return msgspec.convert(told.body.get("orders", []), list[OrderShown])

    async def watch(self, order_id: str, shown: Callable[[OrderShown], None]) -> None:
        """Be shown the order now and whenever it changes."""

        def sink(frame: Frame) -> None:
            if frame.kind in {"", "state"}:
                shown(msgspec.json.decode(frame.body, type=OrderShown))

        await self._socket.listen(f"order:{order_id}", sink, subscribe=True)
        if self._talk is not None:
            self._talk.begin(order_id)

    async def unwatch(self, order_id: str) -> None:
        """Be shown it no more."""
        await self._socket.leave(f"order:{order_id}")
