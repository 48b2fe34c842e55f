"""The whole measurement on a tiny system: every part of it tells its rows."""

import json
from pathlib import Path

import pytest

from actors.settings import RuntimeKind, RuntimeSettings
from api.commands.bench_realtime import open_place, unhurried_settings
from api.up import running_system
from simulations.realtime.run import PARTS, run
from simulations.realtime.site import Sizes

pytestmark = pytest.mark.journey
TINY = Sizes(
    couriers=16,
    every_s=0.2,
    runs=1,
    run_s=0.25,
    saturating=4,
    commands_per_s=16,
    in_flight=8,
    watchers=3,
    storm_s=0.2,
    counted_s=0.1,
    orders_per_s=0.5,
)


def test_every_part_is_measured_over_real_sockets(tmp_path: Path) -> None:
    settings = unhurried_settings().model_copy(
        update={"runtime": RuntimeSettings(kind=RuntimeKind.LOCAL)}
    )
    with running_system(settings, lambda _: None, throwaway=True) as system:
        rows = run(open_place(system), sizes=TINY, parts=PARTS, seed=1, out=tmp_path / "rows.json")
    said = {row.what: row for row in rows}
    assert len(said) == len(rows) == len(json.loads((tmp_path / "rows.json").read_text())["rows"])
    (shown,) = [row for row in rows if "never shown" in row.what]
    assert shown.value == 0
    (lost,) = [row for row in rows if "not recovered" in row.what]
    assert lost.value == 0
    (lost,) = [row for row in rows if "messages/s under that load: lost" in row.what]
    assert lost.value == 0
    compared = [row for row in rows if row.ratio_at_least is not None]
    assert len(compared) == 4
    assert all(row.value > 0 and row.bare[0] > 0 for row in compared)
    (lost,) = [row for row in rows if "not told" in row.what]
    assert lost.value == 0
    (unkept,) = [row for row in rows if "refused or late" in row.what]
    assert unkept.value == 0
    (late,) = [row for row in rows if "readable in the cell, p50" in row.what]
    assert 0 < late.value < 60_000
