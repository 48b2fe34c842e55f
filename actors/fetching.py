"""Fetching settlements from gateways: each is held against the ledger once, and none is skipped.

A gateway's feed moves on only after the run of what it passes was kept. Whoever dies in between
fetches the same again, and finds the run there.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import structlog
from msgspec import Struct

from actors.clock import Clock
from actors.gateways.payments import GatewayRejected, GatewayUncertain
from actors.gateways.settlements import NotYet, OfferedSettlement, SettlementSource
from actors.reconciling import Outcome, Settlements
from actors.settlement_files import BadFile
from engine.kernel.messages import Caller
from engine.kernel.timing import DAY_MS, Instant
from engine.money import feeds
from engine.money.feeds import SettlementFeed
from storage.settlements import SettlementStore

_WHY_MAX: Final = 300


class Fetched(Struct, kw_only=True):
    """What came of asking one gateway; `why` is empty when all went well."""

    gateway: str
    known: int = 0
    files: int = 0
    matches: int = 0
    breaks: int = 0
    settled_halalas: int = 0
    why: str = ""

    def add(self, outcome: Outcome) -> None:
        """Count what a run has found."""
        self.files += 1
        self.matches += outcome.run.matches
        self.breaks += outcome.run.breaks
        self.settled_halalas += outcome.run.settled_halalas


class NotAllFetched(Exception):
    """Some gateway could not be asked; the others were."""


class SettlementFetching:
    """Asks every gateway; one that fails stops no other.

    The first time it asks for the last `first_days`, and a gateway has `timeout_s` each time: what
    is left is fetched the next time.
    """

    def __init__(
        self,
        sources: Sequence[SettlementSource],
        settlements: Settlements,
        store: SettlementStore,
        *,
        wall: Clock,
        first_days: int,
        timeout_s: float,
    ) -> None:
        self._sources, self._settlements, self._store = sources, settlements, store
        self._wall, self._first_days, self._timeout_s = wall, first_days, timeout_s

    @property
    def gateways(self) -> tuple[str, ...]:
        """Which are asked."""
        return tuple(one.gateway.value for one in self._sources)

    async def fetch_all(
        self,
        *,
        by: Caller,
        since: Instant | None = None,
        is_dry: bool = False,
        leaves_gap: bool = False,
        on_file: Callable[[str, str], None] = lambda _gateway, _name: None,
    ) -> list[Fetched]:
        """What came of each; `since` asks again from then on, a dry run keeps nothing.

        Whoever asks from later than everything before was fetched skips something: the feed stays
        where it is, unless that is wanted, as with a day that cannot be read.
        """
        return [
            await self._fetch(one, by, since, is_dry=is_dry, leaves_gap=leaves_gap, on_file=on_file)
            for one in self._sources
        ]

    async def _fetch(
        self,
        source: SettlementSource,
        by: Caller,
        since: Instant | None,
        *,
        is_dry: bool,
        leaves_gap: bool,
        on_file: Callable[[str, str], None],
    ) -> Fetched:
        told = Fetched(gateway=source.gateway.value)
        feed = await self._feed(source, since)
        start = feed.fetched_until if since is None else since
        is_kept = not is_dry and (leaves_gap or start <= feed.fetched_until)
        try:
            async with asyncio.timeout(self._timeout_s):
                async for offered in source.settlements(start, self._wall.now()):
                    on_file(told.gateway, offered.name)
                    await self._reconcile(offered, told, by, is_dry=is_dry)
                    if is_kept and offered.until > feed.fetched_until:
                        feed = await self._kept(feeds.advanced(feed, offered.until))
        except NotYet:
            pass
        except TimeoutError:
            told.why = f"not all of it within {self._timeout_s:g} seconds"
        except (BadFile, GatewayRejected, GatewayUncertain) as error:
            told.why = str(error)[:_WHY_MAX]
        if told.why:
            log = structlog.get_logger(__name__)
            log.warning("settlements_not_fetched", gateway=told.gateway, why=told.why)
        if not is_dry:
            await self._ended(feed, told.why, is_kept=is_kept)
        return told

    async def _reconcile(
        self, offered: OfferedSettlement, told: Fetched, by: Caller, *, is_dry: bool
    ) -> None:
        run_id = feeds.run_id_of(told.gateway, offered.name)
        if await self._settlements.find_run(run_id) is not None:
            told.known += 1
            return
        file = await offered.read()
        if file.lines:
            told.add(await self._settlements.run(file, run_id=run_id, by=by, is_dry=is_dry))

    async def _feed(self, source: SettlementSource, since: Instant | None) -> SettlementFeed:
        known = {one.gateway: one for one in await self._store.list_feeds()}
        first = self._wall.now() - self._first_days * DAY_MS
        begun = feeds.begin(source.gateway.value, first if since is None else since)
        return known.get(source.gateway.value, begun)

    async def _kept(self, feed: SettlementFeed) -> SettlementFeed:
        if not await self._store.save_feed(feed):
            raise GatewayUncertain("another process is fetching from it")
        return feed

    async def _ended(self, feed: SettlementFeed, why: str, *, is_kept: bool) -> None:
        """Whoever was overtaken leaves it to the other, who tells the same."""
        now = self._wall.now()
        if why:
            await self._store.save_feed(feeds.failed(feed, why, now=now))
        elif is_kept:
            await self._store.save_feed(feeds.caught_up(feed, now=now))


async def fetch_settlements(fetching: SettlementFetching, by: Caller) -> str:
    """Ask every gateway, and tell what came of it.

    Raises:
        NotAllFetched: with what could not be fetched; it is tried again.
    """
    found = await fetching.fetch_all(by=by)
    failures = [f"{one.gateway}: {one.why}" for one in found if one.why]
    if failures:
        raise NotAllFetched("; ".join(failures))
    files, matches = sum(one.files for one in found), sum(one.matches for one in found)
    breaks, settled = sum(one.breaks for one in found), sum(one.settled_halalas for one in found)
    return f"{files} fetched, {matches} matches, {breaks} breaks, {settled} halalas settled"
