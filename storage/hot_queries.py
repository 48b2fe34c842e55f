"""The queries that are asked often or of large tables, each with something true to ask."""

from typing import Any, Final

from engine.kernel.timing import DAY_MS, HOUR_MS
from engine.orders.finding import needs, sought
from storage.filled import City, name_of, named
from storage.order_tokens import EVERYWHERE, token_of

_LIMIT: Final = 100


def hot_queries(city: City) -> dict[str, dict[str, Any]]:
    """The parameters of each, by its name."""
    middle = (city.began_at + city.ended_at) // 2
    zone_id, last_hour = city.zones[0], city.ended_at - HOUR_MS
    in_zone = {"zone_id": zone_id, "since": last_hour, "until": city.ended_at}
    of_customer = {
        "customer_id": city.customer_id,
        "since": city.began_at,
        "until": city.ended_at,
        "statuses": None,
        "limit": 21,
    }
    trail = {"courier_id": city.courier_id, "since": middle, "until": middle + HOUR_MS}
    return {
        "find_order": {"order_id": city.order_id},
        "cell_of_order": {"order_id": city.order_id},
        "load_orders": {"cell": city.cell},
        "list_orders_down": {**of_customer, "at": city.ended_at, "order_id": city.order_id},
        "list_orders_up": {**of_customer, "at": city.began_at, "order_id": city.order_id},
        "orders_of_person": {"user_id": city.customer_id, "after": named(0, 0), "limit": _LIMIT},
        "list_orders_in": {**in_zone, "limit": _LIMIT},
        "orders_of_zone_since": {"zone_id": zone_id, "since": last_hour},
        "offers_of_zone_since": {"zone_id": zone_id, "since": last_hour},
        "couriers_of_zone_since": {"zone_id": zone_id, "since": last_hour},
        "events_of_zone_since": {
            "zone_id": zone_id,
            "since": last_hour,
            "types": ["OrderPlaced", "OrderDelivered"],
        },
        "list_duties": {**in_zone, "types": ["WentOnDuty"]},
        "order_outcomes": {**in_zone, "limit": _LIMIT},
        "offer_outcomes": {**in_zone, "limit": _LIMIT},
        "find_offer": {"offer_id": named(1, 7)},
        "load_offers": {"cell": city.cell},
        "list_offers_for": {"order_id": city.order_id},
        "list_events": {"thing_id": city.order_id},
        "find_answer": {"command_id": named(5, 7)},
        "find_quote": {"quote_id": named(4, 7)},
        "list_trail": {**trail, "limit": _LIMIT},
        "first_fixes": {"couriers": [city.courier_id], "instants": [middle]},
        "last_fixes": {"cell": city.cell},
        "find_courier": {"courier_id": city.courier_id},
        "load_couriers": {"cell": city.cell},
        "lease_effects": {
            "now": city.ended_at,
            "limit": 16,
            "lease_until": city.ended_at + DAY_MS,
        },
        "finish_effect": {"effect_id": named(7, 1_000), "now": city.ended_at},
        "find_session": {"session_id": named(6, 7)},
        "list_sessions": {"user_id": city.customer_id, "now": city.began_at, "limit": 20},
        "list_ended_sessions": {"since": last_hour},
        "list_gift_links_of": {"customer_id": city.customer_id, "limit": _LIMIT},
        "list_due_gift_links": {"now": city.ended_at, "limit": _LIMIT},
        **_of_searches(city),
        **_of_what_is_old(city),
    }


def _of_searches(city: City) -> dict[str, dict[str, Any]]:
    first, family = (token_of(EVERYWHERE, needs(sought(one))[0][0]) for one in name_of(7).split())
    asked = {
        "tokens": [first],
        "since": city.began_at,
        "until": city.ended_at,
        "statuses": None,
        "others": 1,
        "other_needs": [0],
        "other_tokens": [family],
        "limit": _LIMIT,
    }
    return {
        "count_order_tokens": {"tokens": [first, family], "most": 500},
        "search_orders_down": {**asked, "at": city.ended_at, "order_id": city.order_id},
        "search_orders_up": {**asked, "at": city.began_at, "order_id": city.order_id},
        "orders_after": {"after": city.order_id, "limit": _LIMIT},
    }


def _of_what_is_old(city: City) -> dict[str, dict[str, Any]]:
    aged = {"before": city.began_at + HOUR_MS, "limit": _LIMIT}
    return {
        "aged_orders": {**aged, "at": 0, "after": named(0, 0)},
        "remove_old_answers": aged,
        "remove_old_outbox": aged,
        "remove_old_quotes": aged,
        "remove_old_trail": aged,
        "remove_old_sessions": aged,
    }
