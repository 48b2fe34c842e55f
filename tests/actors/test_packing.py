"""What the edge and a cell tell each other arrives as it was said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.packing import (
    COMMANDS,
    pack_plainly,
    unpack_answers,
    unpack_envelopes,
    unpack_snapshots,
)
from engine.kernel.ids import CommandId, UserId, ZoneId
from engine.kernel.messages import Caller, Command, Envelope, Role
from engine.kernel.refusals import Refusal
from storage.live import Bookmark, Publication
from storage.store import Answer
from tests.builders import NOON, new_id
from tests.engine.identity.test_access import WHO_MAY

_plain = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False)
    | st.text()
)
_json = st.recursive(_plain, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
_refusals = st.builds(
    Refusal,
    code=st.text(),
    detail=st.dictionaries(st.text(), st.text() | st.integers(0, 2**53) | st.lists(st.text())),
)
_answers = st.builds(
    Answer,
    command_id=st.uuids().map(lambda one: CommandId(str(one))),
    fingerprint=st.text(),
    reply=st.dictionaries(st.text(), _json, max_size=3),
    refusal=st.none() | _refusals,
)
_states = st.builds(
    Publication,
    channel=st.text(),
    kind=st.text(),
    version=st.integers(0, 2**53),
    # A fleet is packed.
    body=st.dictionaries(st.text(), _json | st.binary(), max_size=3),
    bookmark=st.none() | st.builds(Bookmark, epoch=st.text(), offset=st.integers(0, 2**53)),
)


@given(st.lists(_answers, max_size=3))
def test_answers_arrive_as_they_were_given(answers: list[Answer]) -> None:
    assert unpack_answers(pack_plainly(answers)) == answers


@given(st.lists(st.none() | _states, max_size=3))
def test_snapshots_arrive_as_they_were_given(states: list[Publication | None]) -> None:
    assert unpack_snapshots(pack_plainly(states)) == states


def test_every_command_there_is_can_be_packed() -> None:
    commands = {one for one in Command.__subclasses__() if one.__module__.startswith("engine.")}
    assert set(COMMANDS) == commands


@pytest.mark.parametrize("command", [one for one, _ in WHO_MAY], ids=lambda one: type(one).__name__)
def test_commands_arrive_as_they_were_given(command: Command) -> None:
    caller = Caller(
        user_id=UserId(new_id()),
        role=Role.OPERATOR,
        zones=(ZoneId(new_id()), ZoneId(new_id())),
        place="192.0.2.7",
    )
    sent = Envelope(
        id=CommandId(new_id()), command=command, caller=caller, deadline=NOON, fingerprint="f"
    )
    (received,) = unpack_envelopes(pack_plainly([sent]))
    assert isinstance(received, Envelope)
    names = Envelope.__struct_fields__
    assert [getattr(received, name) for name in names] == [getattr(sent, name) for name in names]
