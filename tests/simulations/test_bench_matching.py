"""The measurement of a whole tick beside bare assignments."""

import pytest
from typer.testing import CliRunner

from api.cli import app
from simulations.bench_matching import NoSuchSize, read_size, run


def test_every_tick_is_measured_beside_both_assignments() -> None:
    (found,) = run(sizes=[(12, 30)], ticks=5, seed=3)
    assert (found.orders, found.couriers) == (12, 30)
    assert set(found.laps) == {"problem", "plan", "verify", "tick", "sparse", "dense"}
    assert all(len(laps) == 5 for laps in found.laps.values())
    assert found.p99("tick").wall >= found.median("tick").wall > 0


@pytest.mark.parametrize("text", ["300", "x3", "0x7", "ten x ten", "-1x3"])
def test_what_is_no_size_is_said_to_be_none(text: str) -> None:
    with pytest.raises(NoSuchSize, match="300x1000"):
        read_size(text)
    result = CliRunner().invoke(app, ["bench-matching", "--size", text])
    assert result.exit_code == 1
    assert "300x1000" in result.output
