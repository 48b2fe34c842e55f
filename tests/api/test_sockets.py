"""The socket: who is let in, what is understood, and with which code it ends."""

import asyncio
import struct
from pathlib import Path
from typing import Any

import msgspec
import pytest

from api.tokens import Tokens
from engine.kernel.ids import CourierId, UserId
from engine.kernel.messages import Caller, Role
from engine.kernel.timing import MINUTE_MS
from storage.live import Fix
from tests.api.town import ON_DUTY, Person, Socket, Town, a_town
from tests.builders import CORNER, new_id

RECORD = struct.Struct("<iiqHH")


def position(at: int, lat: float = CORNER.lat, lng: float = CORNER.lng) -> dict[str, Any]:
    return {"type": "position", "lat": lat, "lng": lng, "at": at}


async def fix_of(town: Town, courier: Person) -> Fix | None:
    """What the cell knows of a courier's place."""
    (cell,) = await town.parts.store.list_cells()
    home = await town.cells._cell(cell)
    return home._telemetry.fix(CourierId(UserId(courier.user_id)))


async def test_who_logs_in_is_greeted_with_the_time(town: Town) -> None:
    person = await town.log_in("customer")
    socket = await Socket.open(town)
    await socket.send({"type": "authenticate", "token": person.token})
    welcome = await socket.next("authenticated")
    assert (welcome["user_id"], welcome["role"]) == (person.user_id, "customer")
    assert welcome["speed"] == 60
    await socket.send({"type": "ping"})
    assert (await socket.next("pong"))["now"] >= welcome["now"]


@pytest.mark.parametrize(
    "first",
    [
        {"type": "authenticate", "token": "x"},
        {"type": "ping"},
        {"type": "subscribe", "channel": "zone:1"},
    ],
)
async def test_who_does_not_say_who_he_is_is_sent_away(town: Town, first: object) -> None:
    socket = await Socket.open(town)
    await socket.send(first)
    assert await socket.closed() == 4401


async def test_who_says_nothing_is_sent_away(tmp_path: Path) -> None:
    async with a_town(tmp_path, authenticate_s=2.0, silence_s=0.05) as town:
        assert await (await Socket.open(town)).closed() == 4401
        assert await (await (await town.log_in("customer")).socket()).closed() == 4508


async def test_an_expired_token_ends_the_socket_unless_a_newer_one_comes(town: Town) -> None:
    person = await town.log_in("customer")
    caller = Caller(user_id=UserId(person.user_id), role=Role.CUSTOMER)
    settings = town.parts.settings.identity
    tokens = Tokens(town.parts.keys, settings)
    # A token that has one to two seconds left.
    issued_at = town.parts.wall.now() - settings.access_token_s * 1000 + 2000
    person.token = tokens.issue(caller, person.session_id, now=issued_at)
    ends, stays = await person.socket(), await person.socket()
    newer = tokens.issue(caller, person.session_id, now=town.parts.wall.now())
    await stays.send({"type": "authenticate", "token": newer})
    await stays.next("authenticated")
    assert await ends.closed() == 4401
    await stays.send({"type": "ping"})
    assert await stays.next("pong")
    other = await town.log_in("customer")
    await stays.send({"type": "authenticate", "token": other.token})
    assert await stays.closed() == 4403


MALFORMED: list[str | bytes] = [
    "",
    "{",
    "[]",
    "null",
    '"ping"',
    '{"type":"fly"}',
    '{"type":"ping","more":1}',
    '{"type":"subscribe"}',
    '{"type":"subscribe","channel":5}',
    '{"type":"position","lat":"x","lng":0,"at":0}',
    '{"type":"position","lat":NaN,"lng":0,"at":0}',
    '{"type":"accept","offer_id":"x"}',
    "[" * 9000,
    b"",
    b"12345",
    RECORD.pack(0, 0, 0, 0, 0) + b"x",
]


async def test_a_malformed_frame_ends_the_socket(town: Town) -> None:
    courier = await town.log_in("courier")
    for frame in MALFORMED:
        socket = await courier.socket()
        await socket.connection.send(frame)
        assert await socket.closed() == 4400, frame


async def test_a_command_with_an_id_that_is_not_understood_is_refused_under_it(
    town: Town,
) -> None:
    socket = await (await town.log_in("courier")).socket()
    for fields in (
        {"offer_id": "x"},
        {"offer_id": None},
        {},
        {"offer_id": new_id(), "more": 1},
    ):
        refused = await socket.tell("accept", **fields)
        assert (refused["type"], refused["code"]) == ("refused", "invalid_request")
        assert refused["title_ar"]
    assert (await socket.tell("duty", duty="on"))["code"] == "invalid_request"
    assert (await socket.tell("decline", offer_id=new_id(), reason="\x00"))["code"] == (
        "invalid_request"
    )


