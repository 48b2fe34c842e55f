"""What people are shown: an order to its customer, the work to its courier."""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import to_builtins

from engine.couriers.courier import Courier, Stop
from engine.couriers.pacing import position_interval_s
from engine.dispatch.offer import Offer
from engine.kernel.ids import OrderId
from engine.kernel.place import Place
from engine.kernel.timing import Instant
from engine.orders.order import Order


def order_view(order: Order, courier: Courier | None, *, eta: Instant | None) -> dict[str, Any]:
    """An order as docs/protocol.md section 3 describes it; `courier` is who carries it."""
    carrier = courier and {
        "courier_id": courier.id,
        "name": courier.name,
        "vehicle": courier.vehicle.value,
    }
    return {
        "order_id": order.id,
        "code": order.code,
        "version": order.version,
        "status": order.status.value,
        "public_status": order.public_status.value,
        "gift": to_builtins(order.gift),
        "recipient": to_builtins(order.recipient),
        "shop": _place(order.shop),
        "door": _place(order.door),
        "pin": order.pin,
        "total_halalas": order.total_halalas,
        "placed_at": order.placed_at,
        "ready_at": order.ready_at,
        "due_at": order.due_at,
        "window": to_builtins(order.window),
        "courier": carrier,
        "eta": eta,
        "picked_up_at": order.picked_up_at,
        "ended_at": order.ended_at,
    }


def work_view(
    courier: Courier, offer: Offer | None, orders: Mapping[OrderId, Order]
) -> dict[str, Any]:
    """A courier's work as docs/protocol.md section 4 describes it: never a PIN, never a price."""
    return {
        "courier_id": courier.id,
        "version": courier.version,
        "duty": courier.duty.value,
        "status": courier.status.value,
        "position_interval_s": position_interval_s(courier.status),
        "zone_id": courier.zone_id,
        "shift_ends_at": courier.shift_ends_at,
        "route": [_stop(one) for one in courier.route],
        "orders": _carried(courier.orders, orders),
        "offer": offer
        and {
            "offer_id": offer.id,
            "mode": offer.mode.value,
            "order_ids": list(offer.order_ids),
            "stops": [_stop(one) for one in offer.stops],
            "orders": _carried(offer.order_ids, orders),
            "made_at": offer.made_at,
            "expires_at": offer.expires_at,
        },
    }


def _carried(ids: Iterable[OrderId], orders: Mapping[OrderId, Order]) -> list[dict[str, Any]]:
    return [
        {
            "order_id": one.id,
            "code": one.code,
            "version": one.version,
            "status": one.status.value,
            "recipient": to_builtins(one.recipient),
            "gift": {
                "description": one.gift.description,
                "size_units": one.gift.size_units,
                "weight_g": one.gift.weight_g,
                "skills": [skill.value for skill in one.gift.skills],
            },
            "shop": _place(one.shop),
            "door": _place(one.door),
            "ready_at": one.ready_at,
            "due_at": one.due_at,
        }
        for one in (orders[order_id] for order_id in ids)
    ]


def _place(place: Place) -> dict[str, Any]:
    return {
        "lat": place.point.lat,
        "lng": place.point.lng,
        "name": place.name,
        "address": place.address,
        "notes": place.notes,
    }


def _stop(stop: Stop) -> dict[str, Any]:
    return {
        "kind": stop.kind.value,
        "lat": stop.point.lat,
        "lng": stop.point.lng,
        "orders": list(stop.orders),
        "ready_at": stop.ready_at,
        "arrived_at": stop.arrived_at,
    }
