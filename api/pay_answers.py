"""What a courier is shown of his pay, for the description of the interface."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class _Answer(BaseModel):
    model_config = ConfigDict(extra="allow")


class PayLineShown(_Answer):
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


class PayShown(_Answer):
    """What an order pays its courier; `halalas` is certain, waiting in the shop comes to it."""

    halalas: int
    lines: list[PayLineShown]
    distance_m: int
    wait_free_s: int
    wait_per_min_halalas: int
    wait_max_halalas: int
