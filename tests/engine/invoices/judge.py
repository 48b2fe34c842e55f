"""A judge of our documents who is not ours: the schema of UBL 2.1 and the published rules.

fatoority carries the schema, and both lists of rules of the tax authority's own validator (SDK
3.4.8: EN 16931 as the Kingdom takes it, and what it adds), computed anew without Java.
"""

from typing import Any

import pytest

from engine.invoices.ubl import local
from engine.kernel.timing import Instant

Found = set[tuple[str, str]]


def judged(xml: bytes, previous_hash: str, *, at: Instant, is_simplified: bool = True) -> Found:
    """What is wrong with a document that is sent at an instant; every stage was gone through."""
    fatoora: Any = pytest.importorskip("fatoora", reason="fatoority has no wheel for this machine")
    with fatoora.Config() as config:
        report = fatoora.validate_zatca_invoice_from_str(
            config,
            xml.decode(),
            previous_invoice_hash=previous_hash,
            # The authority's day, which begins three hours before that of UTC.
            evaluated_at=local(at).isoformat(),
        )
    found = {
        (stage["stage"], one["code"]) for stage in report["stages"] for one in stage["findings"]
    }
    status = {one["stage"]: one["status"] for one in report["stages"]}
    counts = {one["stage"]: len(one["evaluated_assertions"]) for one in report["stages"]}
    assert found or (counts["cen"] >= 105 and counts["ksa"] >= 152)
    assert list(status) == ["xsd", "cen", "ksa", "signature", "qr", "previous_invoice_hash"]
    if not found:
        # The authority stamps a standard document itself.
        stamped = "completed" if is_simplified else "not_applicable"
        assert (status["signature"], status["qr"]) == (stamped, stamped)
    return found
