"""A small recorded day, and a system that lives one quickly."""

import random
from pathlib import Path

from actors.clock import SystemClock
from actors.settings import ClockSettings
from api.commands.running import OPERATOR_PHONE
from api.settings import Settings

SPEED = 60.0
_PLACES = 6
_TERMS = (
    "meters_per_minute",
    "pickup service minutes",
    "dropoff service minutes",
    "target click-to-door",
    "maximum click-to-door",
    "pay per order",
    "guaranteed pay per hour",
)


def write_day(folder: Path, *, orders: int, couriers: int, minutes: int) -> Path:
    """A recorded day with six shops; the last orders come forty minutes before its end."""
    chance = random.Random(20261122)
    folder.mkdir()

    def spot() -> str:
        return f"{chance.randrange(9000)}\t{chance.randrange(9000)}"

    placed_orders = []
    for number in range(orders):
        placed = number * (minutes - 40) // orders
        ready = placed + chance.randrange(5, 20)
        shop = chance.randrange(_PLACES)
        placed_orders.append(f"o{number}\t{spot()}\t{placed}\tr{shop}\t{ready}")
    tables = {
        "restaurants.txt": ["restaurant\tx\ty", *(f"r{n}\t{spot()}" for n in range(_PLACES))],
        "orders.txt": ["order\tx\ty\tplacement_time\trestaurant\tready_time", *placed_orders],
        "couriers.txt": [
            "courier\tx\ty\ton_time\toff_time",
            *(f"c{n}\t{spot()}\t0\t{minutes + 60}" for n in range(couriers)),
        ],
        "instance_parameters.txt": [
            "\t".join(_TERMS),
            "320\t4\t4\t40\t90\t10\t15",
        ],
    }
    for name, lines in tables.items():
        (folder / name).write_text("\n".join(lines) + "\n")
    return folder


def settings_in(folder: Path, *, nodes: int = 1) -> Settings:
    """Settings whose clock runs at `SPEED` and whose couriers need not be verified."""
    now = SystemClock().now()
    found = Settings()
    return found.model_copy(
        update={
            "data": found.data.model_copy(update={"folder": folder}),
            "runtime": found.runtime.model_copy(update={"ray_nodes": nodes}),
            "edge": found.edge.model_copy(update={"port": 0}),
            "clock": ClockSettings(speed=SPEED, start_ms=now, started_ms=now),
            "identity": found.identity.model_copy(
                update={"operators": (OPERATOR_PHONE,), "verify_couriers": False}
            ),
        }
    )
