"""The queries that are asked often or of large tables, each with something true to ask."""

from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from engine.kernel.filters import Kind
from engine.kernel.listing import Listing, one_of
from engine.kernel.pages import FIRST_ID, Key, Wanted
from engine.kernel.timing import DAY_MS, HOUR_MS
from engine.listings import (
    AUDIT_LOG,
    DISPUTES,
    GIFT_LINKS,
    INVITATIONS,
    ORDER_SEARCH,
    ORDERS,
    PAYMENTS,
    PAYOUTS,
    WHAT_IFS,
)
from engine.orders.finding import needs, sought
from storage.filled import City, name_of, named
from storage.listed import statement
from storage.order_tokens import EVERYWHERE, of_others, token_of
from storage.queries import Query, queries

_LIMIT: Final = 100
_FIRST: Final[dict[Kind, int | str]] = {Kind.ID: FIRST_ID, Kind.NUMBER: 0}


class HotQuery(NamedTuple):
    """A query and the values that it is asked with."""

    query: Query
    values: dict[str, Any]


def hot_queries(city: City) -> dict[str, HotQuery]:
    """Each by its name; of a list one for each order in which it is told."""
    named_ones = {**_by_name(city), **_of_what_is_old(city)}
    return {
        **{name: HotQuery(getattr(queries, name), values) for name, values in named_ones.items()},
        **_pages(city),
    }


def _pages(city: City) -> dict[str, HotQuery]:
    """Of every list a page in the middle of it, in each order and in both directions."""
    middle = (city.began_at + city.ended_at) // 2
    of_customer = {"customer_id": city.customer_id}
    lists: tuple[tuple[Query, Listing, dict[str, Any]], ...] = (
        (queries.list_orders, ORDERS, of_customer),
        (queries.search_orders, ORDER_SEARCH, _of_search()),
        (queries.list_gift_links_of, GIFT_LINKS, of_customer),
        (queries.list_payments_of, PAYMENTS, of_customer),
        (queries.list_payouts_of, PAYOUTS, {"courier_id": city.courier_id}),
        (queries.list_disputes, DISPUTES, {}),
        (queries.list_audit, AUDIT_LOG, {}),
        (queries.list_links, INVITATIONS, {"purpose": "invite", "now": city.ended_at}),
        (queries.list_what_ifs, WHAT_IFS, {"zone_id": city.zones[0]}),
    )
    found = {}
    for query, listing, scope in lists:
        only = tuple(one_of(one.name, one.default) for one in listing.filters if one.default)
        for order in listing.orders:
            ties = (_FIRST[one.kind] for one in listing.standing(order.name)[1:])
            beyond: Key = (middle, *ties)
            wanted = Wanted(limit=20, by=order.name, only=only, beyond=beyond)
            for way, asked in (("down", wanted), ("up", replace(wanted, descending=False))):
                page, values = statement(query, listing, asked)
                found[f"{query.name} {order.name} {way}"] = HotQuery(page, {**scope, **values})
    return found


def _by_name(city: City) -> dict[str, dict[str, Any]]:
    middle = (city.began_at + city.ended_at) // 2
    zone_id, last_hour = city.zones[0], city.ended_at - HOUR_MS
    in_zone = {"zone_id": zone_id, "since": last_hour, "until": city.ended_at}
    trail = {"courier_id": city.courier_id, "since": middle, "until": middle + HOUR_MS}
    return {
        "find_orders": {"ids": [city.order_id]},
        "cells_of_orders": {"ids": [city.order_id]},
        "open_orders_of": {"ids": [city.customer_id]},
        "load_orders": {"cell": city.cell},
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
        "find_quotes": {"ids": [named(4, 7)]},
        "list_trail": {**trail, "limit": _LIMIT},
        "first_fixes": {"couriers": [city.courier_id], "instants": [middle]},
        "last_fixes": {"cell": city.cell},
        "find_couriers": {"ids": [city.courier_id]},
        "cells_of_couriers": {"ids": [city.courier_id]},
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
        "list_due_gift_links": {"now": city.ended_at, "limit": _LIMIT},
        "count_order_tokens": {"tokens": _of_search()["other_tokens"], "most": 500},
        "orders_after": {"after": city.order_id, "limit": _LIMIT},
    }


def _of_search() -> dict[str, Any]:
    """For somebody of two names, by both of them together."""
    pair, *names = needs(sought(name_of(7)))
    return {"tokens": [token_of(EVERYWHERE, one) for one in pair], **of_others(names)}


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
