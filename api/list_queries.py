"""What each list can be asked: its filters, its order and its fields."""

from typing import Annotated, Literal

from pydantic import Field

from api.answers import OrderShown, ZoneShown
from api.deps import IdText
from api.paging import PageQuery, fields_of
from engine.kernel.pages import LAST_INSTANT
from engine.orders.order import OrderStatus
from engine.orders.search import QUERY_LETTERS_MAX

_Instant = Annotated[int, Field(ge=0, le=LAST_INSTANT)]


class OrdersQuery(PageQuery):
    """A customer's orders: in these steps, placed in this time."""

    shows = OrderShown

    limit: int = Field(default=20, ge=1, le=100, description="At most so many.")
    q: str = Field(
        default="",
        max_length=QUERY_LETTERS_MAX,
        description="Words of recipient, gift, shop or address, the code, or the end of a phone: "
        "looked for in the newest 2,000.",
    )
    status: list[OrderStatus] = Field(
        default=[], max_length=len(OrderStatus), description="In one of these steps."
    )
    placed_at_gte: _Instant | None = Field(
        default=None, alias="placed_at[gte]", description="Placed at this instant or later."
    )
    placed_at_lt: _Instant | None = Field(
        default=None, alias="placed_at[lt]", description="Placed before this instant."
    )
    sort: Literal["-placed_at", "placed_at"] = Field(
        default="-placed_at", description="Newest first, or oldest first."
    )
    fields: list[str] = fields_of(OrderShown)


class ZonesQuery(PageQuery):
    """Zones by name."""

    shows = ZoneShown

    fields: list[str] = fields_of(ZoneShown)


class AuditQuery(PageQuery):
    """The audit log: all of it, or what was done to a subject or by an actor."""

    subject: str | None = Field(
        default=None, min_length=1, max_length=100, description="Done to this, as `kind:id`."
    )
    actor: IdText | None = Field(default=None, description="Done by this user.")


class WhatIfsQuery(PageQuery):
    """What was asked of a zone."""

    limit: int = Field(default=20, ge=1, le=100, description="At most so many.")
