"""What one socket says in conversations: messages in their order, markers, that somebody types."""

from collections.abc import Callable, Coroutine
from typing import Any, Final

from actors.clock import Clock
from actors.conversations import Conversations, channel_of
from api.refusals import OVERLOADED
from api.sending import begun
from api.sockets import server_frames
from api.sockets.frames import ChatFrame, Message, Read, Typing
from api.sockets.outgoing import Outgoing
from api.sockets.server_frames import Reply
from engine.chat.conversation import worded
from engine.identity.access import Permission, may
from engine.kernel.ids import OrderId
from engine.kernel.messages import Caller
from engine.kernel.refusals import NOT_ALLOWED, UNAVAILABLE, Refusal
from engine.kernel.timing import SECOND_MS

WAITING_MAX: Final = 32
Work = Coroutine[Any, Any, None]


class Speaking:
    """One after the other, so that messages stand in the order in which they were sent.

    `guard` has work end the socket, not the process, if it fails; what was begun goes on when the
    socket is gone.
    """

    def __init__(
        self,
        conversations: Conversations,
        outgoing: Outgoing,
        wall: Clock,
        *,
        guard: Callable[[Work], Work],
        note: Callable[[Refusal, str], None],
    ) -> None:
        self._conversations = conversations
        self._outgoing, self._wall = outgoing, wall
        self._guard, self._note = guard, note
        # Most sockets never say anything here, and a deque takes 0.7 KB though it is empty.
        self._waiting = list[tuple[Caller, ChatFrame]]()
        self._is_busy = False
        # Up to where the phone has others' messages that is not stored yet.
        self._had: dict[OrderId, int] = {}
        self._has_ended = False

    def end(self) -> None:
        """The socket is closed: what is not stored by now its phone will say again."""
        self._has_ended = True

    def mind(self, caller: Caller, frame: ChatFrame) -> None:
        """Carry it out when those before it are."""
        if not may(caller, Permission.CONVERSE):
            self._refuse(frame, NOT_ALLOWED(role=caller.role.value))
        elif len(self._waiting) >= WAITING_MAX:
            self._refuse(frame, OVERLOADED())
        else:
            self._waiting.append((caller, frame))
            if not self._is_busy:
                self._is_busy = True
                begun(self._guard(self._work_off()))

    def have(self, caller: Caller, order_id: OrderId, number: int) -> None:
        """The phone has others' messages up to this number."""
        is_being_stored = order_id in self._had
        self._had[order_id] = max(number, self._had.get(order_id, 0))
        if not is_being_stored:
            begun(self._guard(self._deliver(caller, order_id)))

    async def _work_off(self) -> None:
        try:
            while self._waiting:
                await self._carry_out(*self._waiting.pop(0))
        finally:
            self._is_busy = False

    async def _carry_out(self, caller: Caller, frame: ChatFrame) -> None:
        refusal: Refusal | None
        order_id = OrderId(frame.order_id)
        match frame:
            case Message():
                command = worded(
                    caller.user_id,
                    frame.order_id,
                    frame.id,
                    text=frame.text,
                    quick_reply=frame.quick_reply,
                    attachment=frame.attachment,
                )
                answer = await self._conversations.write(caller, command)
                refusal = answer if isinstance(answer, Refusal) else None
                if not isinstance(answer, Refusal):
                    self._outgoing.put(server_frames.spell(Reply(id=frame.id, body=answer)))
            case Read():
                refusal = await self._conversations.mark(caller, order_id, read=frame.number)
            case Typing():
                refusal = await self._conversations.say_typing(caller, order_id)
        if refusal is not None:
            self._refuse(frame, refusal)

    async def _deliver(self, caller: Caller, order_id: OrderId) -> None:
        """Store it once the database can; who may not read any more has nothing to confirm."""
        while number := self._had.get(order_id):
            refusal = await self._conversations.mark(caller, order_id, delivered=number)
            is_away = refusal is not None and refusal.code == UNAVAILABLE.code
            if is_away and not self._has_ended:
                await self._wall.sleep(SECOND_MS)
            elif self._had[order_id] == number:
                del self._had[order_id]

    def _refuse(self, frame: ChatFrame, refusal: Refusal) -> None:
        self._note(refusal, str(frame.__struct_config__.tag))
        if isinstance(frame, Message):
            self._outgoing.put(server_frames.refused(frame.id, refusal))
        else:
            channel = channel_of(OrderId(frame.order_id))
            self._outgoing.put(server_frames.error(refusal, channel=channel))
