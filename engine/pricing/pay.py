"""What a courier is paid for an order: agreed when it is offered, line by line."""

from enum import StrEnum

from msgspec import Struct

from engine.geo.parameters import ZoneParameters
from engine.kernel.timing import HOUR_MS

_PERCENT = 100
_MINUTE_S = 60


class PayLineKind(StrEnum):
    """For what something is paid."""

    BASE = "base"
    DISTANCE = "distance"
    CAR = "car"
    BONUS = "bonus"
    WAITING = "waiting"
    RETURN = "return"
    CANCELLATION = "cancellation"
    GUARANTEE = "guarantee"


class PayLine(Struct, frozen=True, kw_only=True):
    """One reason to be paid; a return that is paid less than a delivery has a line below zero."""

    kind: PayLineKind
    halalas: int


class Pay(Struct, frozen=True, kw_only=True):
    """The pay of one order, by the rules of one version of its zone's parameters.

    `lines` are certain from the start; what waiting, a return or a cancellation comes to is known
    in the end.
    """

    parameters_version: int
    distance_m: int
    lines: tuple[PayLine, ...]
    wait_free_s: int
    wait_per_min_halalas: int
    wait_max_halalas: int
    returned_percent: int
    cancelled_percent: int

    def delivered(self, waited_s: int) -> tuple[PayLine, ...]:
        """The lines of a delivery, after so much waiting in the shop."""
        begun = max(0, waited_s - self.wait_free_s) // _MINUTE_S * self.wait_per_min_halalas
        return (*self.lines, *_line(PayLineKind.WAITING, min(begun, self.wait_max_halalas)))

    def returned(self, waited_s: int) -> tuple[PayLine, ...]:
        """The lines of a gift that was brought back to its shop."""
        more = _share(total(self.lines), self.returned_percent) - total(self.lines)
        return (*self.delivered(waited_s), *_line(PayLineKind.RETURN, more))

    def cancelled(self) -> tuple[PayLine, ...]:
        """The line of an order that was cancelled before its pick-up."""
        share = _share(total(self.lines), self.cancelled_percent)
        return _line(PayLineKind.CANCELLATION, share)


def agreed_pay(
    parameters: ZoneParameters, version: int, *, distance_m: int, needs_car: bool
) -> Pay:
    """What an order pays over so many metres of road, by these parameters."""
    p = parameters
    return Pay(
        parameters_version=version,
        distance_m=distance_m,
        lines=(
            *_line(PayLineKind.BASE, p.pay_base_halalas),
            *_line(PayLineKind.DISTANCE, -(-distance_m // 1000) * p.pay_per_km_halalas),
            *_line(PayLineKind.CAR, p.pay_car_halalas if needs_car else 0),
            *_line(PayLineKind.BONUS, p.pay_bonus_halalas),
        ),
        wait_free_s=p.pay_wait_free_s,
        wait_per_min_halalas=p.pay_wait_per_min_halalas,
        wait_max_halalas=p.pay_wait_max_halalas,
        returned_percent=p.pay_returned_percent,
        cancelled_percent=p.pay_cancelled_percent,
    )


def guarantee(per_h_halalas: int, *, busy_ms: int, earned_halalas: int) -> tuple[PayLine, ...]:
    """What is missing of the hourly guarantee for so much time with orders, begun halalas up."""
    least = -(-per_h_halalas * busy_ms // HOUR_MS)
    return _line(PayLineKind.GUARANTEE, max(0, least - earned_halalas))


def total(lines: tuple[PayLine, ...]) -> int:
    """What the lines come to, in halalas."""
    return sum(one.halalas for one in lines)


def _line(kind: PayLineKind, halalas: int) -> tuple[PayLine, ...]:
    return (PayLine(kind=kind, halalas=halalas),) if halalas else ()


def _share(halalas: int, percent: int) -> int:
    return (halalas * percent + _PERCENT // 2) // _PERCENT
