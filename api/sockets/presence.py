"""Which sockets this process holds.

A courier has one at most, in whichever process it is; anybody else has a few in each.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from actors.clock import Clock
from api.sockets.close_codes import Close
from engine.kernel.ids import CourierId, UserId
from storage.live import EDGE, Batch, LiveStream, LiveUnavailable, Publication

_KIND = "socket"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Held:
    """A socket by its id, and how to close it."""

    id: str
    close: Callable[[int], None]


class Presence:
    """Counts sockets, and closes a person's older ones when he opens more than he may.

    Which of a courier's sockets in several processes is the newest is said by the order of their
    notices on the stream, which all read alike: clocks differ, and a line that was cut may be
    heard of after the one that took its place.
    """

    def __init__(
        self, live: LiveStream, wall: Clock, *, sockets_max: int, sockets_of_one_max: int
    ) -> None:
        self._live = live
        self._wall = wall
        self._sockets_max = sockets_max
        self._sockets: set[Held] = set()
        self._sockets_of_one_max = sockets_of_one_max
        self._couriers: dict[CourierId, Held] = {}
        # Those whose own notice was heard: another's that is heard now came later.
        self._announced: set[Held] = set()
        self._others: dict[UserId, list[Held]] = {}
        self._is_draining = False
        self._is_empty = asyncio.Event()
        self._is_empty.set()

    def enter(self, socket: Held) -> bool:
        """Take a socket in; False when there is no room, or no more time."""
        if self._is_draining or len(self._sockets) >= self._sockets_max:
            return False
        self._sockets.add(socket)
        self._is_empty.clear()
        return True

    def leave(self, socket: Held, user_id: UserId | None) -> None:
        """It is closed; whose it was, if he came to say so."""
        self._sockets.discard(socket)
        self._announced.discard(socket)
        if not self._sockets:
            self._is_empty.set()
        if user_id is None:
            return
        if self._couriers.get(user_id) is socket:
            del self._couriers[user_id]
        left = [one for one in self._others.get(user_id, ()) if one is not socket]
        if left:
            self._others[user_id] = left
        else:
            self._others.pop(user_id, None)

    def join(self, user_id: UserId, socket: Held) -> None:
        """Somebody who is no courier has shown who he is: of too many sockets the oldest goes."""
        held = self._others.setdefault(user_id, [])
        held.append(socket)
        if len(held) > self._sockets_of_one_max:
            held.pop(0).close(Close.REPLACED)

    async def arrive(self, courier_id: CourierId, socket: Held) -> None:
        """A courier has shown who he is: his older sockets are closed, here and elsewhere."""
        older = self._couriers.get(courier_id)
        self._couriers[courier_id] = socket
        if older is not None and older is not socket:
            older.close(Close.REPLACED)
        notice = Publication(
            channel=f"courier:{courier_id}", kind=_KIND, version=0, body={"socket": socket.id}
        )
        batch = Batch(
            cell=EDGE,
            incarnation=socket.id,
            sequence=1,
            at=self._wall.now(),
            publications=(notice,),
        )
        try:
            await self._live.publish(batch)
        except LiveUnavailable:
            # An old socket elsewhere stays open a while; its phone is gone, and silence closes it.
            if self._couriers.get(courier_id) is socket:
                self._announced.add(socket)

    def hear(self, notice: Publication) -> None:
        """A courier opened a socket somewhere."""
        courier_id = CourierId(notice.channel.partition(":")[2])
        held = self._couriers.get(courier_id)
        if notice.kind != _KIND or held is None:
            return
        if notice.body.get("socket") == held.id:
            self._announced.add(held)
        elif held in self._announced:
            held.close(Close.REPLACED)

    def miss(self) -> None:
        """The stream was away: notices of those who are here may have gone by unheard."""
        self._announced.update(self._couriers.values())

    def drain(self) -> None:
        """Ask every phone to connect elsewhere, and take no more in."""
        self._is_draining = True
        for socket in list(self._sockets):
            socket.close(Close.GOING_AWAY)

    async def wait_until_empty(self) -> None:
        """Return when no socket is left."""
        await self._is_empty.wait()
