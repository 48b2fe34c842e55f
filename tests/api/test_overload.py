"""More is asked than can be done: who is read, who begins, who is told no."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actors.clock import SystemClock
from api.admission import Admission
from api.limit_settings import LimitSettings
from api.route_classes import Weight
from api.sockets.courier_words import weight_of
from api.sockets.frames import (
    Accept,
    Acknowledge,
    CourierFrame,
    Decline,
    Duty,
    Progress,
    ReachedWaitingPoint,
)
from engine.couriers.courier import ProgressStep
from engine.kernel.ids import CellId
from engine.kernel.messages import Envelope
from storage.store import Answer
from tests.api.town import ON_DUTY, Person, Socket, Town, a_town, order_body
from tests.builders import new_id

_PATIENCE_S = 30.0
# One for any command, and one more for a vital one.
_PLACES = 2
_ENOUGH = 10**6
SATURATED = {"person_per_min": _ENOUGH, "device_per_min": _ENOUGH, "address_per_min": _ENOUGH}


@asynccontextmanager
async def a_busy_town(folder: Path, **limits: float) -> AsyncIterator["BusyTown"]:
    """A cell that one command at a time may enter, and two couriers on duty."""
    settings = LimitSettings(commands_of_cell_at_once=1, **{**SATURATED, **limits})
    async with a_town(folder, limits=settings) as town:
        couriers = [await town.courier() for _ in range(2)]
        yield BusyTown(town, couriers)


class BusyTown:
    """A town in which a test takes all places, and gives them back."""

    def __init__(self, town: Town, couriers: list[tuple[Person, Socket]]) -> None:
        self.town, self.couriers = town, couriers
        cell = town.parts.bus.known_cell(f"courier:{couriers[0][0].user_id}")
        assert cell is not None
        self._cell = cell

    @property
    def admission(self) -> Admission:
        return self.town.parts.admission

    async def take_all_places(self) -> None:
        for _ in range(_PLACES):
            assert await self.admission.enter(self._cell, Weight.VITAL)

    def give_them_back(self) -> None:
        for _ in range(_PLACES):
            self.admission.leave(self._cell)

    async def wait_until(self, waiting: int) -> None:
        async with asyncio.timeout(_PATIENCE_S):
            while self.admission.waiting != waiting:
                await SystemClock().sleep(5)


async def answered(socket: Socket, *ids: str) -> list[str]:
    """These, in the order in which they were answered."""
    found = list[str]()
    while len(found) < len(ids):
        frame = await socket.next("reply", "refused")
        if frame["id"] in ids:
            found.append(frame["id"])
    return found


async def test_what_is_behind_a_waiting_command_is_not_read_and_then_it_is(tmp_path: Path) -> None:
    async with a_busy_town(tmp_path) as busy:
        _, socket = busy.couriers[0]
        await busy.take_all_places()
        await socket.send({"type": "duty", "id": "first", **ON_DUTY})
        await busy.wait_until(1)
        # The second would wait, too, and the ping be answered, if they were read.
        await socket.send({"type": "duty", "id": "second", **ON_DUTY})
        await socket.send({"type": "ping"})
        _, other = busy.couriers[1]
        await other.send({"type": "ping"})
        assert (await other.next("pong"))["type"] == "pong"
        assert busy.admission.waiting == 1
        busy.give_them_back()
        assert await answered(socket, "first", "second") == ["first", "second"]
        await socket.next("pong")


async def test_what_came_with_a_waiting_command_keeps_its_order(tmp_path: Path) -> None:
    """It is read already, and yet not heeded before its turn."""
    async with a_busy_town(tmp_path) as busy:
        _, socket = busy.couriers[0]
        await busy.take_all_places()
        duties = {"first": "on", "second": "break", "third": "resume"}
        for name, duty in duties.items():
            about = ON_DUTY if duty == "on" else {"duty": duty}
            word = msgspec.json.encode({"type": "duty", "id": name, **about})
            socket.connection.protocol.send_text(word)
            # So that they do not reach the connection all in one.
            socket.connection.protocol.send_ping(name.encode())
        socket.connection.transport.write(b"".join(socket.connection.protocol.data_to_send()))
        await busy.wait_until(1)
        busy.give_them_back()
        assert await answered(socket, *duties) == list(duties)


async def test_a_phone_that_floods_is_held_by_its_own_connection(tmp_path: Path) -> None:
    """Its kernel and ours hold what it says; the edge holds one frame."""
    async with a_busy_town(tmp_path) as busy:
        _, socket = busy.couriers[0]
        await busy.take_all_places()
        await socket.send({"type": "duty", "id": "first", **ON_DUTY})
        await busy.wait_until(1)
        flooding = asyncio.ensure_future(_flood(socket))
        transport = socket.connection.transport
        async with asyncio.timeout(_PATIENCE_S):
            while transport.get_write_buffer_size() == 0:
                await SystemClock().sleep(5)
        assert busy.admission.waiting == 1
        flooding.cancel()
        socket.connection.transport.abort()
        busy.give_them_back()


async def _flood(socket: Socket) -> None:
    while True:
        await socket.send({"type": "ping", "much": "x" * 15_000})


async def test_couriers_words_pass_who_only_begins_to_work(tmp_path: Path) -> None:
    async with a_busy_town(tmp_path) as busy:
        (_, early), (_, late) = busy.couriers
        await busy.take_all_places()
        await early.send({"type": "duty", "id": "begins", **ON_DUTY})
        await busy.wait_until(1)
        await late.send({"type": "duty", "id": "rests", "duty": "break"})
        await busy.wait_until(2)
        order = list[str]()

        async def hear(socket: Socket, name: str) -> None:
            await socket.next("reply", id=name)
            order.append(name)

        hearing = [
            asyncio.ensure_future(hear(early, "begins")),
            asyncio.ensure_future(hear(late, "rests")),
        ]
        busy.give_them_back()
        await asyncio.gather(*hearing)
        assert order == ["rests", "begins"]


async def test_couriers_words_over_rest_pass_customers_orders(tmp_path: Path) -> None:
    async with a_busy_town(tmp_path) as busy:
        courier, _ = busy.couriers[0]
        customer = await busy.town.log_in("customer")
        quote_id = await customer.quote()
        await busy.take_all_places()
        order = list[str]()

        async def ask(name: str, person: Person, path: str, body: dict[str, Any]) -> None:
            told = await person.post(path, body)
            assert told.status_code in {200, 201}, told.text
            order.append(name)

        orders = ask("ordered", customer, "/v1/orders", order_body(quote_id))
        asking = [asyncio.ensure_future(orders)]
        await busy.wait_until(1)
        rests = ask("rests", courier, "/v1/courier/duty", {"duty": "break"})
        asking.append(asyncio.ensure_future(rests))
        await busy.wait_until(2)
        busy.give_them_back()
        await asyncio.gather(*asking)
        assert order == ["rests", "ordered"]


async def test_a_repetition_of_what_is_under_way_asks_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If it asked anybody the third would wait for a place, and the ping behind it, too."""
    async with a_busy_town(tmp_path) as busy:
        _, socket = busy.couriers[0]
        cells, may_end, asked = busy.town.cells, asyncio.Event(), list[str]()
        execute = cells.execute

        async def slowly(cell: CellId, envelope: Envelope) -> Answer:
            asked.append(envelope.id)
            await may_end.wait()
            return await execute(cell, envelope)

        monkeypatch.setattr(cells, "execute", slowly)
        for _ in range(3):
            await socket.send({"type": "duty", "id": "same", "duty": "break"})
        await socket.send({"type": "ping"})
        await socket.next("pong")
        may_end.set()
        assert (await socket.next("reply", "refused", id="same"))["type"] == "reply"
        assert len(asked) == 1


