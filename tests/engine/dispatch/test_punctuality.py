"""What must hold of how late a zone was."""

from msgspec.structs import replace

from engine.dispatch.outcomes import OrderOutcome
from engine.dispatch.punctuality import punctuality_of
from engine.kernel.timing import SECOND_MS
from engine.orders.order import OrderStatus
from engine.orders.quote import Punctuality
from tests.builders import NOON

DELIVERED = OrderOutcome(
    status=OrderStatus.DELIVERED, placed_at=NOON, ready_at=NOON, due_at=NOON, ended_at=NOON
)


def test_only_what_was_delivered_and_not_for_a_window_counts() -> None:
    late = [replace(DELIVERED, ended_at=NOON + 10 * n * SECOND_MS) for n in range(-5, 6)]
    others = [
        replace(DELIVERED, status=OrderStatus.CANCELLED),
        replace(DELIVERED, release_at=NOON),
        replace(DELIVERED, ended_at=None),
    ]
    assert punctuality_of([*late, *others]) == Punctuality(p50_s=0, p90_s=40, samples=11)
    assert punctuality_of(others) is None
