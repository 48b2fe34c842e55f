"""What must hold of what a courier is paid for an order."""

from hypothesis import given
from hypothesis import strategies as st

from engine.geo.parameters import ZoneParameters
from engine.kernel.timing import HOUR_MS, MINUTE_MS
from engine.pricing.pay import Pay, PayLine, PayLineKind, agreed_pay, guarantee, total

K = PayLineKind
RULES = ZoneParameters(
    pay_base_halalas=900,
    pay_per_km_halalas=100,
    pay_car_halalas=300,
    pay_bonus_halalas=250,
    pay_wait_free_s=300,
    pay_wait_per_min_halalas=30,
    pay_wait_max_halalas=200,
    pay_returned_percent=150,
    pay_cancelled_percent=40,
)
rules = st.builds(
    ZoneParameters,
    pay_base_halalas=st.integers(0, 5000),
    pay_per_km_halalas=st.integers(0, 1000),
    pay_wait_free_s=st.integers(0, 7200),
    pay_wait_per_min_halalas=st.integers(0, 1000),
    pay_wait_max_halalas=st.integers(0, 5000),
    pay_returned_percent=st.integers(0, 300),
    pay_cancelled_percent=st.integers(0, 100),
)


def pay(*, distance_m: int = 2100, needs_car: bool = False) -> Pay:
    return agreed_pay(RULES, 7, distance_m=distance_m, needs_car=needs_car)


def told(lines: tuple[PayLine, ...]) -> dict[PayLineKind, int]:
    return {one.kind: one.halalas for one in lines}


def test_base_begun_kilometres_and_bonus_are_agreed_beforehand() -> None:
    assert told(pay().lines) == {K.BASE: 900, K.DISTANCE: 300, K.BONUS: 250}
    assert told(pay(needs_car=True).lines)[K.CAR] == 300
    assert pay().parameters_version == 7


def test_waiting_is_paid_by_whole_minutes_after_the_free_ones_and_up_to_a_limit() -> None:
    for waited_s, halalas in ((0, 0), (300, 0), (359, 0), (360, 30), (420, 60), (9000, 200)):
        assert total(pay().delivered(waited_s)) - total(pay().lines) == halalas


def test_a_return_pays_the_way_back_and_a_cancellation_a_part() -> None:
    assert told(pay().returned(0))[K.RETURN] == 725
    assert told(pay().cancelled()) == {K.CANCELLATION: 580}


@given(rules, st.integers(0, 100_000), st.integers(0, 100_000))
def test_nobody_is_ever_paid_less_than_nothing(
    parameters: ZoneParameters, distance_m: int, waited_s: int
) -> None:
    agreed = agreed_pay(parameters, 1, distance_m=distance_m, needs_car=False)
    delivered = agreed.delivered(waited_s)
    assert total(delivered) >= total(agreed.lines) >= total(agreed.cancelled()) >= 0
    assert total(agreed.returned(waited_s)) >= 0
    for lines in (delivered, agreed.returned(waited_s), agreed.cancelled()):
        assert len({one.kind for one in lines}) == len(lines)


@given(st.integers(0, 10_000), st.integers(0, 24 * 60), st.integers(0, 50_000))
def test_a_guarantee_fills_up_to_its_rate_and_never_takes(
    per_h: int, busy_min: int, earned: int
) -> None:
    missing = total(guarantee(per_h, busy_ms=busy_min * MINUTE_MS, earned_halalas=earned))
    assert missing >= 0
    least = per_h * busy_min * MINUTE_MS / HOUR_MS
    assert earned + missing >= least
    assert missing == 0 or earned + missing < least + 1
