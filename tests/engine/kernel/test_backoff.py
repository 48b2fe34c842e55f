"""What must hold of every backoff, whatever its bounds."""

from hypothesis import given
from hypothesis import strategies as st

from engine.kernel.backoff import Backoff

backoffs = st.builds(Backoff, first_ms=st.integers(1, 10**6), most_ms=st.integers(10**6, 10**9))


@given(backoffs)
def test_the_first_wait_is_the_shortest(backoff: Backoff) -> None:
    assert backoff.wait_ms(0) == backoff.first_ms


@given(backoffs, st.integers(0, 10_000))
def test_each_wait_is_twice_the_one_before_until_the_longest(backoff: Backoff, tries: int) -> None:
    assert backoff.wait_ms(tries + 1) == min(backoff.most_ms, 2 * backoff.wait_ms(tries))
