"""The tax authority: the port through which documents reach it, and certificates come."""

from collections.abc import Sequence
from typing import Protocol

from engine.invoices.invoice import Invoice
from engine.invoices.onboarding import Csid
from engine.invoices.submission import Remark, Verdict


class AuthorityUncertain(Exception):
    """No answer, or none that decides: the same document is sent again later."""


class CsidRefused(Exception):
    """The authority says no, and why."""

    def __init__(self, remarks: Sequence[Remark]) -> None:
        super().__init__("; ".join(f"{one.code}: {one.text}" for one in remarks))
        self.remarks = tuple(remarks)


class CsidAuthority(Protocol):
    """Every method may raise `AuthorityUncertain` or `CsidRefused`."""

    async def recognise(self, request: str, *, otp: str) -> Csid:
        """A compliance CSID for a signing request (PEM)."""
        ...

    async def check(self, invoice: Invoice, *, csid: Csid) -> None:
        """Have one document judged under a compliance CSID."""
        ...

    async def certify(self, csid: Csid) -> Csid:
        """The production CSID for a compliance CSID whose documents have passed."""
        ...

    async def renew(self, request: str, *, csid: Csid, otp: str) -> tuple[Csid, bool]:
        """A further CSID for who has one, and whether it is a production CSID already."""
        ...


class Authority(Protocol):
    """What is sent may raise `AuthorityUncertain`, and may be repeated with the same document."""

    async def is_open(self) -> bool:
        """Whether our unit has a certificate by which it is known there."""
        ...

    async def report(self, invoice: Invoice) -> Verdict:
        """Tell of a simplified document that was handed out."""
        ...

    async def clear(self, invoice: Invoice) -> Verdict:
        """Have a standard document stamped; reported instead while clearance is switched off."""
        ...
