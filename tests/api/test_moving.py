"""`hadiyati move-zone` as its operator meets it."""

import asyncio
import threading

import pytest

from api.commands.moving import NotMoved, move
from tests.api.town import Person, Town
from tests.builders import new_id


def _move(
    town: Town, person: Person, *zone_ids: str, own: bool, tries_s: float = 60.0
) -> list[str]:
    return list(
        move(
            zone_ids,
            own=own,
            url=town.url,
            token=person.token,
            pause=threading.Event().wait,
            patience_s=tries_s,
        )
    )


async def test_a_zone_is_moved_and_told_of_when_its_new_cell_serves(town: Town) -> None:
    operator = await town.operator()
    (told,) = await asyncio.to_thread(_move, town, operator, town.zone_id, own=True)
    assert told.startswith(f"{town.zone_id} is served by {town.zone_id}, and no more by 8")
    (again,) = await asyncio.to_thread(_move, town, operator, town.zone_id, own=True)
    assert again == f"{town.zone_id} is served by {town.zone_id}, as it was"
    admin = await town.admin()
    (back,) = await asyncio.to_thread(_move, town, admin, town.zone_id, own=False)
    assert back.endswith(f", and no more by {town.zone_id}")


async def test_what_may_not_be_moved_or_is_not_there_ends_it_with_the_reason(town: Town) -> None:
    operator, customer = await town.operator(), await town.log_in("customer")
    with pytest.raises(NotMoved, match="404 unknown_zone"):
        await asyncio.to_thread(_move, town, operator, new_id(), own=True)
    with pytest.raises(NotMoved, match="403 not_allowed"):
        await asyncio.to_thread(_move, town, customer, town.zone_id, own=True)


def test_a_service_that_does_not_answer_is_given_up() -> None:
    waited: list[float] = []
    with pytest.raises(NotMoved, match="the move takes too long"):
        list(
            move(
                ["zone"],
                own=True,
                url="http://127.0.0.1:9",
                token="token",
                pause=waited.append,
                patience_s=2.0,
            )
        )
    assert sum(waited) == 2.0
