"""An offer that is not his who was told yes, and an order that nobody stored, are found."""

import pytest

from simulations.chaos.stored import left_open, not_honoured
from simulations.views import Told
from simulations.witness import Answered, Said
from storage.memory import MemoryStore

COURIER, USER = "+966500000002", "0195d9e2-0000-7000-8000-000000000001"
OFFER = "0195d9e2-0000-7000-8000-000000000002"


@pytest.mark.parametrize(("refused", "violations"), [("", 1), ("offer_closed", 0)])
async def test_a_yes_to_an_offer_that_is_not_stored_is_found(refused: str, violations: int) -> None:
    told = Answered(COURIER, Said("accept", "1", {"offer_id": OFFER}), Told(refused=refused))
    found = [one async for one in not_honoured([told], {COURIER: USER}, MemoryStore())]
    assert len(found) == violations


async def test_an_order_that_was_taken_and_is_not_stored_is_found() -> None:
    found = [one async for one in left_open([OFFER], [USER], MemoryStore())]
    assert found == [f"order {OFFER} was taken and is not stored"]
