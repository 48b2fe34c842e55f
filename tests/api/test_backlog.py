"""How long what was just read may have waited: never less than it did."""

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from api.sockets.backlog import CAUGHT_UP_S, Backlog

FrameSeen = tuple[int, int, bool]
frames_seen = st.lists(
    st.tuples(st.integers(0, 2_000), st.integers(0, 3_000), st.booleans()), max_size=60
)


def behind(frames: list[FrameSeen]) -> list[tuple[float, float]]:
    """True age and bound of frames that come so long after another, hold up the reading for so
    long, and perhaps say when they were sent."""
    backlog, found = Backlog(), []
    last_read = free = 0
    for came, (_, holds, tells) in zip(
        accumulate(gap for gap, _, _ in frames), frames, strict=True
    ):
        read_at = max(came, free)
        backlog.read((read_at - last_read) / 1000)
        if tells:
            backlog.know((read_at - came) / 1000)
        found.append(((read_at - came) / 1000, backlog.behind_s))
        backlog.hold(holds / 1000)
        last_read, free = read_at, read_at + holds
    return found


@given(frames_seen)
def test_no_frame_is_older_than_is_believed(frames: list[FrameSeen]) -> None:
    assert all(age <= bound + 1e-9 for age, bound in behind(frames))


@given(frames_seen)
def test_who_is_waited_for_is_not_behind(frames: list[FrameSeen]) -> None:
    slow = [(int(1000 * CAUGHT_UP_S) + gap + 3_000, holds, False) for gap, holds, _ in frames]
    assert all(bound == 0 for _, bound in behind(slow))


def test_who_sends_often_is_behind_no_longer_than_his_frames_wait() -> None:
    """Ten a second, each of which holds up the reading for a tenth of the time."""
    assert max(bound for _, bound in behind([(100, 10, False)] * 200)) == 0


def test_a_position_of_a_wrong_clock_makes_nothing_older() -> None:
    backlog = Backlog()
    backlog.hold(3.0)
    backlog.read(3.0)
    backlog.know(3_600.0)
    assert backlog.behind_s == 3.0
    backlog.know(-3_600.0)
    assert backlog.behind_s == 0.0
