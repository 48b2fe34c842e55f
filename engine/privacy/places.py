"""Every place in which something of a person can be, and what becomes of it when he is erased.

A declared graph: `found_by` are the places by whose rows a place's own are found, so that those
rows are dealt with first. A test holds it and the database's schema together.
"""

from enum import StrEnum
from graphlib import TopologicalSorter
from typing import Final

from msgspec import Struct


class PlaceKind(StrEnum):
    """What sort of memory it is."""

    TABLE = "table"
    VALKEY = "valkey"
    OBJECTS = "objects"
    FILE = "file"
    LOG = "log"


class Fate(StrEnum):
    """What becomes of what a place has of somebody who is erased."""

    DELETE = "delete"
    REDACT = "redact"
    HOLD = "hold"
    IDS = "ids"
    EXPIRE = "expire"
    NOBODY = "nobody"


class DataPlace(Struct, frozen=True, kw_only=True):
    """`why` says what is kept and why, or what makes it go by itself."""

    name: str
    kind: PlaceKind = PlaceKind.TABLE
    fate: Fate
    why: str = ""
    found_by: tuple[str, ...] = ()
    is_told: bool = False


F, K = Fate, PlaceKind
_TAX: Final = "the tax authority may ask for it for six years"
_PROOF: Final = "proof of what was asked, agreed to and done"

