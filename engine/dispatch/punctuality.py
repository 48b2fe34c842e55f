"""How late a zone's last gifts were, by which a new one's arrival is expected."""

from collections.abc import Iterable
from typing import Final

import numpy as np

from engine.dispatch.outcomes import OrderOutcome
from engine.kernel.timing import HOUR_MS, SECOND_MS
from engine.orders.order import OrderStatus
from engine.orders.quote import Punctuality

PUNCTUALITY_WINDOW_MS: Final = 3 * HOUR_MS


def punctuality_of(outcomes: Iterable[OrderOutcome]) -> Punctuality | None:
    """Quantiles over what was delivered and not for a window; None when nothing was."""
    late_s = [
        (one.ended_at - one.due_at) // SECOND_MS
        for one in outcomes
        if one.status is OrderStatus.DELIVERED
        and one.release_at is None
        and one.ended_at is not None
    ]
    if not late_s:
        return None
    p50, p90 = np.percentile(late_s, [50, 90])
    return Punctuality(p50_s=round(p50), p90_s=round(p90), samples=len(late_s))