async def test_whatever_is_turned_away_is_told_so_once(tmp_path: Path) -> None:
    async with a_busy_town(tmp_path, command_wait_s=0.0) as busy:
        _, socket = busy.couriers[0]
        await busy.take_all_places()
        names = [f"late-{number}" for number in range(20)]
        frames = [{"type": "duty", "id": one, **ON_DUTY} for one in names]
        await asyncio.gather(*(socket.send(one) for one in frames))
        told = list[dict[str, Any]]()
        while sum(1 + len(one.get("also", ())) for one in told) < len(names):
            told.append(await socket.next("refused"))
        assert [name for one in told for name in (one["id"], *one.get("also", ()))] == names
        assert {one["code"] for one in told} == {"overloaded"}
        busy.give_them_back()


async def test_what_is_turned_away_beside_a_command_does_not_wait_for_it_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_busy_town(tmp_path, command_wait_s=0.0) as busy:
        _, socket = busy.couriers[0]
        cells, may_end = busy.town.cells, asyncio.Event()
        execute = cells.execute

        async def slowly(cell: CellId, envelope: Envelope) -> Answer:
            await may_end.wait()
            return await execute(cell, envelope)

        monkeypatch.setattr(cells, "execute", slowly)
        await socket.send({"type": "duty", "id": "under way", "duty": "break"})
        for name in ("late", "later"):
            await socket.send({"type": "duty", "id": name, **ON_DUTY})
        refused = await socket.next("refused")
        assert [refused["id"], *refused["also"]] == ["late", "later"]
        await socket.send({"type": "duty", "id": "last", **ON_DUTY})
        may_end.set()
        assert await answered(socket, "last", "under way") == ["last", "under way"]


