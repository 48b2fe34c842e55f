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
from engine.orders.cash import cash_due
from engine.orders.handover import Handover
from engine.orders.order import Order
from engine.orders.proof import choices
from engine.orders.viewing import Viewer, sees
from engine.pricing.pay import Pay, total


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
        "shop": place_view(order.shop),
        "door": place_view(order.door),
        "pin": order.pin,
        "total_halalas": order.total_halalas,
        "cash_due_halalas": cash_due(order),
        "fees": to_builtins(order.fees),
        "redelivers": order.redelivers,
        "group": list(order.group),
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
    """A courier's work as docs/protocol.md section 4 describes it: never a PIN, never the price."""
    status = courier.status
    return {
        "courier_id": courier.id,
        "version": courier.version,
        "duty": courier.duty.value,
        "status": status.value,
        "position_interval_s": position_interval_s(status),
        "zone_id": courier.zone_id,
        "shift_begins_at": courier.shift.begins_at,
        "shift_ends_at": courier.shift_ends_at,
        "break_begins_at": courier.rest and courier.rest.begins_at,
        "break_ends_at": courier.rest and courier.rest.ends_at,
        "cash_held_halalas": courier.cash_halalas,
        "route": [_stop(one) for one in courier.route],
        "orders": _carried(courier.orders, orders, Viewer.COURIER),
        "offer": offer
        and {
            "offer_id": offer.id,
            "mode": offer.mode.value,
            "order_ids": list(offer.order_ids),
            "stops": [_stop(one) for one in offer.stops],
            "orders": _carried(offer.order_ids, orders, Viewer.ASKED_COURIER),
            "pay_halalas": sum(_pay_halalas(orders[one]) for one in offer.order_ids),
            "made_at": offer.made_at,
            "expires_at": offer.expires_at,
        },
    }


def shared_view(
    order: Order, viewer: Viewer, courier: Courier | None, *, eta: Instant | None
) -> dict[str, Any]:
    """What a link shows: nothing but what this viewer may see now, the rest is left out."""
    shown = {
        "code": order.code,
        "public_status": order.public_status.value,
        "description": order.gift.description,
        "occasion": order.gift.occasion,
        "card": order.gift.card,
        "message": order.gift.message,
        "left_with": order.handover.told.left_with or None if order.handover else None,
        "price": order.total_halalas,
        "sender_name": order.gift.sender_name,
        "courier_name": courier.name if courier and order.is_open else None,
        "cash_due": cash_due(order) or None,
        "times": {"window": to_builtins(order.window), "due_at": order.due_at, "eta": eta},
    }
    return {what: value for what, value in shown.items() if sees(order, viewer, what)}


def _carried(
    ids: Iterable[OrderId], orders: Mapping[OrderId, Order], viewer: Viewer
) -> list[dict[str, Any]]:
    return [_carried_one(orders[order_id], viewer) for order_id in ids]


def _carried_one(order: Order, viewer: Viewer) -> dict[str, Any]:
    """An order to who carries it or is asked to; what he may not see yet is empty."""

    def seen(what: str, text: str) -> str:
        return text if sees(order, viewer, what) else ""

    gift, door = order.gift, order.door
    return {
        "order_id": order.id,
        "code": order.code,
        "version": order.version,
        "status": order.status.value,
        "recipient": {
            "name": seen("recipient_name", order.recipient.name),
            "phone": seen("recipient_phone", order.recipient.phone),
        },
        "gift": {
            "description": gift.description,
            "size_units": gift.size_units,
            "weight_g": gift.weight_g,
            "skills": [skill.value for skill in gift.skills],
            "surprise": gift.surprise and sees(order, viewer, "is_surprise"),
            "photo_consent": gift.photo_consent and sees(order, viewer, "photo_consent"),
            "neighbour": seen("neighbour", gift.neighbour),
        },
        "shop": place_view(order.shop),
        "door": {
            **place_view(door),
            "name": seen("door_address", door.name),
            "address": seen("door_address", door.address),
            "notes": seen("door_address", door.notes),
        },
        "ready_at": order.ready_at,
        "due_at": order.due_at,
        "pay": order.pay and _pay(order.pay),
        "proof_needed": choices(order) if sees(order, viewer, "proof_needed") else {},
        "cash_due_halalas": cash_due(order) if sees(order, viewer, "cash_due") else 0,
    }


def handover_view(order: Order, handover: Handover, viewer: Viewer) -> dict[str, Any]:
    """How an order changed hands, to who may see that; the files are shown by their own rows."""
    told = handover.told
    is_placed = sees(order, viewer, "handover_place")
    return {
        "order_id": order.id,
        "handed_to": told.to.value,
        "taken_by": told.taken_by,
        "proved_by": [one.value for one in handover.proved_by],
        "at": handover.at,
        "device_at": handover.device_at,
        "place": to_builtins(told.point) if is_placed else None,
        "accuracy_m": told.accuracy_m if is_placed else None,
        "fix_at": told.fix_at if is_placed else None,
        "distance_m": handover.distance_m if is_placed else None,
    }


def _pay(pay: Pay) -> dict[str, Any]:
    """What he is paid, line by line, and what he will be paid for waiting."""
    return {
        "halalas": total(pay.lines),
        "lines": to_builtins(pay.lines),
        "distance_m": pay.distance_m,
        "wait_free_s": pay.wait_free_s,
        "wait_per_min_halalas": pay.wait_per_min_halalas,
        "wait_max_halalas": pay.wait_max_halalas,
    }


def _pay_halalas(order: Order) -> int:
    return 0 if order.pay is None else total(order.pay.lines)


def place_view(place: Place) -> dict[str, Any]:
    """A shop or a door, whole."""
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
