"""How often a courier's phone should say where it is: often when somebody waits for him."""

from typing import Final

from engine.couriers.courier import CourierStatus

# Seconds; the wait for a pick-up or a door is watched, an idle courier must only be findable.
_INTERVAL_S: Final[dict[CourierStatus, int]] = {
    CourierStatus.OFF: 0,
    CourierStatus.BREAK: 60,
    CourierStatus.ON: 15,
    CourierStatus.OFFERED: 8,
    CourierStatus.BUSY: 4,
    CourierStatus.ENDING: 4,
}


def position_interval_s(status: CourierStatus) -> int:
    """Seconds between two positions; 0 asks for none, for where he is off duty is his own."""
    return _INTERVAL_S[status]
