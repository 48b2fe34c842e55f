"""Price lines, their VAT and their sums, rounded as an invoice must be.

The rules are those of the Saudi e-invoicing standard (ZATCA, XML Implementation Standard 1.2):
BR-KSA-50 (the VAT of a line is its net amount times the rate, rounded to halalas), BR-KSA-51 (its
gross amount is net and VAT), BR-CO-17 (the VAT of the document is that of the sum of all net
amounts), BR-CO-16 (what is to be paid is the total with VAT and a rounding amount, BT-114).
"""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

VAT_PERCENT: Final = 15


class PriceLine(Struct, frozen=True, kw_only=True):
    """What is sold: a number of pieces at a price, which is with or without VAT."""

    name: str
    quantity: int = 1
    unit_halalas: int
    includes_vat: bool = False

    @property
    def asked_halalas(self) -> int:
        """What its label says, times its pieces."""
        return self.quantity * self.unit_halalas


class LineAmounts(Struct, frozen=True, kw_only=True):
    """A line on an invoice: `net` without VAT, `gross` with it."""

    line: PriceLine
    net_halalas: int
    vat_halalas: int

    @property
    def gross_halalas(self) -> int:
        """Net and VAT; a halala may lie between it and a label that includes VAT."""
        return self.net_halalas + self.vat_halalas


class Amounts(Struct, frozen=True, kw_only=True):
    """The sums of a document.

    `payable_halalas` is what labels with VAT say and what labels without VAT come to; by
    `rounding_halalas` it differs from the total with VAT, because VAT is rounded once for the
    document and not every amount is a rounded net amount and its rounded VAT.
    """

    lines: tuple[LineAmounts, ...]
    net_halalas: int
    vat_halalas: int
    payable_halalas: int

    @property
    def total_halalas(self) -> int:
        """Net and VAT."""
        return self.net_halalas + self.vat_halalas

    @property
    def rounding_halalas(self) -> int:
        """What is added to the total with VAT to come to what is paid; BT-114."""
        return self.payable_halalas - self.total_halalas


def vat_on(net_halalas: int) -> int:
    """VAT on a net amount, half a halala rounded up."""
    return (net_halalas * VAT_PERCENT * 2 + 100) // 200


def net_in(gross_halalas: int) -> int:
    """The net amount in one that includes VAT, half a halala rounded up."""
    whole = 100 + VAT_PERCENT
    return (gross_halalas * 200 + whole) // (2 * whole)


def vat_in(gross_halalas: int) -> int:
    """The VAT on the net amount in one that includes it, as a document with one line says it."""
    return vat_on(net_in(gross_halalas))


def amounts(lines: Iterable[PriceLine]) -> Amounts:
    """The lines with their VAT, and their sums."""
    worked_out = tuple(_amounts_of(one) for one in lines)
    net = sum(one.net_halalas for one in worked_out)
    with_vat = sum(one.line.asked_halalas for one in worked_out if one.line.includes_vat)
    without = sum(one.line.asked_halalas for one in worked_out if not one.line.includes_vat)
    return Amounts(
        lines=worked_out,
        net_halalas=net,
        vat_halalas=vat_on(net),
        payable_halalas=with_vat + without + vat_on(without),
    )


def _amounts_of(line: PriceLine) -> LineAmounts:
    net = net_in(line.asked_halalas) if line.includes_vat else line.asked_halalas
    return LineAmounts(line=line, net_halalas=net, vat_halalas=vat_on(net))
