"""Time that passes in a test, by every clock of the process."""

from typing import Any

import pytest

from actors.clock import SystemClock
from tests.api.town import Person, Town


async def outlive_quote(
    monkeypatch: pytest.MonkeyPatch, town: Town, person: Person, order: dict[str, Any]
) -> Person:
    """The same person, logged in again just after the end of the quote that an order names."""
    quote = await town.parts.store.find_quote(order["quote_id"])
    assert quote is not None
    now, by_ms = SystemClock.now, quote.valid_until - town.parts.clock.now() + 1000
    monkeypatch.setattr(SystemClock, "now", lambda clock: now(clock) + by_ms)
    return await town.log_in("customer", person.phone)
