"""What a gift may need of its courier beyond room: a small, closed set."""

from enum import StrEnum


class Skill(StrEnum):
    """Something that a courier is equipped or trained for."""

    COLD = "cold"
    FRAGILE = "fragile"
    UPRIGHT = "upright"
    HEAVY = "heavy"
