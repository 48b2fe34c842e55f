"""A document's way onto paper: printed in the background soon after it was issued, tried again."""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from engine.invoices.invoice import Invoice, InvoiceId
from engine.kernel.backoff import Backoff
from engine.kernel.timing import HOUR_MS, MINUTE_MS, Instant

# Longer than one may take: nobody else prints it meanwhile.
_BACKOFF: Final = Backoff(first_ms=MINUTE_MS, most_ms=HOUR_MS)


class DuePrint(Struct, frozen=True, kw_only=True):
    """A document without a PDF; `tries` counts beginnings, `due_at` is when the next may be."""

    id: InvoiceId
    version: int = 1
    tries: int = 0
    due_at: Instant


def awaited(invoice: Invoice) -> DuePrint:
    """What is to be printed of a document that was issued now."""
    return DuePrint(id=invoice.id, due_at=invoice.draft.issued_at)


def begun(print_: DuePrint, *, now: Instant) -> DuePrint:
    """As it is written down before it is printed, so that one prints it, and again if he dies."""
    return replace(
        print_,
        version=print_.version + 1,
        tries=print_.tries + 1,
        due_at=now + _BACKOFF.wait_ms(print_.tries),
    )
