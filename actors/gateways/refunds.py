"""Refunds: the port through which money goes back, and the stand-in that only says so."""

from typing import Protocol

import structlog


class Refunds(Protocol):
    """Gives money back."""

    async def refund(self, reference: str, halalas: int, key: str) -> None:
        """Give so much of what `reference` was paid back; the same key again is the same refund.

        Whatever it raises means that it is tried again later.
        """
        ...


class ToldRefunds:
    """Satisfies `Refunds` by writing each into the log, for whoever has no payments yet."""

    async def refund(self, reference: str, halalas: int, key: str) -> None:
        """Say what is owed."""
        structlog.get_logger(__name__).info(
            "refund_due", reference=reference, halalas=halalas, key=key
        )
