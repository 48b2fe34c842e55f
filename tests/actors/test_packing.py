"""What the edge and a cell tell each other arrives as it was said."""

from hypothesis import given
from hypothesis import strategies as st

from actors.packing import pack_answers, unpack_answers
from engine.kernel.ids import CommandId
from engine.kernel.refusals import Refusal
from storage.store import Answer

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


@given(st.lists(_answers, max_size=3))
def test_answers_arrive_as_they_were_given(answers: list[Answer]) -> None:
    assert unpack_answers(pack_answers(answers)) == answers
