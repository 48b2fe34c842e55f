"""A day from tables: read as it is written, and a fault named by file and line."""

from pathlib import Path

import pytest

from engine.geo.cells import cell_at
from engine.geo.travel import VehicleKind
from engine.kernel.timing import HOUR_MS, MINUTE_MS
from simulations.people import Behaviour
from simulations.replay import live_virtually
from simulations.tables import BadTable, read

ORDERS = "order,placed_at,ready_at,shop_lat,shop_lng,door_lat,door_lng,shop,size_units"
COURIERS = "courier,on_at,off_at,lat,lng,vehicle"
ORDER = "o1,2026-01-07T16:30,2026-01-07T16:40,24.70,46.68,24.72,46.70,Roses,2"
COURIER = "c1,2026-01-07T16:00+03:00,2026-01-07T18:00+03:00,24.70,46.69,motorcycle"


def a_folder(folder: Path, orders: list[str], couriers: list[str]) -> Path:
    (folder / "orders.csv").write_text("\n".join(orders) + "\n", "utf-8")
    (folder / "couriers.csv").write_text("\n".join(couriers) + "\n", "utf-8")
    return folder


def test_a_day_is_read_as_it_is_written(tmp_path: Path) -> None:
    later = ORDER.replace("o1,2026-01-07T16:30", "o0,2026-01-07T13:20Z")
    day = read(a_folder(tmp_path, [ORDERS, ORDER, later], [COURIERS, COURIER]))
    assert [one.key for one in day.orders] == ["o0", "o1"]
    order, (courier,) = day.orders[1], day.couriers
    assert order.placed_at - courier.on_at == 30 * MINUTE_MS
    assert order.ready_at - order.placed_at == 10 * MINUTE_MS
    assert (order.shop.name, order.shop.notes, order.gift.size_units) == ("Roses", "o1", 2)
    assert courier.off_at == courier.on_at + 2 * HOUR_MS
    assert (courier.vehicle, day.starts_at) == (VehicleKind.MOTORCYCLE, courier.on_at)
    assert cell_at(order.door.point, 7) in day.zone.cells


def test_a_day_from_tables_can_be_lived(tmp_path: Path) -> None:
    day = read(a_folder(tmp_path, [ORDERS, ORDER], [COURIERS, COURIER]))
    found = live_virtually(day, seed=1, behaviour=Behaviour())
    assert (found.delivered, found.is_clean) == (1, True), found.faults


@pytest.mark.parametrize(
    ("orders", "couriers", "file", "what"),
    [
        ([], [COURIERS, COURIER], "orders.csv:1", "missing: order"),
        (["order,placed_at"], [COURIERS], "orders.csv:1", "missing: ready_at"),
        ([ORDERS + ",colour"], [COURIERS], "orders.csv:1", "unknown: colour"),
        ([ORDERS, ORDER, ORDER], [COURIERS], "orders.csv:3", "o1 is listed twice"),
        ([ORDERS, ORDER.replace("16:40", "16:20")], [], "orders.csv:2", "before it is placed"),
        ([ORDERS, ORDER.replace("16:30", "soon")], [], "orders.csv:2", "not a time such as"),
        ([ORDERS, ORDER.replace("24.70", "x")], [], "orders.csv:2", "shop_lat is 'x'"),
        ([ORDERS, ORDER.replace("24.70", "nan")], [], "orders.csv:2", "shop_lat is 'nan'"),
        ([ORDERS, ORDER.replace("24.70", "95")], [], "orders.csv:2", "no place on earth"),
        ([ORDERS, ORDER.removesuffix(",2") + ",0"], [], "orders.csv:2", "size_units is '0'"),
        ([ORDERS, ORDER + ",9"], [], "orders.csv:2", "more cells than columns"),
        ([ORDERS, ORDER.removesuffix(",2") + ",two"], [], "orders.csv:2", "size_units is 'two'"),
        ([ORDERS, ",".join(["", *ORDER.split(",")[1:]])], [], "orders.csv:2", "order is empty"),
        ([ORDERS, ORDER], [COURIERS, COURIER, COURIER], "couriers.csv:3", "listed twice"),
        (
            [ORDERS, ORDER],
            [COURIERS, COURIER.replace("T18", "T12")],
            "couriers.csv:2",
            "ends before it starts",
        ),
        (
            [ORDERS, ORDER],
            [COURIERS, COURIER.replace("motorcycle", "camel")],
            "couriers.csv:2",
            "'camel', not one of car",
        ),
        ([ORDERS], [COURIERS, COURIER], "", "at least one order"),
    ],
)
def test_a_fault_is_named_by_file_and_line(
    tmp_path: Path, orders: list[str], couriers: list[str], file: str, what: str
) -> None:
    with pytest.raises(BadTable) as fault:
        read(a_folder(tmp_path, orders, couriers))
    assert file in str(fault.value)
    assert what in str(fault.value)


def test_a_folder_without_tables_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(BadTable, match=r"orders\.csv: No such file"):
        read(tmp_path)


def test_a_table_that_is_no_text_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadTable, match="is not text"):
        read(tmp_path)
