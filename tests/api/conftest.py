"""A town for every test that asks for one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from api.logs import write_logs
from tests.api.town import Town, a_town


@pytest.fixture(autouse=True)
def logs() -> None:
    """Logged as in production."""
    write_logs()


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    """The edge with one zone, nobody on duty and no order."""
    async with a_town(tmp_path) as running:
        yield running
