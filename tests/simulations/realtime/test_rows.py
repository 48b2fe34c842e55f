"""What a measured row says: medians, ratios, targets met or missed; and quantiles of ages."""

import json
import math
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from simulations.realtime.rows import Row, table_of, write_json
from simulations.realtime.steady import quantile
from simulations.views import AgesShown


@pytest.mark.parametrize(
    ("row", "is_met"),
    [
        (Row(what="a", unit="ms", ours=(9.0, 1.0, 30.0), at_most=9.0), True),
        (Row(what="a", unit="ms", ours=(9.1, 1.0, 30.0), at_most=9.0), False),
        (Row(what="a", unit="ms", ours=(math.nan,), at_most=9.0), False),
        (Row(what="a", unit="/s", ours=(5.0,), bare=(10.0,), ratio_at_least=0.5), True),
        (Row(what="a", unit="/s", ours=(5.0,), bare=(10.1,), ratio_at_least=0.5), False),
        (Row(what="a", unit="/s", ours=(5.0,), bare=(10.0,)), None),
    ],
)
def test_a_target_is_met_or_missed_by_the_median(row: Row, is_met: bool | None) -> None:
    assert row.is_met is is_met


def test_the_table_and_the_file_tell_the_same(tmp_path: Path) -> None:
    rows = [
        Row(what="positions", unit="per s", ours=(5.0, 7.0, 6.0), bare=(12.0,), ratio_at_least=0.6),
        Row(what="memory", unit="KB", ours=(31.0,), at_most=30.0),
    ]
    console = Console(width=150, record=True, file=StringIO())
    console.print(table_of(rows, "runs"))
    told = console.export_text()
    assert "0.50" in told
    assert "≥ 60% of bare" in told
    assert told.count("missed") == 2
    write_json(rows, {"couriers": 3}, tmp_path / "new folder" / "rows.json")
    written = json.loads((tmp_path / "new folder" / "rows.json").read_text())
    assert written["asked"] == {"couriers": 3}
    assert [one["is_met"] for one in written["rows"]] == [False, False]
    assert written["rows"][0]["ours"] == [5.0, 7.0, 6.0]


@given(
    counts=st.lists(st.integers(0, 50), min_size=4, max_size=4).filter(any),
    shares=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_a_quantile_lies_in_the_bucket_that_reaches_it_and_grows_with_its_share(
    counts: list[int], shares: tuple[float, float]
) -> None:
    ages = AgesShown(at_most=(1, 10, 100), counts=tuple(counts))
    low, high = sorted(shares)
    assert quantile(ages, low) <= quantile(ages, high) <= 200
    top = max(at for at, count in enumerate(counts) if count)
    assert quantile(ages, 1.0) == (1, 10, 100, 200)[top]


def test_of_nothing_there_is_no_quantile() -> None:
    assert math.isnan(quantile(AgesShown(at_most=(1, 2), counts=(0, 0, 0)), 0.5))
