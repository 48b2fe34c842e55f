"""What each list can be asked over REST, said once: how it is read and how it is described."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from msgspec import Struct

from api.errors import Fault, Invalid
from engine import listings
from engine.kernel.filters import Column, Condition, Kind, Operator
from engine.kernel.listing import Listing
from engine.kernel.pages import LAST_INSTANT
from engine.orders.search import QUERY_LETTERS_MAX

LIMIT_MAX: Final = 100
CURSOR_LETTERS_MAX: Final = 4_000
NUMBER_MAX: Final = 1 << 62
TEXT_LETTERS_MAX: Final = 100
FIELDS: Final = "fields"
_UUID: Final = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
_WHOLE: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,18})")
_SCHEMA: Final[dict[Kind, dict[str, Any]]] = {
    Kind.INSTANT: {"type": "integer", "minimum": 0, "maximum": LAST_INSTANT},
    Kind.NUMBER: {"type": "integer", "minimum": 0, "maximum": NUMBER_MAX},
    Kind.ID: {"type": "string", "pattern": _UUID},
    Kind.TEXT: {"type": "string", "minLength": 1, "maxLength": TEXT_LETTERS_MAX},
}
_EXAMPLE: Final[dict[Kind, int | str]] = {
    Kind.INSTANT: 1_793_000_000_000,
    Kind.NUMBER: 10_000,
    Kind.ID: "01890abc-0000-7000-8000-00000000000d",
    Kind.TEXT: "zone:01890abc-0000-7000-8000-00000000000d",
}
_WORDS: Final = {
    Operator.IS: "",
    Operator.GT: " After this.",
    Operator.GTE: " At this or after it.",
    Operator.LT: " Before this.",
    Operator.LTE: " At this or before it.",
}
_WORDS_OF_NUMBERS: Final = {
    Operator.GT: " More than this.",
    Operator.GTE: " This or more.",
    Operator.LT: " Less than this.",
    Operator.LTE: " This or less.",
}


class Parameter(Struct, frozen=True, kw_only=True):
    """One parameter of a query: its JSON schema is both its description and what it must be.

    `must` tells what a pattern means.
    """

    name: str
    says: str
    schema: dict[str, Any]
    example: object = None
    must: str = "be an id"

    def read(self, texts: Sequence[str]) -> Any:  # noqa: ANN401 - as its schema says
        """The value; raises `Invalid`."""
        if self.schema["type"] == "array":
            return self._several([one for text in texts for one in text.split(",")])
        if len(texts) > 1:
            raise self._fault("is given more than once")
        return self._one(self.schema, texts[0])

    def _several(self, texts: Sequence[str]) -> tuple[str, ...]:
        if len(texts) > self.schema["maxItems"]:
            raise self._fault(f"must be at most {self.schema['maxItems']}")
        return tuple(sorted({self._one(self.schema["items"], one) for one in texts}))

    def _one(self, schema: dict[str, Any], text: str) -> Any:  # noqa: ANN401 - as its schema says
        if schema["type"] == "integer":
            return self._number(schema, text)
        if "enum" in schema and text not in schema["enum"]:
            raise self._fault("must be one of those that are allowed", schema["enum"])
        if "pattern" in schema and not re.search(schema["pattern"], text):
            raise self._fault(f"must {self.must}")
        least, most = schema.get("minLength", 0), schema.get("maxLength", len(text))
        if not least <= len(text) <= most or "\0" in text:
            raise self._fault(f"must have {least} to {most} letters, and no NUL")
        return text

    def _number(self, schema: dict[str, Any], text: str) -> int:
        least, most = schema["minimum"], schema["maximum"]
        if not _WHOLE.fullmatch(text) or not least <= int(text) <= most:
            raise self._fault(f"must be a whole number from {least} to {most}")
        return int(text)

    def _fault(self, message: str, allowed: Iterable[str] = ()) -> Invalid:
        return Invalid(f"/query/{self.name}", message, allowed=tuple(allowed))


class Asked(Struct, frozen=True, kw_only=True):
    """Which rows of a list, in which order; `beside` are values that are no filters of columns."""

    by: str = ""
    descending: bool = True
    only: tuple[Condition, ...] = ()
    beside: dict[str, int | str] = {}


class Query:
    """What one list can be asked. One that is not paged is a sheet of all that is asked for.

    `beside` are parameters of its own that are no filters of columns.
    """

    def __init__(
        self,
        listing: Listing,
        *,
        limit: int = LIMIT_MAX,
        limit_max: int = LIMIT_MAX,
        beside: tuple[Parameter, ...] = (),
        is_paged: bool = True,
    ) -> None:
        self.listing = listing
        self.limit = limit
        self._beside = beside
        self._is_paged = is_paged
        self._filters = [
            (_filter(column, operator), column, operator)
            for column in listing.filters
            for operator in column.operators
        ]
        filters = [one for one, _, _ in self._filters]
        paging = (_sort(listing), _limit(limit, limit_max), CURSOR) if is_paged else ()
        self.parameters = (*beside, *filters, *paging)
        self._known = {one.name: one for one in self.parameters}

    def read(self, given: dict[str, list[str]]) -> tuple[Asked, dict[str, Any]]:
        """What is asked for, and the values of all that was given; raises `Invalid`, once for all.

        Nothing that is not known is let pass: a misspelt filter must not look like none.
        """
        values: dict[str, Any] = {}
        faults: list[Fault] = []
        for name, texts in given.items():
            if name == FIELDS and self._is_paged:
                continue
            try:
                if name not in self._known:
                    raise self._unknown(name)
                values[name] = self._known[name].read(texts)
            except Invalid as error:
                faults += error.faults
        if faults:
            raise Invalid.of(faults)
        return self._asked(values), values

    def _asked(self, values: dict[str, Any]) -> Asked:
        only = []
        for parameter, column, operator in self._filters:
            value = values.get(parameter.name, column.default or None)
            if value is not None:
                is_only_one = isinstance(value, tuple) and len(value) == 1
                condition = Condition(column.name, operator, value[0] if is_only_one else value)
                only.append(condition)
        beside = {one.name: values[one.name] for one in self._beside if one.name in values}
        sort = values.get("sort") or self._order_of({one.column for one in only})
        return Asked(
            by=sort.removeprefix("-"),
            descending=sort.startswith("-"),
            only=tuple(only),
            beside=beside,
        )

    def _order_of(self, filtered: set[str]) -> str:
        """In the order of what is filtered by, where there is one: its index then has the rows."""
        ways = "-" if self.listing.descending else ""
        found = (one.name for one in self.listing.orders if one.name in filtered)
        return ways + next(found, self.listing.orders[0].name)

    def _unknown(self, name: str) -> Invalid:
        known = tuple(self._known)
        column = name.partition("[")[0]
        near = tuple(one for one in known if one.partition("[")[0] == column)
        message = "cannot be compared so" if near else "is not known here"
        names = known if near or not self._is_paged else (*known, FIELDS)
        return Invalid(f"/query/{name[:100]}", message, allowed=near or names)


def _default_sort(listing: Listing) -> str:
    return ("-" if listing.descending else "") + listing.orders[0].name


def _sort(listing: Listing) -> Parameter:
    first = _default_sort(listing)
    names = [one.name for one in listing.orders]
    choices = sorted({*names, *(f"-{one}" for one in names)}, key=lambda one: (one != first, one))
    return Parameter(
        name="sort",
        says="By this, rising; with a minus falling.",
        schema={"type": "string", "enum": choices, "default": first},
        example=first,
    )


def _limit(limit: int, most: int) -> Parameter:
    return Parameter(
        name="limit",
        says="At most so many.",
        schema={"type": "integer", "minimum": 1, "maximum": most, "default": limit},
        example=limit,
    )


def _filter(column: Column, operator: Operator) -> Parameter:
    words = _WORDS_OF_NUMBERS if column.kind is Kind.NUMBER else _WORDS
    name = column.name if operator is Operator.IS else f"{column.name}[{operator.value}]"
    says = column.says + words.get(operator, "")
    if column.kind is not Kind.CHOICE:
        schema, example = _SCHEMA[column.kind], _EXAMPLE[column.kind]
        return Parameter(name=name, says=says, schema=schema, example=example)
    one = {"type": "string", "enum": list(column.choices)}
    if column.is_single:
        default = {"default": column.default} if column.default else {}
        return Parameter(name=name, says=says, schema=one | default, example=column.choices[0])
    several = {"type": "array", "items": one, "maxItems": len(column.choices)}
    return Parameter(name=name, says=says, schema=several, example=list(column.choices[-2:]))


CURSOR: Final = Parameter(
    name="cursor",
    says="`next` or `previous` of another page of this list; filters and order are in it.",
    schema={"type": "string", "maxLength": CURSOR_LETTERS_MAX, "default": ""},
)
_BEFORE: Final = Parameter(
    name="before",
    says="The number of a transfer, to begin behind it; `cursor` does that now.",
    schema={"type": "integer", "minimum": 1, "maximum": NUMBER_MAX},
    example=17,
)
_Q: Final = Parameter(
    name="q",
    says="Words of recipient, gift, shop or address, the code, or the end of a phone: "
    "looked for in the newest 2,000 (a sheet: in all).",
    schema={"type": "string", "maxLength": QUERY_LETTERS_MAX, "default": ""},
    example="نورة",
)
_FINDING: Final = (
    Parameter(
        name="q",
        says="Beginnings of the recipient's names, the code, or the end (four digits or more) of "
        "the phone; each word must be found.",
        schema={"type": "string", "maxLength": QUERY_LETTERS_MAX, "default": ""},
        example="نورة",
    ),
    Parameter(
        name="phone_suffix",
        says="The end of the recipient's phone: four digits or more.",
        schema={"type": "string", "pattern": r"^(\+?[0-9٠-٩۰-۹]{4,15})?$", "default": ""},
        example="4567",
        must="be four to fifteen digits",
    ),
    Parameter(
        name="code",
        says="The order's code.",
        schema={"type": "string", "maxLength": 20, "default": ""},
        example="K7M2QX",
    ),
)
ORDERS: Final = Query(listings.ORDERS, limit=20, beside=(_Q,))
ORDERS_SHEET: Final = Query(listings.ORDERS, beside=(_Q,), is_paged=False)
ORDER_SEARCH: Final = Query(listings.ORDER_SEARCH, limit=20, beside=_FINDING)
ORDER_SEARCH_SHEET: Final = Query(listings.ORDER_SEARCH, beside=_FINDING, is_paged=False)
CHAT_MESSAGES: Final = Query(listings.CHAT_MESSAGES, limit=50)
PAST_WORK: Final = Query(listings.PAST_WORK, limit=20, beside=_FINDING)
PAST_WORK_SHEET: Final = Query(listings.PAST_WORK, beside=_FINDING, is_paged=False)
PAYMENTS: Final = Query(listings.PAYMENTS)
PAYMENTS_SHEET: Final = Query(listings.PAYMENTS, is_paged=False)
PAYMENT_SEARCH: Final = Query(listings.PAYMENT_SEARCH)
PAYMENT_SEARCH_SHEET: Final = Query(listings.PAYMENT_SEARCH, is_paged=False)
PAYOUTS: Final = Query(listings.PAYOUTS)
GIFT_LINKS: Final = Query(listings.GIFT_LINKS)
DISPUTES: Final = Query(listings.DISPUTES)
PRIVACY_REQUESTS: Final = Query(listings.PRIVACY_REQUESTS)
OPEN_PRIVACY_REQUESTS: Final = Query(listings.OPEN_PRIVACY_REQUESTS)
CONSENTS: Final = Query(listings.CONSENTS)
INVITATIONS: Final = Query(listings.INVITATIONS)
AUDIT_LOG: Final = Query(listings.AUDIT_LOG)
SUBMISSIONS: Final = Query(listings.SUBMISSIONS)
REFUSED_TRIES: Final = Query(listings.REFUSED_TRIES)
SETTLEMENT_RUNS: Final = Query(listings.SETTLEMENT_RUNS)
SETTLEMENT_BREAKS: Final = Query(listings.SETTLEMENT_BREAKS)
SHEETS: Final = Query(listings.SHEETS, limit=20)
WHAT_IFS: Final = Query(listings.WHAT_IFS, limit=20)
STATEMENT: Final = Query(listings.STATEMENT, limit=50, limit_max=200, beside=(_BEFORE,))
PAYMENT_HISTORY: Final = Query(listings.PAYMENT_HISTORY, limit=50, limit_max=200)
PAYMENT_HISTORY_SHEET: Final = Query(listings.PAYMENT_HISTORY, is_paged=False)
ZONES: Final = Query(listings.ZONES)
PARAMETERS: Final = Query(listings.PARAMETERS)
TIMELINE: Final = Query(listings.TIMELINE)
OFFERS: Final = Query(listings.OFFERS)
