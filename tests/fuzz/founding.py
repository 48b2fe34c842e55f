"""Does what people do over REST, until there is something of everything."""

import threading
from collections.abc import Mapping
from typing import Any, Final

import httpx2

from engine.kernel.messages import Role
from storage.servers.patience import Stopwatch
from tests.api.town import ON_DUTY, PARAMETERS, QUOTE, order_body

_PATIENCE_S: Final = 60.0
_AGAIN_S: Final = 0.1
_ORDERS: Final = 3
_CORNERS: Final = [(24.60, 46.55), (24.60, 46.82), (24.85, 46.82), (24.85, 46.55)]


def found(client: httpx2.Client, tokens: Mapping[Role, str]) -> dict[str, list[str]]:
    """Ids of what is there afterwards, by the names that paths and bodies give them."""
    people = _People(client, tokens)
    zone_id = people.zone()
    people.told(Role.COURIER, "POST", "/v1/courier/duty", ON_DUTY)
    orders = [people.order() for _ in range(_ORDERS)]
    delivered = people.delivered()
    offer = people.offer()
    link = people.told(Role.CUSTOMER, "POST", f"/v1/orders/{delivered}/links", {})
    gift = people.gift_link()
    work = people.told(Role.COURIER, "GET", "/v1/courier")
    return {
        "zone_id": [zone_id],
        "courier_id": [work["courier_id"]],
        "order_id": orders,
        "offer_id": [offer["offer_id"]],
        "invoice_id": [people.invoice(delivered)],
        "gift_link_id": [gift["gift_link_id"]],
        "quote_id": [people.quote() for _ in range(_ORDERS)],
        "token": [one["path"].rpartition("/")[2] for one in (gift, link)],
    }


class _People:
    def __init__(self, client: httpx2.Client, tokens: Mapping[Role, str]) -> None:
        self._client = client
        self._tokens = tokens
        self._numbers = iter(range(10**6))

    def told(self, role: Role, method: str, path: str, body: object = None) -> dict[str, Any]:
        headers = {
            "Authorization": f"Bearer {self._tokens[role]}",
            "Idempotency-Key": f"founding-{next(self._numbers):06d}",
        }
        answer = self._client.request(method, path, json=body, headers=headers)
        assert answer.is_success, (method, path, answer.text)
        told: dict[str, Any] = answer.json()
        return told

    def zone(self) -> str:
        body = {
            "name_en": "Olaya",
            "name_ar": "العليا",
            "polygon": [{"lat": lat, "lng": lng} for lat, lng in _CORNERS],
            "resolution": 7,
            "parameters": {**PARAMETERS, "tick_s": 1},
        }
        return str(self.told(Role.OPERATOR, "POST", "/v1/zones", body)["zone_id"])

    def quote(self) -> str:
        return str(self.told(Role.CUSTOMER, "POST", "/v1/quotes", QUOTE)["quote_id"])

    def order(self) -> str:
        body = order_body(self.quote())
        return str(self.told(Role.CUSTOMER, "POST", "/v1/orders", body)["order_id"])

    def offer(self) -> dict[str, Any]:
        """What is offered to the only courier."""
        path, role = "/v1/courier", Role.COURIER
        found: dict[str, Any] = _awaited(lambda: self.told(role, "GET", path)["offer"])
        return found

    def delivered(self) -> str:
        """An order that was carried to its door."""
        offer = self.offer()
        self.told(Role.COURIER, "POST", f"/v1/courier/offers/{offer['offer_id']}/accept")
        (order_id,) = offer["order_ids"]
        pin = self.told(Role.CUSTOMER, "GET", f"/v1/orders/{order_id}")["pin"]
        for step in ("reached_shop", "picked_up", "reached_door", "delivered"):
            body = {"order_id": order_id, "step": step, "pin": pin if step == "delivered" else ""}
            self.told(Role.COURIER, "POST", "/v1/courier/progress", body)
        return str(order_id)

    def invoice(self, order_id: str) -> str:
        path = f"/v1/orders/{order_id}/invoices"
        (first, *_) = _awaited(lambda: self.told(Role.CUSTOMER, "GET", path)["invoices"])
        return str(first["invoice_id"])

    def gift_link(self) -> dict[str, Any]:
        body = {
            "gift": {"description": "Roses"},
            "recipient": {"name": "Noura", "phone": "0501234567"},
            "shop": QUOTE["shop"],
            "preparation_s": 0,
            "limit_halalas": 20_000,
        }
        return self.told(Role.CUSTOMER, "POST", "/v1/gift-links", body)


def _awaited(ask: Any) -> Any:
    watch, pause = Stopwatch(), threading.Event()
    while watch.elapsed_s < _PATIENCE_S:
        if told := ask():
            return told
        pause.wait(_AGAIN_S)
    raise AssertionError("what was waited for did not come")
