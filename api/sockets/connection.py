"""One socket: who is behind it, what it asks, and why it ends."""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

import structlog

from actors.chance import new_id
from api.refusals import BAD_POSITION, INVALID_REQUEST
from api.sockets import frames, server_frames
from api.sockets.backlog import Backlog
from api.sockets.close_codes import Close
from api.sockets.commands import Commands, Socket, Waiting
from api.sockets.desk import Desk
from api.sockets.frames import (
    Accept,
    Acknowledge,
    Authenticate,
    Decline,
    Duty,
    Incoming,
    Look,
    MalformedFrame,
    Message,
    Ping,
    Position,
    Progress,
    ReachedWaitingPoint,
    Read,
    Received,
    Subscribe,
    Typing,
    Unsubscribe,
)
from api.sockets.listening import Listening
from api.sockets.masked import Payload
from api.sockets.outgoing import Outgoing
from api.sockets.positions import PositionGate, Positions
from api.sockets.presence import Held
from api.sockets.server_frames import Authenticated, Pong
from api.sockets.speaking import Speaking
from api.sockets.wire import Gone, Wire
from api.sockets.writing import Writing
from api.tokens import Proven
from engine.identity.access import Permission, may
from engine.identity.ids import SessionId
from engine.identity.sessions import SESSION_ENDED
from engine.kernel.messages import Caller, Role
from engine.kernel.refusals import NOT_ALLOWED, UNAVAILABLE, Refusal
from engine.kernel.timing import SECOND_MS
from storage.live import Fix

FAULT = 1011
_GOODBYE_S = 2.0
# What makes others work costs so much more than what is only noted, which costs one.
_EXTRA_COSTS = {Subscribe: 3, Look: 7, Duty: 1, Accept: 1, Decline: 1, Progress: 1, Message: 3}
_CLOSES = {SESSION_ENDED.code: Close.SESSION_ENDED, UNAVAILABLE.code: Close.GOING_AWAY}


