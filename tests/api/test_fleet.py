"""The fleet on the map: whatever is told bit by bit adds up to what the window shows."""

import struct
from uuid import UUID

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.fleet import STATUSES, read_fleet
from api.sockets.fleet_map import GRID, Bounds, FleetMap
from tests.api.town import Town
from tests.builders import CORNER, NOON, new_id

BOUNDS = Bounds(south=24.0, west=46.0, north=25.0, east=47.0)
RECORD = struct.Struct("<16siiB")
IDS = [UUID(int=number << 64 | (number * 7919) % 2**62).bytes for number in range(1, 13)]

Table = dict[bytes, tuple[float, float, int]]


class BinaryMap:
    """Reads the bytes as docs/protocol.md says."""

    def __init__(self) -> None:
        self.rows: dict[int, tuple[bytes, int, int, int]] = {}

    def take(self, data: bytes) -> None:
        kind, whole, at, gone, moved, added = struct.unpack_from("<BBqHHH", data)
        assert (kind, at) == (1, NOON)
        if whole:
            self.rows.clear()
        offset = 16
        for _ in range(gone):
            (number,) = struct.unpack_from("<H", data, offset)
            del self.rows[number]
            offset += 2
        for _ in range(moved):
            number, dx, dy, status = struct.unpack_from("<HhhB", data, offset)
            one, x, y, _ = self.rows[number]
            self.rows[number] = (one, x + dx, y + dy, status)
            offset += 7
        for _ in range(added):
            number, one, x, y, status = struct.unpack_from("<H16sHHB", data, offset)
            assert number not in self.rows
            self.rows[number] = (one, x, y, status)
            offset += 23
        assert offset == len(data)

    def shown(self) -> dict[bytes, tuple[int, int, int]]:
        return {one: (x, y, status) for one, x, y, status in self.rows.values()}


def packed(table: Table) -> bytes:
    return b"".join(
        RECORD.pack(one, round(lat * 1e7), round(lng * 1e7), status)
        for one, (lat, lng, status) in table.items()
    )


def visible(table: Table, most: int) -> dict[bytes, tuple[int, int, int]]:
    inside = {
        one: (int((lng - 46) * GRID), int((lat - 24) * GRID), status)
        for one, (lat, lng, status) in table.items()
        if 24 <= lat < 25 and 46 <= lng < 47
    }
    return {one: inside[one] for one in sorted(inside, key=lambda one: one[8:])[:most]}


# Quarters of a grid step, so that no rounding decides where somebody is.
PLACES = st.tuples(
    st.integers(-2 * GRID, 6 * GRID).map(lambda n: (n + 0.25) / 4 / GRID + 24),
    st.integers(-2 * GRID, 6 * GRID).map(lambda n: (n + 0.25) / 4 / GRID + 46),
    st.integers(0, len(STATUSES) - 1),
)
TABLES = st.dictionaries(st.sampled_from(IDS), PLACES)


@given(st.lists(TABLES, min_size=1, max_size=8), st.sampled_from([3, 100]))
@settings(max_examples=80, deadline=None)
def test_the_differences_add_up(tables: list[Table], most: int) -> None:
    binary = FleetMap("fleet:z", BOUNDS, shown_max=most)
    spelled = FleetMap("fleet:z", BOUNDS, shown_max=most)
    binary_map, json_map = BinaryMap(), dict[str, tuple[float, float, str]]()
    for table in tables:
        fleet = read_fleet(packed(table))
        data = binary.binary(fleet, now=NOON)
        if data is not None:
            binary_map.take(data)
        frame = spelled.frame(fleet, now=NOON)
        assert (frame is None) == (data is None)
        if frame is not None:
            for gone in frame.gone:
                del json_map[gone]
            json_map.update({c.courier_id: (c.lat, c.lng, c.status) for c in frame.couriers})
        wanted = visible(table, most)
        assert binary_map.shown() == wanted
        assert set(json_map) == {str(UUID(bytes=one)) for one in wanted}
    assert binary.binary(read_fleet(packed(tables[-1])), now=NOON) is None


def test_a_move_costs_seven_bytes() -> None:
    window = FleetMap("fleet:z", BOUNDS)
    one = IDS[0]
    first = window.binary(read_fleet(packed({one: (24.5, 46.5, 1)})), now=NOON)
    moved = window.binary(read_fleet(packed({one: (24.6, 46.5, 1)})), now=NOON)
    assert first is not None
    assert moved is not None
    assert (len(first), len(moved)) == (16 + 23, 16 + 7)
    assert np.frombuffer(moved[:1], "u1")[0] == 1


async def test_an_operator_sees_couriers_come_and_go_on_the_map(town: Town) -> None:
    courier, phone = await town.courier()
    channel = f"fleet:{town.zone_id}"
    window = {"south": 24.6, "west": 46.5, "north": 24.9, "east": 46.9}
    operator = await (await town.operator()).socket()
    at = town.parts.clock.now()
    await phone.send({"type": "position", "lat": CORNER.lat, "lng": CORNER.lng, "at": at})
    await operator.send({"type": "look", "channel": channel, **window})
    frame = await operator.next("fleet")
    assert frame["whole"]
    while not frame["couriers"]:
        frame = await operator.next("fleet")
    (shown,) = frame["couriers"]
    assert shown["courier_id"] == courier.user_id
    assert abs(shown["lat"] - CORNER.lat) < 0.0001
    await operator.send({"type": "look", "channel": channel, **window, "form": "binary"})
    data: bytes | str = ""
    while not isinstance(data, bytes):
        data = await operator.connection.recv()
    assert len(data) == 16 + 23
    await operator.send({"type": "look", "channel": channel, **window})
    await operator.next("fleet", whole=True)
    await phone.tell("duty", duty="off")
    assert (await operator.next("fleet", gone=[courier.user_id]))["couriers"] == []
    await operator.send({"type": "unsubscribe", "channel": channel})


async def test_a_map_is_for_operators_and_has_a_window(town: Town) -> None:
    window = {"south": 24.6, "west": 46.5, "north": 24.9, "east": 46.9}
    courier, operator = await town.log_in("courier"), await town.operator()
    channel = f"fleet:{town.zone_id}"
    told = await operator.socket()
    await told.send({"type": "subscribe", "channel": channel})
    assert (await told.next("error", channel=channel))["code"] == "no_such_channel"
    for person, name, area, code in (
        (courier, channel, window, "not_allowed"),
        (operator, f"fleet:{new_id()}", window, "no_such_channel"),
        (operator, channel, {**window, "south": 25.0}, "invalid_request"),
        (operator, f"zone:{town.zone_id}", window, "invalid_request"),
    ):
        socket = await person.socket()
        await socket.send({"type": "look", "channel": name, **area})
        assert (await socket.next("error", channel=name))["code"] == code
