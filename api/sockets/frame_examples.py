"""One example of every frame of the socket; they stand in the AsyncAPI document and are tried."""

from typing import Any, Final

_ORDER: Final = "0198a3c4-8f4e-7d10-9c53-6a1f5a3b2c01"
_OFFER: Final = "0198a3c4-8f4e-7d10-9c53-6a1f5a3b2c02"
_COURIER: Final = "0198a3c4-8f4e-7d10-9c53-6a1f5a3b2c03"
_BOOKMARK: Final = {"epoch": "0198a3c4-8f4e-7d10-9c53-6a1f5a3b2c04.0", "offset": 17}
_AT: Final = 1_764_300_000_000
_UPDATE: Final = {
    "channel": f"order:{_ORDER}",
    "kind": "state",
    "version": 5,
    "body": {"order_id": _ORDER, "status": "assigned"},
    "bookmark": _BOOKMARK,
}
_REFUSAL: Final = {
    "code": "no_such_channel",
    "title": "There is no such channel, or it is not yours to see.",
    "title_ar": "لا توجد قناة بهذا الاسم أو لا يحق لك متابعتها.",
    "detail": {},
}

OF_THE_APP: Final[dict[str, dict[str, Any]]] = {
    "authenticate": {
        "token": "eyJhbGciOiJFUzI1NiJ9.e30.c2lnbmF0dXJl",
        "channels": {f"order:{_ORDER}": _BOOKMARK},
        "receipts": True,
    },
    "subscribe": {"channel": f"order:{_ORDER}", "bookmark": _BOOKMARK},
    "unsubscribe": {"channel": f"order:{_ORDER}"},
    "received": {"channel": f"order:{_ORDER}", "bookmark": _BOOKMARK},
    "look": {
        "channel": f"fleet:{_ORDER}",
        "south": 24.6,
        "west": 46.5,
        "north": 24.8,
        "east": 46.8,
        "form": "json",
    },
    "duty": {
        "id": "phone-000001",
        "duty": "on",
        "name": "Salem",
        "vehicle": "car",
        "capacity_units": 4,
        "lat": 24.71,
        "lng": 46.67,
    },
    "acknowledge": {"id": "phone-000002", "offer_id": _OFFER},
    "accept": {"id": "phone-000003", "offer_id": _OFFER},
    "decline": {"id": "phone-000004", "offer_id": _OFFER, "reason": "too_far"},
    "progress": {
        "id": "phone-000005",
        "order_id": _ORDER,
        "step": "delivered",
        "device_at": _AT,
        "pin": "1234",
        "handover": {
            "to": "recipient",
            "taken_by": "Noura",
            "photo": "",
            "signature": "5e" * 32,
            "lat": 24.71,
            "lng": 46.67,
            "accuracy_m": 8.0,
            "fix_at": _AT,
            "cash_halalas": 0,
        },
    },
    "reached_waiting_point": {"id": "phone-000006", "device_at": _AT},
    "message": {
        "id": "phone-000007",
        "order_id": _ORDER,
        "text": "أنا عند البوابة الخلفية 🚪",
        "quick_reply": "at_door",
        "attachment": None,
    },
    "read": {"order_id": _ORDER, "number": 12},
    "typing": {"order_id": _ORDER},
    "position": {"lat": 24.71, "lng": 46.67, "at": _AT, "accuracy_m": 8.0, "mock": False},
    "ping": {},
}
OF_THE_SERVER: Final[dict[str, dict[str, Any]]] = {
    "authenticated": {
        "user_id": _COURIER,
        "role": "courier",
        "now": _AT,
        "speed": 1.0,
        "expires_at": _AT + 86_400_000,
        "silence_s": 120.0,
    },
    "snapshot": {
        "channel": f"courier:{_COURIER}",
        "version": 3,
        "bookmark": _BOOKMARK,
        "body": {"courier_id": _COURIER, "version": 3, "duty": "on", "route": [], "offer": None},
        "recovered": False,
    },
    "update": _UPDATE,
    "resumed": {
        "channel": f"order:{_ORDER}",
        "bookmark": _BOOKMARK,
        "updates": [{"type": "update", **_UPDATE}],
        "recovered": True,
    },
    "fleet": {
        "channel": f"fleet:{_ORDER}",
        "at": _AT,
        "whole": False,
        "couriers": [{"courier_id": _COURIER, "lat": 24.71, "lng": 46.67, "status": "busy"}],
        "gone": [],
    },
    "reply": {"id": "phone-000003", "body": {"status": "accepted"}},
    "refused": {"id": "phone-000004", **_REFUSAL},
    "error": {**_REFUSAL, "channel": f"order:{_ORDER}"},
    "pong": {"now": _AT},
}
