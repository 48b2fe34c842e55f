"""What every gateway keeps, whatever its protocol: charges, and how much of each was moved."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from actors.clock import Clock, SystemClock
from engine.kernel.timing import Instant
from simulations.gateways.cards import BY_NUMBER, MagicCard


class Refused(Exception):
    """What is asked for cannot be done; the text is its stable name."""


class ChargeStatus(StrEnum):
    """Where a charge stands."""

    CHALLENGED = "challenged"
    AUTHORISED = "authorised"
    CAPTURED = "captured"
    DECLINED = "declined"
    VOIDED = "voided"


@dataclass(kw_only=True, slots=True)
class Charge:
    """One charge; `is_held` when it is only to be authorised."""

    id: str
    amount: int
    currency: str
    card: MagicCard
    is_held: bool
    status: ChargeStatus
    callback_url: str = ""
    captured: int = 0
    refunded: int = 0
    more: dict[str, Any] = field(default_factory=dict)


@dataclass(kw_only=True, slots=True)
class Till:
    """All charges and tokens of one gateway, and what money really moved, at which times."""

    charges: dict[str, Charge] = field(default_factory=dict)
    tokens: dict[str, MagicCard] = field(default_factory=dict)
    moves: list[tuple[str, str, int]] = field(default_factory=list)
    moved_at: list[Instant] = field(default_factory=list)
    clock: Clock = field(default_factory=SystemClock)

    def tokenise(self, number: str) -> tuple[str, MagicCard]:
        """A token for a card; raises `Refused` for one that is none of ours."""
        card = BY_NUMBER.get(number.replace(" ", ""))
        if card is None:
            raise Refused("card_number_invalid")
        token = f"token_{len(self.tokens) + 1:06d}{card.number[-4:]}"
        self.tokens[token] = card
        return token, card

    def charge(
        self,
        charge_id: str,
        *,
        amount: int,
        currency: str,
        card: MagicCard,
        is_held: bool,
        callback_url: str = "",
    ) -> Charge:
        """Charge a card; the same id again is the same charge."""
        known = self.charges.get(charge_id)
        if known is not None:
            return known
        made = Charge(
            id=charge_id,
            amount=amount,
            currency=currency,
            card=card,
            is_held=is_held,
            status=ChargeStatus.CHALLENGED,
            callback_url=callback_url,
        )
        self.charges[charge_id] = made
        if not card.challenged:
            self.answer(made, is_approved=True)
        return made

    def answer(self, charge: Charge, *, is_approved: bool) -> None:
        """The bank's word, or the customer's to his bank."""
        if charge.status is not ChargeStatus.CHALLENGED:
            return
        if charge.card.declined or not is_approved:
            charge.status = ChargeStatus.DECLINED
        elif charge.is_held:
            charge.status = ChargeStatus.AUTHORISED
        else:
            self._capture(charge, charge.amount)

    def capture(self, charge: Charge, amount: int | None) -> None:
        """Take what is held, or a part of it; the rest is free."""
        if charge.status is not ChargeStatus.AUTHORISED:
            raise Refused("not_authorised")
        if not 0 < (amount or charge.amount) <= charge.amount:
            raise Refused("amount_invalid")
        self._capture(charge, amount or charge.amount)

    def void(self, charge: Charge) -> None:
        """Let go of what is held."""
        if charge.status is not ChargeStatus.AUTHORISED:
            raise Refused("not_voidable")
        charge.status = ChargeStatus.VOIDED
        self._moved("void", charge, charge.amount)

    def refund(self, charge: Charge, amount: int | None) -> None:
        """Give back; never more than was taken."""
        left = charge.captured - charge.refunded
        if charge.status is not ChargeStatus.CAPTURED or not 0 < (amount or left) <= left:
            raise Refused("not_refundable")
        charge.refunded += amount or left
        self._moved("refund", charge, amount or left)

    def _capture(self, charge: Charge, amount: int) -> None:
        charge.status, charge.captured = ChargeStatus.CAPTURED, amount
        self._moved("capture", charge, amount)

    def _moved(self, verb: str, charge: Charge, amount: int) -> None:
        self.moves.append((verb, charge.id, amount))
        self.moved_at.append(self.clock.now())

    def kept(self) -> int:
        """All that was taken and not given back."""
        return sum(one.captured - one.refunded for one in self.charges.values())
