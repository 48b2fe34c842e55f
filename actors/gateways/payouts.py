"""Payout providers: the port that each of them is reached through."""

from typing import Protocol

from engine.payouts.payout import BankAccount, Payout, PayoutStatement


class PayoutUncertain(Exception):
    """No answer, or none that says what happened: it may have been done, or may yet be."""


class PayoutRejected(Exception):
    """The provider refuses what it was asked for: it was not done, and the text says why."""


class PayoutGateway(Protocol):
    """Sends money to banks. Both methods may raise `PayoutUncertain`."""

    async def send(self, payout: Payout, to: BankAccount) -> PayoutStatement:
        """Ask for it, once; raises `PayoutRejected`."""
        ...

    async def find(self, payout: Payout) -> PayoutStatement | None:
        """How it stands, by our own number; None when the provider knows nothing of it."""
        ...
