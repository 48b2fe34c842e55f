"""The tax authority: the port through which documents reach it."""

from typing import Protocol

from engine.invoices.invoice import Invoice
from engine.invoices.submission import Verdict


class AuthorityUncertain(Exception):
    """No answer, or none that decides: the same document is sent again later."""


class Authority(Protocol):
    """Both methods may raise `AuthorityUncertain`, and may be repeated with the same document."""

    async def report(self, invoice: Invoice) -> Verdict:
        """Tell of a simplified document that was handed out."""
        ...

    async def clear(self, invoice: Invoice) -> Verdict:
        """Have a standard document stamped; reported instead while clearance is switched off."""
        ...
