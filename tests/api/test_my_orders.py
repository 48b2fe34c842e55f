"""A customer's list of open orders, as his sockets hear it."""

from typing import Any

from tests.api.town import Person, Socket, Town


async def listed(socket: Socket, customer: Person, ids: set[str]) -> list[dict[str, Any]]:
    """The first list with exactly these orders."""
    while True:
        told = await socket.next("snapshot", channel=f"orders:{customer.user_id}")
        assert (told["version"], told["bookmark"]) == (0, None)
        orders: list[dict[str, Any]] = told["body"]["orders"]
        if {one["order_id"] for one in orders} == ids:
            return orders


async def test_every_phone_hears_of_orders_that_come_and_end(town: Town) -> None:
    customer, other = await town.log_in("customer"), await town.log_in("customer")
    before = await customer.order()
    sockets = [await customer.socket(), await customer.socket()]
    for socket in sockets:
        await socket.send({"type": "subscribe", "channel": f"orders:{customer.user_id}"})
        await listed(socket, customer, {before})
    await other.order()
    one, two = await customer.order(), await customer.order()
    order = (await customer.get(f"/v1/orders/{two}")).json()
    for socket in sockets:
        shown = await listed(socket, customer, {before, one, two})
        assert [entry["order_id"] for entry in shown] == [two, one, before]
        assert shown[0] == {name: order[name] for name in ("order_id", "code", "placed_at")}
    await customer.post(f"/v1/orders/{one}/cancel", {"reason": "other"})
    for socket in sockets:
        await listed(socket, customer, {before, two})


async def test_the_list_is_told_again_after_a_gap_in_the_stream(town: Town) -> None:
    customer = await town.log_in("customer")
    socket = await customer.socket()
    await socket.send({"type": "subscribe", "channel": f"orders:{customer.user_id}"})
    await listed(socket, customer, set())
    town.app.state.desk.sources.hub._miss()
    await listed(socket, customer, set())
