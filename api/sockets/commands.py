"""The commands of one socket: when each may begin, who carries it out, what is answered."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NamedTuple

from actors.bus import Begun
from api.parts import Parts
from api.refusals import OVERLOADED
from api.sending import begun
from api.sockets import server_frames
from api.sockets.backlog import Backlog
from api.sockets.courier_words import begin_words, execute_words, weight_of
from api.sockets.frames import CourierFrame
from api.sockets.outgoing import Outgoing
from api.sockets.server_frames import Reply
from engine.kernel.ids import CellId
from engine.kernel.messages import Caller
from engine.kernel.refusals import Refusal
from storage.store import Answer

# What is turned away while a command is under way may wait so long for its answer.
_TOLD_WITHIN_S: Final = 0.25
# The line of who is not known to work anywhere.
_SOME_CELL: Final = CellId("")

Waiting = Coroutine[Any, Any, None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Socket:
    """What a command needs of its socket.

    `guard` has work end the socket, not the process, if it fails; `failed` says that it has;
    `note` tells of a no.
    """

    outgoing: Outgoing
    backlog: Backlog
    guard: Callable[[Waiting], Waiting]
    failed: Callable[[], None]
    note: Callable[[Refusal, str], None]


class _Said(NamedTuple):
    """A command that was let in; `cell` is the line in which it stood."""

    caller: Caller
    frame: CourierFrame
    cell: CellId
    waited_s: float


class Commands:
    """At most `at_once` are under way; what was begun goes on when the socket is gone."""

    def __init__(self, parts: Parts, socket: Socket) -> None:
        self._parts = parts
        self._socket = socket
        self._loop = asyncio.get_running_loop()
        self._at_once = parts.settings.edge.commands_at_once
        self._begun = 0
        self._one_is_done: asyncio.Future[None] | None = None
        self._under_way: dict[str, CourierFrame] = {}
        self._turned_away: list[str] = []

    def begin(self, caller: Caller, frame: CourierFrame) -> Waiting | None:
        """Have it carried out now, or else return what waits until it may be."""
        if self._under_way.get(frame.id) == frame:
            # The answer to a repetition is on its way already.
            return None
        if self._begun >= self._at_once:
            return self._wait(caller, frame)
        cell, behind_s = self._cell_of(caller), self._socket.backlog.behind_s
        begins = self._parts.admission.enter_at_once(cell, weight_of(frame), waited_s=behind_s)
        if begins is None:
            return self._wait(caller, frame)
        if begins:
            self._begun += 1
            self._carry_out(_Said(caller, frame, cell, behind_s))
        else:
            self._turn_away(frame.id)
        return None

    def _cell_of(self, caller: Caller) -> CellId:
        return self._parts.bus.known_cell(f"courier:{caller.user_id}") or _SOME_CELL

    async def _wait(self, caller: Caller, frame: CourierFrame) -> None:
        held_from = self._loop.time()
        while self._begun >= self._at_once:
            self._one_is_done = self._loop.create_future()
            await self._one_is_done
        self._begun += 1
        cell, behind_s, is_let_in = self._cell_of(caller), self._socket.backlog.behind_s, False
        try:
            is_let_in = await self._parts.admission.enter(cell, weight_of(frame), waited_s=behind_s)
        finally:
            if not is_let_in:
                self._begun -= 1
        held_s = self._loop.time() - held_from
        self._socket.backlog.hold(held_s)
        if is_let_in:
            self._carry_out(_Said(caller, frame, cell, behind_s + held_s))
        else:
            self._turn_away(frame.id)

    def _carry_out(self, said: _Said) -> None:
        self._under_way[said.frame.id] = said.frame
        try:
            asked = begin_words(self._parts, said.caller, said.frame, waited_s=said.waited_s)
        except BaseException:
            self._leave(said)
            raise
        if asked is None:
            begun(self._socket.guard(self._look_and_ask(said)))
        else:
            asked.answered.add_done_callback(partial(self._settle, said, asked))

    def _settle(self, said: _Said, asked: Begun, _: object) -> None:
        """The cell that was asked has answered; another may have to be found."""
        try:
            answer = self._parts.bus.settled(asked)
        except Exception:  # noqa: BLE001 - it is told, as whatever fails in a socket is
            self._leave(said)
            self._socket.failed()
            return
        if answer is None:
            begun(self._socket.guard(self._look_and_ask(said)))
        else:
            self._leave(said)
            self._answer(said.frame, answer)

    async def _look_and_ask(self, said: _Said) -> None:
        """Carry out what takes more than one question."""
        try:
            answer = await execute_words(
                self._parts, said.caller, said.frame, waited_s=said.waited_s
            )
        finally:
            self._leave(said)
        self._answer(said.frame, answer)

    def _leave(self, said: _Said) -> None:
        self._parts.admission.leave(said.cell)
        self._begun -= 1
        self._under_way.pop(said.frame.id, None)
        if self._one_is_done is not None and not self._one_is_done.done():
            self._one_is_done.set_result(None)

    def _answer(self, frame: CourierFrame, answer: Answer) -> None:
        self._tell_turned_away()
        if answer.refusal is None:
            told = server_frames.spell(Reply(id=frame.id, body=answer.reply))
        else:
            self._socket.note(answer.refusal, str(frame.__struct_config__.tag))
            told = server_frames.refused(frame.id, answer.refusal)
        self._socket.outgoing.put(told)

    def _turn_away(self, command_id: str) -> None:
        """Refuse it together with what is read in the same moment: one frame costs as much.

        If an answer is to come soon they leave with it: one write costs as much, too.
        """
        if not self._turned_away:
            within_s = _TOLD_WITHIN_S if self._begun else 0.0
            self._loop.call_later(within_s, self._tell_turned_away)
        self._turned_away.append(command_id)

    def _tell_turned_away(self) -> None:
        if not self._turned_away:
            return
        (first, *rest), self._turned_away = self._turned_away, []
        self._socket.outgoing.put(server_frames.refused(first, OVERLOADED(), also=rest))