class Closing(Exception):
    """The socket is to be closed with this code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Connection:
    """Serves one socket from its acceptance to its end."""

    def __init__(self, wire: Wire, desk: Desk) -> None:
        self._wire = wire
        self._desk = desk
        self._parts = desk.parts
        self._edge = desk.parts.settings.edge
        self._loop = asyncio.get_running_loop()
        self._closing: asyncio.Future[int] = self._loop.create_future()
        self._writing = Writing(
            wire, desk.departures, is_over=self._closing.done, spawn=self._spawn
        )
        self._outgoing = Outgoing(
            self._edge.frames_waiting_max,
            partial(self.close, Close.TOO_SLOW),
            bytes_max=self._edge.bytes_waiting_max,
            say_at_once=self._writing.say_at_once,
            on_waiting=self._begin_writing,
        )
        self._unread: deque[Payload] | None = None
        self._backlog = Backlog()
        socket = Socket(
            outgoing=self._outgoing,
            backlog=self._backlog,
            guard=self._end_with,
            failed=self._fail,
            note=self._note,
        )
        self._commands = Commands(self._parts, socket)
        self._tasks: set[asyncio.Task[None]] = set()
        self._speaking = Speaking(
            desk.conversations,
            self._outgoing,
            self._parts.wall,
            guard=self._end_with,
            note=self._note,
        )
        self._listening = Listening(
            desk.sources,
            self._outgoing,
            spawn=self._spawn,
            note=self._note,
            have=self._speaking.have,
        )
        future_s = self._edge.position_future_s
        self._places = Positions(
            PositionGate(self._parts.clock, self._parts.wall, future_s=future_s),
            self._backlog,
            report=self._report,
            tell=self._tell_dropped,
        )
        self._frames_left = float(self._edge.frames_burst)
        self._heard_at = self._loop.time()
        self._silence: asyncio.TimerHandle | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self._caller: Caller | None = None
        self._may_say_where = False
        self._session_id: SessionId | None = None
        self._end_of_session = partial(self.close, Close.SESSION_ENDED)
        self._held = Held(id=new_id(self._parts.wall, self._parts.chance), close=self.close)

    def close(self, code: int) -> None:
        """End it; the first reason counts."""
        if not self._closing.done():
            self._closing.set_result(code)

    async def serve(self) -> None:
        """Accept, and serve until one side has had enough."""
        await self._wire.accept(self._hear)
        if not self._desk.presence.enter(self._held):
            self.close(Close.GOING_AWAY)
            await self._wire.close(Close.GOING_AWAY)
            self._wire.leave()
            return
        try:
            self._mind_silence()
            self._spawn(self._wire.wait_for_the_end(self._hear))
            code = await self._closing
            await self._say_goodbye(code)
        finally:
            await self._forget()

    # What comes in

    def _hear(self, messages: Sequence[Payload]) -> None:
        """Heed what was read at once, or when what came before it is heeded."""
        if self._closing.done():
            return
        if self._unread is not None:
            self._unread.extend(messages)
            return
        unread = deque(messages)
        try:
            waiting = self._heed(unread)
        except Closing as closing:
            self.close(closing.code)
        except Exception:  # noqa: BLE001 - as in `_end_with`
            self._fail()
        else:
            if waiting is not None:
                self._unread = unread
                self._wire.hold()
                self._spawn(self._catch_up(unread, waiting))

    async def _catch_up(self, unread: deque[Payload], waiting: Waiting | None) -> None:
        """Read on when what was read last has had its turn."""
        while waiting is not None:
            await waiting
            waiting = self._heed(unread) if unread else None
        self._unread = None
        self._wire.release()

    def _heed(self, unread: deque[Payload]) -> Waiting | None:
        """Do what these say; what is returned is to be waited for before the next is heeded.

        Of the positions the newest is passed on.
        """
        self._note_the_time()
        try:
            while unread and not self._closing.done():
                frame = self._read(unread.popleft())
                if self._caller is None:
                    self._welcome(frame)
                elif frame is not None and (waiting := self._obey(self._caller, frame)):
                    return waiting
            return None
        finally:
            self._places.pass_on()

    def _welcome(self, frame: Incoming | bytes | None) -> None:
        if not isinstance(frame, Authenticate):
            raise Closing(Close.NOT_AUTHENTICATED)
        proven = self._prove(frame)
        caller = self._caller = proven.caller
        self._may_say_where = may(caller, Permission.SEND_POSITIONS)
        self._greet(proven)
        if frame.receipts:
            again_ms = int(self._edge.receipt_s * SECOND_MS)
            self._outgoing.want_receipts(self._parts.wall, again_ms=again_ms)
            self._desk.sources.hub.repeat_to(self._outgoing)
        channels = dict(frame.channels)
        if caller.role is Role.COURIER:
            self._spawn(self._desk.presence.arrive(caller.user_id, self._held))
            channels.setdefault(f"courier:{caller.user_id}", None)
        else:
            self._desk.presence.join(caller.user_id, self._held)
        for channel, bookmark in channels.items():
            self._listening.subscribe(caller, channel, bookmark)

    def _mind_silence(self) -> None:
        """One timer for all frames: it looks when the last one came, and waits for the rest."""
        is_known = self._caller is not None
        patience_s = self._edge.silence_s if is_known else self._edge.authenticate_s
        left_s = self._heard_at + patience_s - self._loop.time()
        if left_s > 0:
            self._silence = self._loop.call_later(left_s, self._mind_silence)
        else:
            self.close(Close.SILENT if is_known else Close.NOT_AUTHENTICATED)

    def _note_the_time(self) -> None:
        """Something was said: the allowance has grown since the last time (a token bucket)."""
        now = self._loop.time()
        since_s, self._heard_at = now - self._heard_at, now
        self._backlog.read(since_s)
        grown = self._frames_left + since_s * self._edge.frames_per_s
        self._frames_left = min(self._edge.frames_burst, grown)

    def _read(self, data: Payload) -> Incoming | bytes | None:
        """A frame, or None if it is none and its sender was told."""
        if len(data) > self._edge.frame_bytes_max:
            raise Closing(Close.TOO_LARGE)
        self._pay(1)  # Every frame costs one, whatever it says.
        if isinstance(data, bytes):
            return data
        try:
            frame = frames.read_frame(data)
        except MalformedFrame as fault:
            if fault.command_id is None:
                structlog.get_logger(__name__).info("malformed_frame", why=str(fault))
                raise Closing(Close.MALFORMED) from None
            refusal = INVALID_REQUEST(message=str(fault))
            self._outgoing.put(server_frames.refused(fault.command_id, refusal))
            return None
        if extra := _EXTRA_COSTS.get(type(frame)):
            self._pay(extra)
        return frame

    def _pay(self, cost: int) -> None:
        self._frames_left -= cost
        if self._frames_left < 0:
            raise Closing(Close.TOO_MANY)

    def _obey(self, caller: Caller, frame: Incoming | bytes) -> Waiting | None:
        match frame:
            case bytes() | Position():
                self._take(frame)
            case Ping():
                self._outgoing.put(server_frames.spell(Pong(now=self._parts.clock.now())))
            case Duty() | Acknowledge() | Accept() | Decline() | Progress() | ReachedWaitingPoint():
                return self._commands.begin(caller, frame)
            case Subscribe() | Unsubscribe() | Received() | Look():
                self._listening.mind(caller, frame)
            case Message() | Read() | Typing():
                self._speaking.mind(caller, frame)
            case Authenticate():
                self._renew(caller, frame)
        return None

    # Who it is

    def _prove(self, frame: Authenticate) -> Proven:
        now = self._parts.wall.now()
        proven = self._desk.gate.prove(frame.token)
        if isinstance(proven, Refusal):
            self._note(proven, "authenticate")
            raise Closing(_CLOSES.get(proven.code, Close.NOT_AUTHENTICATED))
        self._belong_to(proven.session_id)
        if self._expiry is not None:
            self._expiry.cancel()
        left_s = (proven.expires_at - now) / SECOND_MS
        self._expiry = self._loop.call_later(left_s, self.close, Close.NOT_AUTHENTICATED)
        return proven

    def _belong_to(self, session_id: SessionId | None) -> None:
        """The socket ends with this session, and no longer with the one before."""
        if self._session_id is not None:
            self._desk.gate.forget(self._session_id, self._end_of_session)
        self._session_id = session_id
        if session_id is not None:
            self._desk.gate.watch(session_id, self._end_of_session)

    def _renew(self, caller: Caller, frame: Authenticate) -> None:
        """A newer token keeps the socket open; it must speak for the same person and role."""
        proven = self._prove(frame)
        if proven.caller != caller:
            self._note(NOT_ALLOWED(role=proven.caller.role.value), "authenticate")
            raise Closing(Close.FORBIDDEN)
        self._greet(proven)

    def _greet(self, proven: Proven) -> None:
        clock = self._parts.clock
        welcome = Authenticated(
            user_id=proven.caller.user_id,
            role=proven.caller.role.value,
            now=clock.now(),
            speed=clock.speed,
            expires_at=proven.expires_at,
            silence_s=self._edge.silence_s,
        )
        self._outgoing.put(server_frames.spell(welcome))

    def _note(self, refusal: Refusal, word: str) -> None:
        known = self._caller.user_id if self._caller else None
        self._desk.refused.note(refusal, f"socket {word}", place=self._wire.place, user_id=known)

    # Where it is

    def _take(self, said: Position | bytes) -> None:
        self._must_be_let_say_where()
        try:
            self._places.take(
                frames.read_positions(said) if isinstance(said, bytes) else [said.fix]
            )
        except MalformedFrame:
            raise Closing(Close.MALFORMED) from None

    def _must_be_let_say_where(self) -> None:
        if not self._may_say_where:
            assert self._caller is not None
            self._note(NOT_ALLOWED(role=self._caller.role.value), "position")
            raise Closing(Close.FORBIDDEN)

    def _report(self, fix: Fix) -> None:
        assert self._caller is not None
        self._parts.bus.report_position(self._caller.user_id, fix)

    def _tell_dropped(self, dropped: int) -> None:
        self._outgoing.put(server_frames.error(BAD_POSITION(dropped=dropped)))

    # What goes out, and the end

    def _begin_writing(self) -> None:
        self._writing.begin(self._outgoing)

    def _spawn(self, work: Waiting) -> None:
        task = self._loop.create_task(self._end_with(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _end_with(self, work: Waiting) -> None:
        """However a part of it ends, the socket ends with the code that says so."""
        try:
            await work
        except Closing as closing:
            self.close(closing.code)
        except (Gone, OSError):
            self.close(1001)
        except Exception:  # noqa: BLE001 - logged with its trace, and the phone connects again
            self._fail()

    def _fail(self) -> None:
        structlog.get_logger(__name__).exception("socket_fault")
        self.close(FAULT)

    async def _say_goodbye(self, code: int) -> None:
        if not self._wire.is_gone:
            # Its own goodbye is to be heard.
            self._wire.release()
            self._writing.finish(self._outgoing)
            # Who does not read does not hear a goodbye either.
            with suppress(RuntimeError, OSError, TimeoutError):
                async with asyncio.timeout(_GOODBYE_S):
                    await self._wire.close(code)

    async def _forget(self) -> None:
        for timer in (self._expiry, self._silence):
            if timer is not None:
                timer.cancel()
        self._belong_to(None)
        self._wire.leave()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._listening.end()
        self._speaking.end()
        user_id = self._caller.user_id if self._caller is not None else None
        self._desk.presence.leave(self._held, user_id)
