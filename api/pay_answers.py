"""What a courier is shown of his pay, for the description of the interface."""

from typing import Literal

from api.answer import Answer


class PayLineShown(Answer):
    """One reason to be paid; the line of a return may be below zero."""

    kind: Literal[
        "base",
        "distance",
        "car",
        "bonus",
        "waiting",
        "return",
        "cancellation",
        "guarantee",
    ]
    halalas: int


class PayShown(Answer):
    """What an order pays its courier; `halalas` is certain, waiting in the shop comes to it."""

    halalas: int
    lines: list[PayLineShown]
    distance_m: int
    wait_free_s: int
    wait_per_min_halalas: int
    wait_max_halalas: int
