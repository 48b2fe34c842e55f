"""How often a phone says where it is."""

import pytest

from engine.couriers.courier import CourierStatus
from engine.couriers.pacing import position_interval_s


@pytest.mark.parametrize("status", CourierStatus)
def test_every_status_has_an_interval(status: CourierStatus) -> None:
    assert (position_interval_s(status) == 0) == (status is CourierStatus.OFF)


def test_the_more_people_wait_for_him_the_oftener() -> None:
    order = (CourierStatus.BREAK, CourierStatus.ON, CourierStatus.OFFERED, CourierStatus.BUSY)
    intervals = [position_interval_s(one) for one in order]
    assert intervals == sorted(intervals, reverse=True)
