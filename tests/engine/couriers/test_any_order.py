"""The reports of a trip end in the same state in whatever order, and however often, they arrive."""

from collections.abc import Sequence
from typing import Any, Final

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict

from engine.couriers.courier import ProgressStep
from engine.kernel.timing import HOUR_MS, MINUTE_MS, Instant
from engine.orders.order import OrderStatus
from tests.builders import NOON, PIN, WRONG, Story, a_story, must

P, S = ProgressStep, OrderStatus
_TO_THE_DOOR = (P.REACHED_SHOP, P.PICKED_UP, P.REACHED_DOOR)
DELIVERY: Final = (*_TO_THE_DOOR, P.DELIVERED)
RETURN: Final = (*_TO_THE_DOOR, P.ATTEMPT_FAILED, P.RETURN_STARTED, P.RETURNED)
SECOND_TRY: Final = (*_TO_THE_DOOR, P.ATTEMPT_FAILED, P.REACHED_DOOR, P.DELIVERED)
TWO_FAILURES: Final = (*RETURN[:4], P.REACHED_DOOR, *RETURN[3:])

Report = tuple[int, ProgressStep, Instant]


@st.composite
def trips(draw: st.DrawFn, ways: Sequence[Sequence[ProgressStep]]) -> list[list[Report]]:
    """What is reported of one to three orders, each in the right order."""
    chosen = draw(st.lists(st.sampled_from(ways), min_size=1, max_size=3))
    return [
        [(index, step, NOON + (at * 3 + index) * MINUTE_MS) for at, step in enumerate(way)]
        for index, way in enumerate(chosen)
    ]


def ended(orders: int, reports: Sequence[Report]) -> Story:
    story = a_story(S.ASSIGNED, orders=orders)
    story.at = NOON + HOUR_MS
    for index, step, device_at in reports:
        must(story.report(step, index, device_at=device_at))
    return story


def outcome(story: Story, *without: str) -> list[dict[str, Any]]:
    """Every order as it is in the end; ids and the number of decisions are of no importance.

    When he came to the shop is said by whichever report of the visit is the first to arrive.
    """
    strange = {"version", "id", "code", "customer_id", "zone_id", "quote_id", "offer_id"}
    strange |= {"waited_s"} if len(story.orders) > 1 else set()
    strange |= {"courier_id", *without}
    return [{k: v for k, v in asdict(one).items() if k not in strange} for one in story.orders]


def assert_all_is_done(story: Story) -> None:
    assert story.route() == []
    assert story.courier.early == ()
    assert story.courier.free_since == story.at
    assert all(one.version == len(set(story.versions_of(one.id))) for one in story.orders)


@given(st.data(), trips((DELIVERY, RETURN)))
def test_any_order_of_reports_ends_as_the_right_order_does(
    data: st.DataObject, trip: list[list[Report]]
) -> None:
    right = ended(len(trip), [one for way in trip for one in way])
    mixed = ended(len(trip), data.draw(st.permutations([one for way in trip for one in way])))
    assert outcome(mixed) == outcome(right)
    for story in (right, mixed):
        assert_all_is_done(story)
    if len(trip) == 1:
        assert mixed.courier.last_point == right.courier.last_point
        assert mixed.courier.leaves_at == right.courier.leaves_at


@given(st.data(), trips((DELIVERY, RETURN)))
def test_reports_that_arrive_several_times_are_done_once(
    data: st.DataObject, trip: list[list[Report]]
) -> None:
    reports = [one for way in trip for one in way]
    again = data.draw(st.lists(st.sampled_from(reports), max_size=12))
    story = ended(len(trip), data.draw(st.permutations(reports + again)))
    assert outcome(story) == outcome(ended(len(trip), reports))
    assert_all_is_done(story)


@given(st.data(), trips((SECOND_TRY, TWO_FAILURES, DELIVERY, RETURN)))
def test_second_tries_end_as_they_should_even_when_their_reports_overtake_each_other(
    data: st.DataObject, trip: list[list[Report]]
) -> None:
    right = ended(len(trip), [one for way in trip for one in way])
    mixed = ended(len(trip), data.draw(st.permutations([one for way in trip for one in way])))
    # How often it was tried cannot be told when the end was reported before the first failure.
    assert outcome(mixed, "failed_attempts") == outcome(right, "failed_attempts")
    for one, same in zip(mixed.orders, right.orders, strict=True):
        assert one.failed_attempts <= same.failed_attempts
    for story in (right, mixed):
        assert_all_is_done(story)


@given(st.permutations([*DELIVERY[:3], WRONG, WRONG, "1234", PIN]))
def test_wrong_pins_count_and_the_right_one_opens_in_any_order(reports: list[str]) -> None:
    story = a_story(S.ASSIGNED)
    for report in reports:
        if isinstance(report, ProgressStep):
            must(story.report(report))
        else:
            story.report(P.DELIVERED, pin=report, device_at=NOON)
    assert story.status() is S.DELIVERED
    assert story.order.pin_tries <= 3
    assert_all_is_done(story)
