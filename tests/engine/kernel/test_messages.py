"""What must hold of commands, events and decisions as they travel."""

import importlib
import pkgutil
from typing import Any

import msgspec
import pytest

import engine
from engine.kernel.messages import Command, Decision, Effect, Event
from engine.orders.order import OrderStatus
from tests.builders import NOON, a_story

for module in pkgutil.walk_packages(engine.__path__, "engine."):
    importlib.import_module(module.name)


@pytest.mark.parametrize("base", [Command, Event, Effect])
def test_messages_of_one_sort_are_told_apart_by_their_names(base: type[Any]) -> None:
    names = [one.__struct_config__.tag for one in base.__subclasses__()]
    assert len(set(names)) == len(names) > 0
    assert all(one.__doc__ for one in base.__subclasses__())


def test_a_message_cannot_be_changed_on_its_way() -> None:
    for base in (Command, Event, Effect):
        for one in base.__subclasses__():
            assert one.__struct_config__.frozen


@pytest.mark.parametrize("status", sorted(set(OrderStatus) - {OrderStatus.PLACED}))
def test_things_and_events_come_back_from_json_as_they_were(status: OrderStatus) -> None:
    story = a_story(status, orders=2)
    for decision in story.decisions:
        for change in decision.changes:
            encoded = msgspec.json.encode(change.thing)
            assert msgspec.json.decode(encoded, type=type(change.thing)) == change.thing
            for event in change.events:
                again = msgspec.json.decode(msgspec.json.encode(event), type=type(event))
                assert again == event
                assert event.at == NOON


def test_decisions_share_no_reply() -> None:
    Decision().reply["x"] = 1
    assert Decision().reply == {}