async def test_a_frame_that_is_too_large_ends_the_socket(tmp_path: Path) -> None:
    async with a_town(tmp_path, frame_bytes_max=1024) as town:
        person = await town.log_in("customer")
        for size, code in ((1500, 4413), (100_000, 1009)):
            socket = await person.socket()
            await socket.send({"type": "subscribe", "channel": "x" * size})
            assert await socket.closed() == code


async def test_too_many_frames_end_the_socket(tmp_path: Path) -> None:
    async with a_town(tmp_path, frames_per_s=0.1, frames_burst=5) as town:
        socket = await (await town.log_in("customer")).socket()
        for _ in range(4):
            await socket.send({"type": "ping"})
            await socket.next("pong")
        await socket.send({"type": "ping"})
        assert await socket.closed() == 4529


async def test_what_makes_others_work_costs_more_than_one_frame(tmp_path: Path) -> None:
    async with a_town(tmp_path, frames_per_s=0.001, frames_burst=11, is_open=False) as town:
        socket = await (await town.log_in("courier")).socket()
        for _ in range(5):
            await socket.tell("accept", offer_id=new_id())
        await socket.send({"type": "ping"})
        assert await socket.closed() == 4529


async def test_only_couriers_send_positions_and_commands(town: Town) -> None:
    customer = await town.log_in("customer")
    for frame in (position(town.parts.clock.now()), RECORD.pack(0, 0, 0, 0, 0)):
        socket = await customer.socket()
        await socket.connection.send(
            frame if isinstance(frame, bytes) else msgspec.json.encode(frame).decode()
        )
        assert await socket.closed() == 4403
    socket = await customer.socket()
    refused = await socket.tell("accept", offer_id=new_id())
    assert (refused["type"], refused["code"]) == ("refused", "not_allowed")
    assert (await socket.tell("duty", **ON_DUTY))["code"] == "not_allowed"


async def test_channels_are_for_those_whom_they_concern(town: Town) -> None:
    customer = await town.log_in("customer")
    order_id = await customer.order()
    stranger, courier = await town.log_in("customer"), await town.log_in("courier")
    operator = await town.operator()
    for person, channel, code in (
        (stranger, f"order:{order_id}", "no_such_channel"),
        (courier, f"order:{order_id}", "not_allowed"),
        (customer, f"order:{new_id()}", "no_such_channel"),
        (customer, "order:17", "no_such_channel"),
        (customer, "weather:17", "no_such_channel"),
        (customer, "", "no_such_channel"),
        (operator, f"zone:{new_id()}", "no_such_channel"),
        (customer, f"zone:{town.zone_id}", "not_allowed"),
        (courier, f"courier:{customer.user_id}", "not_allowed"),
        (operator, f"courier:{courier.user_id}", "not_allowed"),
    ):
        socket = await person.socket()
        await socket.send({"type": "subscribe", "channel": channel})
        error = await socket.next("error")
        assert (error["code"], error["channel"]) == (code, channel)
    for person, channel in (
        (customer, f"order:{order_id}"),
        (operator, f"order:{order_id}"),
        (operator, f"zone:{town.zone_id}"),
    ):
        socket = await person.socket()
        await socket.send({"type": "subscribe", "channel": channel})
        assert (await socket.next("snapshot"))["channel"] == channel


async def test_a_zone_is_told_in_numbers(town: Town) -> None:
    socket = await (await town.operator()).socket()
    await socket.send({"type": "subscribe", "channel": f"zone:{town.zone_id}"})
    await (await town.log_in("customer")).order()
    while (await socket.next("update", kind="tick"))["body"]["waiting"] != 1:
        pass


async def test_what_is_unsubscribed_is_told_no_more(town: Town) -> None:
    customer = await town.log_in("customer")
    one, two = await customer.order(), await customer.order()
    socket = await customer.socket()
    for order_id in (one, two):
        await socket.send({"type": "subscribe", "channel": f"order:{order_id}"})
        await socket.next("snapshot", channel=f"order:{order_id}")
    await socket.send({"type": "unsubscribe", "channel": f"order:{one}"})
    await socket.send({"type": "ping"})
    await socket.next("pong")
    for order_id in (one, two):
        await customer.post(f"/v1/orders/{order_id}/cancel", {"reason": "other"})
    await socket.until(f"order:{two}", status="cancelled")
    assert not [one for one in socket._waiting if one.get("channel") == f"order:{one}"]


async def test_a_socket_has_so_many_channels_and_no_more(tmp_path: Path) -> None:
    async with a_town(tmp_path, channels_max=2) as town:
        customer = await town.log_in("customer")
        socket, codes = await customer.socket(), []
        for _ in range(3):
            channel = f"order:{await customer.order()}"
            await socket.send({"type": "subscribe", "channel": channel})
            told = await socket.next("snapshot", "error", channel=channel)
            codes.append(told.get("code"))
        assert codes == [None, None, "too_many_channels"]


