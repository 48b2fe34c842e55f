"""The what-ifs of this process: each in a child with low priority, so many at once, cancellable."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from tempfile import TemporaryFile
from typing import IO, Final

import msgspec
import structlog
from msgspec import to_builtins

from actors.child import begin_child
from actors.clock import Clock
from api.settings import WhatIfSettings
from engine import what_if as rules
from engine.kernel.timing import SECOND_MS
from engine.what_if import WhatIf, WhatIfId
from simulations.what_if import Job, Step
from storage.store import StoreUnavailable
from storage.what_ifs import WhatIfStore

_LINE_BYTES_MAX: Final = 16 * 1024 * 1024
_SAVES_MAX: Final = 5
_LAST_WORDS: Final = 300


class _Ended(Exception):
    """Somebody else has ended it."""


class _Failed(Exception):
    """It cannot be answered; the message says why."""


class WhatIfs:
    """Works on what was asked of this process; what it is asked while it is down is lost.

    Every open question gets a sign of life every few seconds. One that gets none for long was left
    behind by a process that died, and whoever looks at it finds it interrupted.
    """

    def __init__(self, store: WhatIfStore, settings: WhatIfSettings, wall: Clock) -> None:
        self._store, self._settings, self._wall = store, settings, wall
        self._turns = asyncio.Semaphore(settings.at_once)
        self._working: dict[WhatIfId, asyncio.Task[None] | None] = {}
        self._closing = asyncio.Event()

    def take_place(self, what_if_id: WhatIfId) -> bool:
        """Keep a place for a question that is about to be stored; False when all are taken."""
        if len(self._working) >= self._settings.at_once + self._settings.waiting_max:
            return False
        self._working.setdefault(what_if_id, None)
        return True

    def give_back(self, what_if_id: WhatIfId) -> None:
        """It is not asked after all."""
        if self._working.get(what_if_id) is None:
            self._working.pop(what_if_id, None)

    async def run(self) -> None:
        """Until cancelled; then what is open is interrupted."""
        try:
            await self._closing.wait()
        finally:
            working = [one for one in self._working.values() if one is not None]
            for task in working:
                task.cancel()
            await asyncio.gather(*working, return_exceptions=True)

    def begin(self, asked: WhatIf, job: Job) -> None:
        """Work on a question that has a place and was stored, when its turn comes."""
        task = asyncio.create_task(self._work(asked, msgspec.json.encode(job)))
        self._working[asked.id] = task
        task.add_done_callback(lambda _: self._working.pop(asked.id, None))

    def drop(self, what_if_id: WhatIfId) -> None:
        """Stop working on what was cancelled, if it is this process that does."""
        if task := self._working.get(what_if_id):
            task.cancel()

    async def seen(self, what_if: WhatIf) -> WhatIf:
        """As it is to be shown: interrupted when it was left behind."""
        now, patience_ms = self._wall.now(), int(self._settings.patience_s * SECOND_MS)
        if not rules.is_abandoned(what_if, now=now, patience_ms=patience_ms):
            return what_if
        interrupted = rules.interrupt(what_if, now=now)
        if await self._store.save(interrupted):
            return interrupted
        return await self._store.find(what_if.id) or interrupted

    async def _work(self, asked: WhatIf, job: bytes) -> None:
        page = _Page(self._store, asked)
        try:
            await self._wait_for_turn(page)
            try:
                await page.write(partial(rules.start, now=self._wall.now()))
                await self._answer(page, job)
            finally:
                self._turns.release()
        except _Ended:
            return
        except _Failed as error:
            await self._end(page, partial(rules.fail, problem=str(error), now=self._wall.now()))
        except asyncio.CancelledError:
            # Cancelled by its operator, it is ended already, and nothing is written over that.
            await self._end(page, partial(rules.interrupt, now=self._wall.now()))
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, its operator is told
            structlog.get_logger(__name__).exception("what_if_broken")
            problem = f"Something is broken on our side: {type(error).__name__}."
            await self._end(page, partial(rules.fail, problem=problem, now=self._wall.now()))

    async def _wait_for_turn(self, page: "_Page") -> None:
        while True:
            try:
                async with asyncio.timeout(self._settings.beat_s):
                    await self._turns.acquire()
                return
            except TimeoutError:
                await page.write(partial(rules.alive, now=self._wall.now()))

    async def _answer(self, page: "_Page", job: bytes) -> None:
        command = (sys.executable, "-m", "simulations.what_if", str(os.getpid()))
        with TemporaryFile() as errors:
            async with begin_child(
                *command, stdin=PIPE, stdout=PIPE, stderr=errors, limit=_LINE_BYTES_MAX
            ) as child:
                try:
                    async with asyncio.timeout(self._settings.time_limit_s):
                        if not await self._follow(page, child, job):
                            raise _Failed(_last_words(await child.wait(), errors))
                except TimeoutError:
                    raise _Failed(
                        f"It took longer than {self._settings.time_limit_s:g} s. "
                        "Choose fewer hours or fewer runs."
                    ) from None

    async def _follow(self, page: "_Page", child: Process, job: bytes) -> bool:
        """Until the child has answered, or False when it ended without that."""
        assert child.stdin is not None
        assert child.stdout is not None
        with suppress(ConnectionError):
            child.stdin.write(job)
            await child.stdin.drain()
            child.stdin.close()
        reading = asyncio.ensure_future(child.stdout.readline())
        try:
            while True:
                done, _ = await asyncio.wait({reading}, timeout=self._settings.beat_s)
                if not done:
                    await page.write(partial(rules.alive, now=self._wall.now()))
                elif not (line := reading.result()):
                    return False
                elif await self._hear(page, msgspec.json.decode(line, type=Step)):
                    return True
                else:
                    reading = asyncio.ensure_future(child.stdout.readline())
        finally:
            reading.cancel()

    async def _hear(self, page: "_Page", step: Step) -> bool:
        now = self._wall.now()
        if step.comparison is None:
            await page.write(partial(rules.alive, now=now, done=step.done))
            return False
        await self._end(page, partial(rules.finish, result=to_builtins(step.comparison), now=now))
        return True

    async def _end(self, page: "_Page", ending: "_Change") -> None:
        """Write how it ended; a store that is away for a moment must not lose that."""
        with suppress(_Ended):
            for attempt in range(1, _SAVES_MAX + 1):
                if await page.write(ending):
                    return
                await self._wall.sleep(attempt * SECOND_MS)


_Change = Callable[[WhatIf], WhatIf]


class _Page:
    """One question as this process knows it to be stored."""

    def __init__(self, store: WhatIfStore, asked: WhatIf) -> None:
        self._store, self._now = store, asked

    async def write(self, change: _Change) -> bool:
        """Store it changed; False when that must be tried again. Raises _Ended."""
        changed = change(self._now)
        try:
            is_stored = await self._store.save(changed)
            # It may have been stored before, although then nobody could tell us.
            stored = changed if is_stored else await self._store.find(changed.id)
        except StoreUnavailable:
            return False
        if stored == changed:
            self._now = changed
            return True
        if stored is None or not stored.is_open:
            raise _Ended
        self._now = stored
        return False


def _last_words(code: int, errors: IO[bytes]) -> str:
    errors.seek(0)
    told = errors.read().decode(errors="replace").strip().splitlines()
    structlog.get_logger(__name__).warning("what_if_failed", code=code, told=told[-20:])
    return f"The simulation ended with {code}: {told[-1][:_LAST_WORDS] if told else 'no word'}"