async def test_who_has_waited_too_long_is_told_so_and_read_on(tmp_path: Path) -> None:
    async with a_busy_town(tmp_path, command_wait_s=0.0) as busy:
        _, socket = busy.couriers[0]
        await busy.take_all_places()
        refused = await socket.tell("duty", id="late", **ON_DUTY)
        assert (refused["type"], refused["code"]) == ("refused", "overloaded")
        await socket.send({"type": "ping"})
        await socket.next("pong")
        over_rest = await busy.couriers[0][0].post("/v1/courier/duty", {"duty": "break"})
        assert (over_rest.status_code, over_rest.json()["code"]) == (503, "overloaded")
        assert "retry-after" in over_rest.headers
        busy.give_them_back()
        assert (await socket.tell("duty", id="late", **ON_DUTY))["type"] == "reply"


async def test_what_waits_when_its_phone_goes_away_is_not_begun(tmp_path: Path) -> None:
    async with a_busy_town(tmp_path) as busy:
        courier, socket = busy.couriers[0]
        await busy.take_all_places()
        await socket.send({"type": "duty", "id": "first", "duty": "break"})
        await busy.wait_until(1)
        # He comes back on another connection, which ends this one.
        again = await courier.socket()
        await busy.wait_until(0)
        busy.give_them_back()
        # The break he asked for is the other connection's, and was not begun.
        assert (await again.tell("duty", duty="resume"))["type"] == "reply"
        work = (await courier.get("/v1/courier")).json()
        assert work["version"] == 1


async def test_lists_wait_while_commands_do(tmp_path: Path) -> None:
    async with a_busy_town(tmp_path, list_wait_s=0.0) as busy:
        _, socket = busy.couriers[0]
        customer = await busy.town.log_in("customer")
        assert (await customer.get("/v1/orders")).status_code == 200
        await busy.take_all_places()
        await socket.send({"type": "duty", "id": "first", "duty": "break"})
        await busy.wait_until(1)
        told = await customer.get("/v1/orders")
        assert (told.status_code, told.json()["code"]) == (503, "overloaded")
        assert (await customer.get("/v1/me")).status_code == 200
        busy.give_them_back()
        await socket.next("reply", id="first")
        assert (await customer.get("/v1/orders")).status_code == 200


@pytest.mark.parametrize(
    "frame",
    [
        Accept(id="1", offer_id=new_id()),
        Decline(id="1", offer_id=new_id(), reason="too far"),
        Acknowledge(id="1", offer_id=new_id()),
        Progress(id="1", order_id=new_id(), step=ProgressStep.PICKED_UP),
        ReachedWaitingPoint(id="1"),
        Duty(id="1", duty="break"),
        Duty(id="1", duty="off"),
    ],
    ids=lambda one: type(one).__name__,
)
def test_what_others_wait_for_is_vital(frame: CourierFrame) -> None:
    assert weight_of(frame) is Weight.VITAL
