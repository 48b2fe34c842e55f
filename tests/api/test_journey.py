"""From the quote to the door, over REST and sockets."""

from tests.api.town import Town


async def test_a_gift_is_quoted_placed_offered_carried_and_handed_over(town: Town) -> None:
    customer = await town.log_in("customer")
    order_id = await customer.order()
    watching = await customer.socket()
    await watching.send({"type": "subscribe", "channel": f"order:{order_id}"})
    shown = await watching.next("snapshot", channel=f"order:{order_id}")
    assert shown["body"]["public_status"] == "pending"

    courier, phone = await town.courier()
    offer = await phone.offer(courier)
    assert offer["order_ids"] == [order_id]
    assert "pin" not in str(offer)
    offer_id = offer["offer_id"]
    assert (await phone.tell("acknowledge", offer_id=offer_id))["type"] == "reply"
    accepted = await phone.tell("accept", offer_id=offer_id)
    assert accepted["body"]["status"] == "accepted"

    assigned = await watching.until(f"order:{order_id}", status="assigned")
    assert assigned["courier"]["name"] == "Salem"
    assert assigned["eta"] is not None
    for step in ("reached_shop", "picked_up", "reached_door"):
        told = await phone.tell("progress", order_id=order_id, step=step)
        assert told["type"] == "reply", told
    wrong = await phone.tell("progress", order_id=order_id, step="delivered", pin="00000")
    assert wrong["code"] == "wrong_pin"
    handed = await phone.tell("progress", order_id=order_id, step="delivered", pin=assigned["pin"])
    assert handed["type"] == "reply", handed
    await watching.until(f"order:{order_id}", public_status="delivered")

    told = (await customer.get(f"/v1/orders/{order_id}/timeline")).json()["events"]
    assert [one["type"] for one in told][-1] == "OrderDelivered"
    stored = (await customer.get(f"/v1/orders/{order_id}")).json()
    assert (stored["status"], stored["courier"]["courier_id"]) == ("delivered", courier.user_id)
