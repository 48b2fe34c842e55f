"""The company that a customer orders for: invoices are made out to it, as standard ones."""

from msgspec import Struct

from engine.invoices.invoice import Party
from engine.kernel.ids import UserId
from engine.kernel.refusals import RefusalKind, declare
from engine.kernel.timing import Instant


class Buyer(Struct, frozen=True, kw_only=True):
    """For whom a customer buys, since when; a note goes to whom its invoice went to."""

    customer_id: UserId
    party: Party
    made_at: Instant


NO_COMPANY = declare(
    "no_company",
    RefusalKind.NOT_FOUND,
    en="No company is kept: your invoices are simplified ones.",
    ar="لا توجد شركة محفوظة: فواتيرك مبسطة.",
)
NO_STANDARD_INVOICES = declare(
    "no_standard_invoices",
    RefusalKind.CONFLICT,
    en="No invoices are made out to companies here.",
    ar="لا تصدر هنا فواتير باسم الشركات.",
)
