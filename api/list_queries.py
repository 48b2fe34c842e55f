"""What each list can be asked: its filters, its order and its fields."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.answers import OrderShown, ZoneShown
from api.deps import IdText
from api.paging import PageQuery, fields_of
from engine.kernel.pages import LAST_INSTANT
from engine.orders.order import OrderStatus
from engine.orders.search import QUERY_LETTERS_MAX

_Instant = Annotated[int, Field(ge=0, le=LAST_INSTANT)]


class OrderFilters(BaseModel):
    """Which orders: in these steps, placed in this time, with these words."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    q: str = Field(
        default="",
        max_length=QUERY_LETTERS_MAX,
        description="Words of recipient, gift, shop or address, the code, or the end of a phone: "
        "looked for in the newest 2,000 (a sheet: in all).",
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


class WorkFound(BaseModel):
    """Which orders, among many: whose recipient is so called, in these steps, of this time."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    q: str = Field(
        default="",
        max_length=QUERY_LETTERS_MAX,
        description="Beginnings of the recipient's names, the code, or the end (four digits or "
        "more) of the phone; each word must be found.",
    )
    phone_suffix: str = Field(
        default="",
        pattern=r"^(\+?[0-9٠-٩۰-۹]{4,15})?$",
        description="The end of the recipient's phone: four digits or more.",
    )
    code: str = Field(default="", max_length=20, description="The order's code.")
    status: list[OrderStatus] = Field(
        default=[], max_length=len(OrderStatus), description="In one of these steps."
    )
    placed_at_gte: _Instant | None = Field(
        default=None, alias="placed_at[gte]", description="Placed at this instant or later."
    )
    placed_at_lt: _Instant | None = Field(
        default=None, alias="placed_at[lt]", description="Placed before this instant."
    )


class OrdersFound(WorkFound):
    """Which orders of one's zones."""

    zone_id: IdText | None = Field(default=None, description="Of this zone alone.")


class PastWorkSheetQuery(WorkFound):
    """Which past work is in a sheet."""


class PastWorkQuery(WorkFound, PageQuery):
    """A courier's past work."""

    limit: int = Field(default=20, ge=1, le=100, description="At most so many.")


class OrderSearchSheetQuery(OrdersFound):
    """Which found orders are in a sheet."""


class OrderSearchQuery(OrdersFound, PageQuery):
    """Orders of one's zones."""

    shows = OrderShown

    limit: int = Field(default=20, ge=1, le=100, description="At most so many.")
    sort: Literal["-placed_at", "placed_at"] = Field(
        default="-placed_at", description="Newest first, or oldest first."
    )
    fields: list[str] = fields_of(OrderShown)


class OrdersSheetQuery(OrderFilters):
    """Which orders are in a sheet."""


class OrdersQuery(OrderFilters, PageQuery):
    """A customer's orders: in these steps, placed in this time."""

    shows = OrderShown

    limit: int = Field(default=20, ge=1, le=100, description="At most so many.")
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


class StatementQuery(PageQuery):
    """What was posted to a wallet."""

    limit: int = Field(default=50, ge=1, le=200, description="At most so many.")
    before: int | None = Field(
        default=None,
        ge=1,
        le=1 << 62,
        description="The number of a transfer, to begin behind it; `cursor` does that now.",
    )
