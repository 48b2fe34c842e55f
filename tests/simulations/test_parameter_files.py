"""Zone parameters in files that name only what differs."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.geo.parameters import ZoneParameters
from simulations.parameter_files import BadParameters, applied, merged, read, toml_of


def file(folder: Path, text: str) -> Path:
    path = folder / "p.toml"
    path.write_text(text, "utf-8")
    return path


def test_what_a_file_names_is_set_and_the_rest_stays(tmp_path: Path) -> None:
    given = read(file(tmp_path, "commit_lead_s = 60\n[travel]\ndetour = 1.5\n"))
    base = ZoneParameters(tick_s=9)
    found = applied(base, given)
    assert (found.tick_s, found.commit_lead_s, found.travel.detour) == (9, 60, 1.5)
    assert found.travel.speeds_kmh == base.travel.speeds_kmh


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("commit_led_s = 3", "commit_led_s is not known (did you mean commit_lead_s?)"),
        ("tick_s = 0", "tick_s must be 1 to 600; given is 0"),
        ("tick_s = 'x'", "tick_s must be 1 to 600; given is 'x'"),
        ("tick_s = 2.5", "tick_s must be 1 to 600; given is 2.5"),
        ("[travel]\ndetour = 9.0", "travel.detour must be 1 to 5"),
        ("[travel]\ndetour = 'x'", "travel cannot be {'detour': 'x'}: Expected `float`"),
        ("tick_s = ", "is not TOML"),
        ("xyz = 1\ntick_s = 601", "xyz is not known; tick_s must be 1 to 600"),
    ],
)
def test_what_cannot_be_is_named_with_its_bounds(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(BadParameters) as caught:
        read(file(tmp_path, text))
    assert told in str(caught.value)
    assert str(tmp_path / "p.toml") in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadParameters, match="No such file"):
        read(tmp_path / "nothing.toml")


@given(
    st.dictionaries(st.sampled_from(["tick_s", "trips_max"]), st.integers(1, 6)),
    st.dictionaries(st.sampled_from(["detour", "whole_s"]), st.integers(1, 3)),
)
def test_what_is_written_is_read_again(plain: dict[str, int], travel: dict[str, int]) -> None:
    given = {**plain, **({"travel": travel} if travel else {})}
    assert tomllib.loads(toml_of(given)) == given


def test_the_second_of_two_files_wins() -> None:
    first = {"tick_s": 1, "travel": {"detour": 1.1, "whole_s": 60}}
    assert merged(first, {"tick_s": 2, "travel": {"detour": 1.2}}) == {
        "tick_s": 2,
        "travel": {"detour": 1.2, "whole_s": 60},
    }