PLACES: Final[tuple[DataPlace, ...]] = (
    # Who he is.
    DataPlace(name="users", fate=F.DELETE, is_told=True),
    DataPlace(name="profiles", fate=F.DELETE, found_by=("users",), is_told=True),
    DataPlace(name="staff", fate=F.DELETE, found_by=("users",), is_told=True),
    DataPlace(name="challenges", fate=F.DELETE, found_by=("users",)),
    DataPlace(
        name="sessions",
        fate=F.REDACT,
        why="that one has ended must be known until its last token has expired",
        found_by=("users",),
        is_told=True,
    ),
    DataPlace(name="links", fate=F.EXPIRE, why="a month after a link's last day"),
    DataPlace(name="code_tallies", fate=F.EXPIRE, why="a day at most"),
    DataPlace(name="kept_answers", fate=F.EXPIRE, why="sealed, and a day"),
    # What he ordered, received and carried.
    DataPlace(
        name="orders",
        fate=F.REDACT,
        why="what was sold and when; who received it, where, and every free text go",
        found_by=("users",),
        is_told=True,
    ),
    DataPlace(name="offers", fate=F.REDACT, found_by=("orders",)),
    DataPlace(name="events", fate=F.REDACT, found_by=("orders", "couriers"), is_told=True),
    DataPlace(name="answers", fate=F.DELETE, found_by=("orders", "couriers", "events")),
    DataPlace(name="waits", fate=F.DELETE, found_by=("orders",)),
    DataPlace(
        name="order_tokens",
        fate=F.DELETE,
        why="but those of an order's code and of who carried it",
        found_by=("orders",),
    ),
    DataPlace(name="walks", fate=F.NOBODY),
    DataPlace(name="assignments", fate=F.IDS, why="who carried what"),
    DataPlace(name="quotes", fate=F.REDACT, found_by=("users",), is_told=True),
    DataPlace(name="gift_links", fate=F.REDACT, found_by=("users",), is_told=True),
    DataPlace(
        name="chat_messages",
        fate=F.REDACT,
        why="that he wrote, and when; the words go, of his own orders also the others'",
        found_by=("users", "orders"),
        is_told=True,
    ),
    DataPlace(name="conversations", fate=F.IDS, why="how far which courier had read"),
    DataPlace(name="outbox", fate=F.DELETE, found_by=("users", "orders")),
    DataPlace(name="couriers", fate=F.REDACT, found_by=("users",), is_told=True),
    DataPlace(name="trail", fate=F.DELETE, found_by=("couriers",), is_told=True),
    # Money.
    DataPlace(name="invoices", fate=F.HOLD, why=_TAX, found_by=("orders",), is_told=True),
    DataPlace(name="invoice_buyers", fate=F.DELETE, found_by=("users",), is_told=True),
    DataPlace(name="invoice_prints", fate=F.HOLD, why=_TAX),
    DataPlace(name="invoice_prints_due", fate=F.NOBODY),
    DataPlace(name="invoice_submissions", fate=F.HOLD, why=_TAX),
    DataPlace(name="invoice_units", fate=F.NOBODY),
    DataPlace(name="unit_certificates", fate=F.NOBODY),
    DataPlace(name="ledger_entries", fate=F.HOLD, why=_TAX, found_by=("users",), is_told=True),
    DataPlace(name="ledger_further_legs", fate=F.HOLD, why=_TAX),
    DataPlace(name="ledger_accounts", fate=F.HOLD, why=_TAX),
    DataPlace(name="ledger_head", fate=F.NOBODY),
    DataPlace(name="jobs", fate=F.NOBODY),
    DataPlace(name="ledger_closings", fate=F.IDS, why="which admin closed which month"),
    DataPlace(
        name="payments",
        fate=F.REDACT,
        why="what was paid; the order that waits in it and the card go",
        found_by=("users", "orders"),
        is_told=True,
    ),
    DataPlace(name="payment_events", fate=F.HOLD, why=_TAX),
    DataPlace(name="payment_notices", fate=F.IDS, why="which notices were heard"),
    DataPlace(name="saved_methods", fate=F.DELETE, found_by=("users",), is_told=True),
    DataPlace(name="drafts", fate=F.DELETE, found_by=("users",), is_told=True),
    DataPlace(name="sheets", fate=F.DELETE, why="a day", found_by=("users",)),
    DataPlace(name="sheet_files", fate=F.EXPIRE, why="with its sheet"),
    DataPlace(name="bank_accounts", fate=F.DELETE, found_by=("couriers",)),
    DataPlace(name="payouts", fate=F.HOLD, why=_TAX, found_by=("couriers",), is_told=True),
    DataPlace(name="disputes", fate=F.HOLD, why=_TAX),
    DataPlace(name="settlement_runs", fate=F.HOLD, why=_TAX),
    DataPlace(name="settlement_breaks", fate=F.HOLD, why=_TAX),
    DataPlace(name="settlement_feeds", fate=F.NOBODY),
    # What he sent.
    DataPlace(
        name="uploads",
        fate=F.DELETE,
        why="but what proves another's delivery, which goes with that order's",
        found_by=("users", "orders"),
        is_told=True,
    ),
    DataPlace(name="files", kind=K.OBJECTS, fate=F.DELETE, found_by=("uploads",)),
    # What he asked of us, and what those in charge did.
    DataPlace(name="consents", fate=F.HOLD, why=_PROOF, is_told=True),
    DataPlace(name="privacy_requests", fate=F.HOLD, why=_PROOF, is_told=True),
    DataPlace(name="exports", fate=F.DELETE, found_by=("users",)),
    DataPlace(
        name="audit_log",
        fate=F.REDACT,
        why="acts stay, by ids; from where and why they were done goes",
        found_by=("users",),
        is_told=True,
    ),
    DataPlace(
        name="refused_tries", fate=F.EXPIRE, why="months, by ids and by hashes that lead nowhere"
    ),
    DataPlace(name="audit_head", fate=F.NOBODY),
    # The service itself.
    DataPlace(name="zones", fate=F.NOBODY),
    DataPlace(name="zone_cells", fate=F.NOBODY),
    DataPlace(name="zone_parameters", fate=F.IDS, why="which operator turned what"),
    DataPlace(name="what_ifs", fate=F.IDS, why="which operator asked what"),
    DataPlace(name="order_steps", fate=F.NOBODY),
    DataPlace(name="order_transitions", fate=F.NOBODY),
    DataPlace(name="retention_marks", fate=F.NOBODY),
    DataPlace(name="_pogo_migration", fate=F.NOBODY),
    DataPlace(name="_pogo_version", fate=F.NOBODY),
    # Beside the database.
    DataPlace(
        name="hadiyati:live",
        kind=K.VALKEY,
        fate=F.DELETE,
        why="the stream goes when a frame about him is in it",
        found_by=("users", "orders"),
    ),
    DataPlace(name="hadiyati:fixes:*", kind=K.VALKEY, fate=F.DELETE, found_by=("couriers",)),
    DataPlace(name="hadiyati:rate:*", kind=K.VALKEY, fate=F.EXPIRE, why="minutes, by ids"),
    DataPlace(
        name="sms.jsonl, mail.jsonl",
        kind=K.FILE,
        fate=F.EXPIRE,
        why="of the development gateways alone: messages that leave are kept nowhere",
    ),
    DataPlace(name="process logs", kind=K.LOG, fate=F.IDS, why="nothing personal is logged"),
)
TABLES: Final = {one.name: one for one in PLACES if one.kind is PlaceKind.TABLE}
TOLD: Final = tuple(one.name for one in PLACES if one.is_told)


def erasure_order() -> tuple[str, ...]:
    """The tables that are changed, each before those by whose rows its own are found."""
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for one in TABLES.values():
        sorter.add(one.name)
        for other in one.found_by:
            sorter.add(other, one.name)
    changed = {F.DELETE, F.REDACT}
    return tuple(name for name in sorter.static_order() if TABLES[name].fate in changed)
