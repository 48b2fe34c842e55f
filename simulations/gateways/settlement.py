"""Settlement files as Moyasar writes them, with the fees that the local payment server takes."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from engine.payments.gateways import Network
from engine.pricing.lines import vat_on
from simulations.gateways.till import Till

HEAD: Final = ("payment_id", "type", "currency", "amount", "fee", "vat", "order_id")
_KINDS: Final = {"capture": "pay", "refund": "refund", "void": "void"}
# Made up: in basis points of what is paid, and for each payment. A refund costs nothing.
_RATES: Final = {Network.MADA: (100, 0)}
_OTHERS: Final = (250, 100)


def write_settlement(till: Till, moves: Sequence[tuple[str, str, int]], file: Path) -> int:
    """Write what moved, a row for each; how many halalas the gateway pays out for it."""
    paid = 0
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(HEAD)
        for verb, charge_id, amount in moves:
            charge, kind = till.charges[charge_id], _KINDS[verb]
            fee = fee_of(charge.card.network, amount) if kind == "pay" else 0
            vat = vat_on(fee)
            paid += {"pay": amount, "refund": -amount, "void": 0}[kind] - fee - vat
            money = (f"{one / 100:.2f}" for one in (amount, fee, vat))
            order_id = (charge.more.get("metadata") or {}).get("order_id", "")
            writer.writerow((charge_id, kind, charge.currency, *money, order_id))
    return paid


def fee_of(network: Network, amount: int) -> int:
    """What is kept of a payment, before VAT; of halalas in halalas, of cents in cents."""
    points, each = _RATES.get(network, _OTHERS)
    return (amount * points + 5_000) // 10_000 + each
