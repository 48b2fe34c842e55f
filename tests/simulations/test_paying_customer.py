"""A simulated customer of the demo orders where orders are paid for, by the protocol of an app."""

import random
from pathlib import Path

from actors.chance import SeededChance
from actors.clock import SystemClock
from simulations.diary import Diary
from simulations.door_socket import CustomerSocketDoor
from simulations.rest import Account, Edge
from tests.api.test_payments import a_shop
from tests.api.town import order_body
from tests.builders import DOOR, SHOP


async def test_he_pays_by_stc_pay_and_tells_its_code(tmp_path: Path) -> None:
    async with a_shop(tmp_path) as shop:
        town = shop.town
        edge = Edge(
            town.url, town.parts.settings.sms_log, clock=SystemClock(), chance=random.Random(1)
        )
        account = Account(edge, phone=town.phone(), role="customer")
        door = CustomerSocketDoor(account, Diary(), SeededChance(1))
        await door.open()
        quoted = await door.quote(SHOP, DOOR, 0)
        assert not quoted.refused, quoted
        order = order_body(quoted.body["quote_id"])
        placed = await door.place(town.key(), order)
        assert not placed.refused, placed
        assert (placed.body["status"], placed.body["is_placed"]) == ("captured", True)
        shown = await account.request("GET", f"/v1/orders/{placed.body['order_id']}")
        assert shown.body["status"] == "waiting"
        # The gateway was told the code, and no token of ours.
        (told,) = (one for one in shop.server.requests if "/stc_pays/" in one.path)
        assert "authorization" not in told.headers
        await door.close()
        await edge.close()
