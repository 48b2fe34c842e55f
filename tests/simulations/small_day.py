"""A recorded day that is small enough to be checked by hand, written as a folder."""

from pathlib import Path
from typing import Final

HEADERS: Final = {
    "restaurants": "restaurant\tx\ty",
    "orders": "order\tx\ty\tplacement_time\trestaurant\tready_time",
    "couriers": "courier\tx\ty\ton_time\toff_time",
    "instance_parameters": (
        "meters_per_minute\tpickup service minutes\tdropoff service minutes\t"
        "target click-to-door\tmaximum click-to-door\tpay per order\tguaranteed pay per hour"
    ),
}
ROWS: Final = {
    "restaurants": ("r1\t1000\t1000", "r2\t3200\t1000", "r3\t1000\t4000"),
    "orders": (
        "o1\t1600\t1800\t5\tr1\t15",
        "o2\t2000\t1500\t6\tr1\t16",
        "o3\t3600\t2600\t9\tr2\t29",
        "o4\t400\t4400\t12\tr3\t20",
        "o5\t1500\t3000\t14\tr3\t30",
        "o6\t3000\t400\t31\tr2\t44",
        "o7\t2500\t2500\t40\tr1\t55",
        "o8\t1200\t600\t41\tr1\t52",
        "o9\t900\t900\t118\tr1\t300",
    ),
    "couriers": (
        "c1\t1200\t1000\t0\t120",
        "c2\t3000\t1500\t0\t90",
        "c3\t1000\t3500\t10\t60",
    ),
    "instance_parameters": ("320\t4\t4\t40\t90\t10\t15",),
}
# Nobody is still at work when o9 is ready.
UNDELIVERABLE: Final = frozenset({"o9"})


def write(folder: Path, **rows: tuple[str, ...]) -> Path:
    """Write the day, with other rows for the files that are named."""
    folder.mkdir(exist_ok=True)
    for name, header in HEADERS.items():
        lines = (header, *rows.get(name, ROWS[name]))
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n", "utf-8")
    return folder
