"""The description of the socket: current, whole, and true of what is really said."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from api.sockets.asyncapi import socket_document
from api.sockets.frame_examples import OF_THE_APP, OF_THE_SERVER
from api.sockets.frames import Incoming, read_frame
from api.sockets.server_frames import Outgoing, spell
from tests.api.town import ON_DUTY, Socket, Town
from tests.builders import CORNER

FILE = Path(__file__).parents[2] / "docs" / "asyncapi.json"
DOCUMENT = socket_document()


def problems(frame: dict[str, Any]) -> list[str]:
    """What the document has against a frame."""
    message = DOCUMENT["components"]["messages"][frame["type"]]
    schema = {"components": DOCUMENT["components"], **message["payload"]}
    return [error.message for error in Draft202012Validator(schema).iter_errors(frame)]


def references(part: object) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return own + [one for value in part.values() for one in references(value)]
    if isinstance(part, list):
        return [one for value in part for one in references(value)]
    return []


def test_the_file_is_current() -> None:
    assert json.loads(FILE.read_text("utf-8")) == DOCUMENT, (
        "docs/asyncapi.json is old: run hadiyati asyncapi --write"
    )


def test_every_reference_leads_somewhere() -> None:
    for reference in references(DOCUMENT):
        part: Any = DOCUMENT
        for name in reference.removeprefix("#/").split("/"):
            part = part[name]
        assert part


def test_every_frame_has_one_example_and_every_example_its_frame() -> None:
    assert set(DOCUMENT["components"]["messages"]) == set(OF_THE_APP) | set(OF_THE_SERVER)


@pytest.mark.parametrize("tag", OF_THE_APP)
def test_an_example_of_the_app_is_understood(tag: str) -> None:
    example = {"type": tag, **OF_THE_APP[tag]}
    frame: Incoming = read_frame(json.dumps(example))
    assert msgspec.to_builtins(frame).items() >= example.items()
    assert problems(example) == []
    assert problems({**example, "more": 1})


@pytest.mark.parametrize("tag", OF_THE_SERVER)
def test_an_example_of_the_server_is_what_it_says(tag: str) -> None:
    example = {"type": tag, **OF_THE_SERVER[tag]}
    frame = msgspec.convert(example, Outgoing)
    assert json.loads(spell(frame)) == example
    assert problems(example) == []


async def test_the_examples_of_the_app_are_answered_and_the_answers_are_as_described(
    town: Town,
) -> None:
    courier = await town.log_in("courier")
    socket = await Socket.open(town)
    heard: list[dict[str, Any]] = []
    for tag, example in OF_THE_APP.items():
        mine = {"token": courier.token} if tag == "authenticate" else {}
        mine |= ON_DUTY if tag == "duty" else {}
        await socket.send({"type": tag, **example, **mine})
        if "id" in example:
            heard.append(await socket.next("reply", "refused", id=example["id"]))
    await socket.send({"type": "position", "lat": 91.0, "lng": CORNER.lng, "at": 0})
    heard += [await socket.next(one) for one in ("authenticated", "pong", "update", "error")]
    order_id = await (await town.log_in("customer")).order()
    operator = await (await town.operator()).socket()
    await operator.send({"type": "subscribe", "channel": f"order:{order_id}"})
    snapshot = await operator.next("snapshot")
    mark = snapshot["bookmark"]
    again = {"type": "subscribe", "channel": f"order:{order_id}", "bookmark": mark}
    await operator.send(again)
    look = {**OF_THE_APP["look"], "channel": f"fleet:{town.zone_id}"}
    await operator.send({"type": "look", **look})
    heard += [snapshot, await operator.next("resumed"), await operator.next("fleet")]
    assert {one["type"] for one in heard} == set(OF_THE_SERVER)
    for frame in heard:
        assert problems(frame) == [], frame
