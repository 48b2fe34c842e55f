"""What the in-memory store offers beyond the contract: its history as a file."""

import io
import json
from pathlib import Path

from engine.orders.order import OrderStatus
from storage.memory import MemoryStore
from tests.builders import NOON, Story, a_courier, a_story, new_id
from tests.storage.telling import a_commit, first, outcome_of


async def told(story: Story) -> MemoryStore:
    store = MemoryStore()
    zone = story.zone
    courier = a_courier(zone=zone, id=story.courier.id)
    for decision in [first(zone), first(courier), *story.decisions]:
        await outcome_of(store, decision)
    return store


def dumped(store: MemoryStore) -> bytes:
    file = io.BytesIO()
    store.dump_events(file)
    return file.getvalue()


async def test_equal_histories_are_equal_bytes() -> None:
    story = a_story(OrderStatus.RETURNED, orders=2)
    assert dumped(await told(story)) == dumped(await told(story)) != b""


async def test_the_events_come_in_the_order_of_their_commits(tmp_path: Path) -> None:
    story = a_story(OrderStatus.DELIVERED)
    store = await told(story)
    path = tmp_path / "events.jsonl"
    count = store.dump_events(path)
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert len(lines) == count
    assert [one["event"]["type"] for one in lines] == [
        type(event).__name__
        for decision in story.decisions
        for change in decision.changes
        for event in change.events
    ]
    assert lines[0] == {
        "kind": "order",
        "id": story.order.id,
        "version": 1,
        "position": 0,
        "command_id": None,
        "event": {"type": "OrderPlaced", "at": NOON, "device_at": None},
    }


async def test_what_was_not_stored_is_not_in_the_file() -> None:
    story = a_story(OrderStatus.WAITING)
    store = await told(story)
    before = dumped(store)
    await outcome_of(store, story.decisions[-1])
    repeated = a_commit(story.decisions[-1], command_id=new_id())
    await store.commit(repeated)
    assert dumped(store) == before
