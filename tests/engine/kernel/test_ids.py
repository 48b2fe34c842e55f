"""What must hold of identifiers."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.kernel.ids import derived_id, is_id, uuid7
from tests.builders import NOON

instants = st.integers(0, 2**48 - 1)
chances = st.integers(0, 2**74 - 1)


@given(instants, chances)
def test_an_id_is_laid_out_as_rfc_9562_says(at: int, bits: int) -> None:
    made = uuid.UUID(uuid7(at, bits))
    assert made.variant == uuid.RFC_4122
    assert made.version == 7
    assert made.int >> 80 == at
    rand_a, rand_b = made.int >> 64 & 0xFFF, made.int & (1 << 62) - 1
    assert rand_a << 62 | rand_b == bits


def test_the_example_of_the_rfc_is_reproduced() -> None:
    """Appendix A.6 of RFC 9562."""
    made = uuid7(0x017F22E279B0, 0xCC3 << 62 | 0x18C4DC0C0C07398F)
    assert made == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


@given(st.tuples(instants, chances), st.tuples(instants, chances))
def test_ids_sort_by_their_time_then_by_chance(a: tuple[int, int], b: tuple[int, int]) -> None:
    assert (uuid7(*a) < uuid7(*b)) is (a < b)
    assert (uuid7(*a) == uuid7(*b)) is (a == b)


def test_more_chance_than_fits_is_cut_off() -> None:
    assert uuid7(NOON, 2**74 + 5) == uuid7(NOON, 5)


def test_the_same_names_give_the_same_id() -> None:
    assert derived_id("order", "1") == derived_id("order", "1")
    assert uuid.UUID(derived_id("order", "1")).version == 5
    names = [("order", "1"), ("order", "2"), ("order1",), ("order", "1", ""), ("1", "order")]
    assert len({derived_id(*one) for one in names}) == len(names)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=4))
def test_a_derived_id_is_the_uuid5_of_its_names(names: list[str]) -> None:
    ours = uuid.UUID("7a4f1c58-3b0e-5c7e-9a54-2f6d9f0e1b11")
    assert derived_id(*names) == str(uuid.uuid5(ours, "\x1f".join(names)))


@given(instants, chances)
def test_an_id_is_recognised_in_its_canonical_spelling_only(at: int, bits: int) -> None:
    made = uuid7(at, bits)
    assert is_id(made)
    assert is_id(derived_id(made))
    for other in (made.replace("-", ""), f"{{{made}}}", f"urn:uuid:{made}", f" {made}", made[:-1]):
        assert not is_id(other)


@pytest.mark.parametrize(
    "text", ["", "1", "nobody", "0190A6C0-0000-7000-8000-00000000000F", "٠" * 36, "\x00" * 36]
)
def test_what_is_no_id_is_not_taken_for_one(text: str) -> None:
    assert not is_id(text)