async def test_of_too_many_sockets_of_one_person_the_oldest_goes(tmp_path: Path) -> None:
    async with a_town(tmp_path, sockets_of_one_max=2) as town:
        customer, other = await town.log_in("customer"), await town.log_in("customer")
        first, second, his = [await one.socket() for one in (customer, customer, other)]
        third = await customer.socket()
        assert await first.closed() == 4409
        await second.connection.close()
        fourth = await customer.socket()
        for socket in (third, fourth, his):
            await socket.send({"type": "ping"})
            await socket.next("pong")


async def test_positions_arrive_packed_or_not(town: Town) -> None:
    courier, phone = await town.courier()
    at = town.parts.clock.now() - 2 * MINUTE_MS
    await phone.send({**position(at, 24.71, 46.67), "accuracy_m": 5})
    await phone.send({"type": "ping"})
    await phone.next("pong")
    assert await fix_of(town, courier) == Fix(lat=24.71, lng=46.67, at=at, accuracy_m=5)
    # As quickly as he may have driven: of what is read together only the newest is judged.
    times = [at + MINUTE_MS, at + 2 * MINUTE_MS]
    records = [RECORD.pack(247_200_000, 466_800_000, one, 70, 0) for one in times]
    await phone.connection.send(b"".join(records))
    await phone.send({"type": "ping"})
    await phone.next("pong")
    assert await fix_of(town, courier) == Fix(lat=24.72, lng=46.68, at=times[-1], accuracy_m=7)


async def test_a_position_that_cannot_be_is_dropped_and_told_once(town: Town) -> None:
    courier, phone = await town.courier()
    now = town.parts.clock.now()
    await phone.send(position(now))
    # The town's clock runs sixty times as fast, and so does what a phone may be ahead.
    for odd in (
        position(now + 60 * MINUTE_MS),
        position(now - 1),
        position(now + 1, lat=90.1),
        position(now + 1, lng=-180.1),
        {**position(now + 1), "accuracy_m": -1},
    ):
        await phone.send(odd)
    await phone.connection.send(RECORD.pack(2_000_000_000, 0, now + 2, 0, 0))
    await phone.send({"type": "ping"})
    await phone.next("pong")
    errors = [one for one in phone._waiting if one["type"] == "error"]
    assert [(one["code"], one["detail"]["dropped"]) for one in errors] == [("bad_position", 1)]
    known = await fix_of(town, courier)
    assert known is not None
    assert known.at == now


async def test_a_couriers_newer_socket_replaces_the_older(town: Town) -> None:
    courier, old = await town.courier()
    new = await courier.socket()
    assert await old.closed() == 4409
    shown = await new.next("snapshot", channel=f"courier:{courier.user_id}")
    assert shown["body"]["duty"] == "on"
    customer = await town.log_in("customer")
    both = [await customer.socket(), await customer.socket()]
    for one in both:
        await one.send({"type": "ping"})
        await one.next("pong")


async def test_a_full_house_asks_to_come_again(tmp_path: Path) -> None:
    async with a_town(tmp_path, sockets_max=1) as town:
        customer = await town.log_in("customer")
        first = await customer.socket()
        assert await (await Socket.open(town)).closed() == 4503
        await first.connection.close()
        code: int | None = 4503
        while code == 4503:
            socket = await Socket.open(town)
            await socket.send({"type": "authenticate", "token": "x"})
            code = await socket.closed()
        assert code == 4401


async def test_when_the_service_stops_phones_are_told_to_connect_again(tmp_path: Path) -> None:
    async with a_town(tmp_path) as town:
        socket = await (await town.log_in("customer")).socket()
    assert await socket.closed() == 4503


async def test_commands_of_one_socket_run_side_by_side_and_all_are_answered(town: Town) -> None:
    _, phone = await town.courier()
    ids = [f"burst-{number}" for number in range(40)]
    for one in ids:
        await phone.send({"type": "accept", "id": one, "offer_id": new_id()})
    answers = [await phone.next("refused", id=one) for one in ids]
    assert {one["code"] for one in answers} == {"unknown_offer"}


async def test_two_phones_that_accept_at_once_have_one_winner(town: Town) -> None:
    """The offer goes to one courier; both of his phones say yes, one of them twice."""
    order_id = await (await town.log_in("customer")).order()
    courier, phone = await town.courier()
    offer_id = (await phone.offer(courier))["offer_id"]
    over_socket = [phone.tell("accept", offer_id=offer_id)]
    over_rest = [courier.post(f"/v1/courier/offers/{offer_id}/accept") for _ in range(4)]
    socket_answer, *rest_answers = await asyncio.gather(*over_socket, *over_rest)
    assert socket_answer["body"]["status"] == "accepted"
    assert {one.status_code for one in rest_answers} == {200}
    events = await town.parts.store.list_events(order_id)
    assert [one.type for one in events].count("OrderAssigned") == 1


def test_a_record_of_twenty_bytes_is_what_the_protocol_says() -> None:
    assert RECORD.size == 20
