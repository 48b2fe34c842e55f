"""How far a gateway's settlements were fetched, and why they could not be.

Everything a gateway settled before `fetched_until` was held against the ledger. It moves on after
the run of what it passes was kept, and never back; so a day that fails is asked for again.
"""

from typing import Final

from msgspec.structs import replace

from engine.kernel.ids import derived_id
from engine.kernel.messages import Thing
from engine.kernel.timing import DAY_MS, Instant
from engine.money.breaks import RunId

# Gateways settle twice a week, on some days of rest not at all.
OVERDUE_MS: Final = 5 * DAY_MS


class SettlementFeed(Thing, frozen=True, kw_only=True):
    """A gateway's; `fetched_at` is when it was last asked with success, `why` what failed since."""

    gateway: str
    fetched_until: Instant
    fetched_at: Instant | None = None
    failed_at: Instant | None = None
    tries: int = 0
    why: str = ""


def begin(gateway: str, since: Instant) -> SettlementFeed:
    """Nothing was fetched yet; what was settled before `since` is not asked for."""
    return SettlementFeed(gateway=gateway, fetched_until=since)


def advanced(feed: SettlementFeed, until: Instant) -> SettlementFeed:
    """What it passes is held against the ledger."""
    assert until >= feed.fetched_until, "a feed never goes back"
    return replace(feed, version=feed.version + 1, fetched_until=until)


def caught_up(feed: SettlementFeed, *, now: Instant) -> SettlementFeed:
    """All that the gateway has by now was fetched."""
    return replace(feed, version=feed.version + 1, fetched_at=now, failed_at=None, tries=0, why="")


def failed(feed: SettlementFeed, why: str, *, now: Instant) -> SettlementFeed:
    """It was not; `failed_at` is when that began."""
    began = now if feed.failed_at is None else feed.failed_at
    return replace(feed, version=feed.version + 1, failed_at=began, tries=feed.tries + 1, why=why)


def is_overdue(feed: SettlementFeed, *, now: Instant) -> bool:
    """Whether somebody should look into it: it fails, or nobody has asked for days."""
    asked = feed.fetched_at or feed.fetched_until
    return feed.failed_at is not None or now - asked > OVERDUE_MS


def run_id_of(gateway: str, name: str) -> RunId:
    """The run of what a gateway calls so: fetched twice, it is the same one."""
    return RunId(derived_id("settlement fetched", gateway, name))
