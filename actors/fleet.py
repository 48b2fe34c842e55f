"""The couriers of a zone as a table of bytes: who, where, and in what status."""

import struct
from collections.abc import Iterable
from typing import Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from actors.telemetry import Telemetry
from engine.couriers.courier import Courier, CourierStatus

STATUSES: Final = tuple(CourierStatus)
_RECORD: Final = struct.Struct("<16siiB")
# Latitude and longitude in 1e-7 degrees; `status` is a place in STATUSES.
_ROWS: Final = np.dtype([("id", "V16"), ("lat", "<i4"), ("lng", "<i4"), ("status", "u1")])
Fleet = NDArray[np.void]


def pack_fleet(couriers: Iterable[Courier], telemetry: Telemetry) -> bytes:
    """Everybody whose place is known."""
    found = []
    for courier in couriers:
        fix = telemetry.fix(courier.id)
        if fix is not None:
            status = STATUSES.index(courier.status)
            place = round(fix.lat * 1e7), round(fix.lng * 1e7)
            found.append(_RECORD.pack(UUID(courier.id).bytes, *place, status))
    return b"".join(found)


def read_fleet(packed: bytes) -> Fleet:
    """The table, one row for each courier."""
    return np.frombuffer(packed, dtype=_ROWS)
