"""How long what was just read may have waited: never less than it did."""

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from api.sockets.backlog import CAUGHT_UP_S, Backlog

times_ms = st.lists(st.tuples(st.integers(0, 2_000), st.integers(0, 3_000)), max_size=60)


def behind(frames: list[tuple[int, int]]) -> list[tuple[float, float]]:
    """Of frames that come so long after another and hold up the reading: true age, and bound."""
    backlog, found = Backlog(), []
    last_read = free = 0
    for came, (_, holds) in zip(accumulate(gap for gap, _ in frames), frames, strict=True):
        read_at = max(came, free)
        backlog.read((read_at - last_read) / 1000)
        found.append(((read_at - came) / 1000, backlog.behind_s))
        backlog.hold(holds / 1000)
        last_read, free = read_at, read_at + holds
    return found


@given(times_ms)
def test_no_frame_is_older_than_is_believed(frames: list[tuple[int, int]]) -> None:
    assert all(age <= bound + 1e-9 for age, bound in behind(frames))


@given(times_ms)
def test_who_is_waited_for_is_not_behind(frames: list[tuple[int, int]]) -> None:
    slow = [(int(1000 * CAUGHT_UP_S) + gap + 3_000, holds) for gap, holds in frames]
    assert all(bound == 0 for _, bound in behind(slow))


def test_who_sends_often_is_behind_no_longer_than_his_frames_wait() -> None:
    """Ten a second, each of which holds up the reading for a tenth of the time."""
    assert max(bound for _, bound in behind([(100, 10)] * 200)) == 0
