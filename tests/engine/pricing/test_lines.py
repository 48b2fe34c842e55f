"""What must hold of price lines and their VAT."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.pricing.lines import PriceLine, amounts, net_in, vat_on

lines = st.builds(
    PriceLine,
    name=st.just("Roses"),
    quantity=st.integers(1, 1000),
    unit_halalas=st.integers(0, 10_000_000),
    includes_vat=st.booleans(),
)


@given(st.integers(0, 10**12))
def test_the_net_amount_in_a_gross_one_is_exact_to_half_a_halala(gross: int) -> None:
    error = net_in(gross) - Fraction(gross * 100, 115)
    assert Fraction(-1, 2) < error <= Fraction(1, 2)


@given(lines)
def test_the_vat_of_a_line_is_its_net_amount_times_the_rate(line: PriceLine) -> None:
    (one,) = amounts([line]).lines
    assert one.vat_halalas == vat_on(one.net_halalas)
    assert one.gross_halalas == one.net_halalas + one.vat_halalas
    assert abs(one.gross_halalas - line.asked_halalas) <= 1 or not line.includes_vat


@given(st.lists(lines, max_size=20))
def test_the_vat_of_a_document_is_that_of_the_sum(several: list[PriceLine]) -> None:
    found = amounts(several)
    assert found.net_halalas == sum(one.net_halalas for one in found.lines)
    assert found.vat_halalas == vat_on(found.net_halalas)
    assert found.total_halalas + found.rounding_halalas == found.payable_halalas


@given(st.lists(lines, max_size=20))
def test_whoever_reads_prices_with_vat_pays_what_he_read(several: list[PriceLine]) -> None:
    labels = [one for one in several if one.includes_vat]
    assert amounts(labels).payable_halalas == sum(one.asked_halalas for one in labels)


@given(st.lists(lines, max_size=20))
def test_rounding_is_less_than_a_halala_a_line(several: list[PriceLine]) -> None:
    found = amounts(several)
    inclusive = sum(one.includes_vat for one in several)
    assert abs(found.rounding_halalas) <= inclusive + (0 < inclusive < len(several))


@pytest.mark.parametrize(
    ("line", "comes_to"),
    [
        (PriceLine(name="Cake", unit_halalas=11500, includes_vat=True), (10000, 1500, 11500)),
        (PriceLine(name="Cake", unit_halalas=10000), (10000, 1500, 11500)),
        (PriceLine(name="Cake", quantity=3, unit_halalas=333), (999, 150, 1149)),
        # No net amount has 1,000 with its VAT: 870 + 131 is one more, so one is taken off.
        (PriceLine(name="Cake", unit_halalas=1000, includes_vat=True), (870, 131, 1000)),
    ],
)
def test_as_on_a_receipt(line: PriceLine, comes_to: tuple[int, int, int]) -> None:
    found = amounts([line])
    assert (found.net_halalas, found.vat_halalas, found.payable_halalas) == comes_to
