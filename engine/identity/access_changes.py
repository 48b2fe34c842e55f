"""What somebody is told of when the way into his account changes, so that he hears of a thief."""

from enum import StrEnum

from engine.kernel.ids import EffectId, UserId, derived_id
from engine.kernel.messages import Effect, Role


class AccessChange(StrEnum):
    """What became of a way in."""

    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - what became of it
    FACTORS_CHANGED = "factors_changed"
    NEW_DEVICE = "new_device"


class TellAccessChange(Effect, frozen=True, kw_only=True, tag=True):
    """A message to whose account it is: what stands in it is made when it leaves.

    `role` is the one in which he did it; None where that is open.
    """

    user_id: UserId
    role: Role | None
    change: AccessChange


def telling(
    user_id: UserId, role: Role | None, change: AccessChange, *, of: str
) -> TellAccessChange:
    """The message about one change, which `of` names: the same change is told once."""
    made = EffectId(derived_id("access", user_id, change, of))
    return TellAccessChange(id=made, user_id=user_id, role=role, change=change)
