"""How much the edge lets anybody ask of it."""

from pydantic import Field

from api.setting_group import SettingGroup


class LimitSettings(SettingGroup):
    """How often and how many at once; a request costs 1 to 20 units, by its route."""

    person_per_min: int = Field(
        default=600, ge=10, le=10**7, description="Units a person may spend in a minute."
    )
    device_per_min: int = Field(
        default=400,
        ge=10,
        le=10**7,
        description="Units one device (session) may spend in a minute.",
    )
    address_per_min: int = Field(
        default=12_000,
        ge=10,
        le=10**8,
        description="Units that callers without a token may spend in a minute from one address.",
    )
    in_flight_of_one_max: int = Field(
        default=64, ge=1, le=10_000, description="Requests of one person at once, in a process."
    )
    in_flight_max: int = Field(
        default=512,
        ge=8,
        le=100_000,
        description="Requests at once in a process; lists are let go at 60 % of it, other requests "
        "at 90 %, offers, status, log-outs and payment hooks never.",
    )
    commands_of_cell_at_once: int = Field(
        default=384,
        ge=1,
        le=20_000,
        description="Commands for one cell that a process has under way, half as many more if they "
        "are vital; the rest is not read yet.",
    )
    command_wait_s: float = Field(
        default=8.0,
        ge=0,
        le=120,
        description="Longest that a command waits until it is begun, in seconds.",
    )
    list_wait_s: float = Field(
        default=2.0,
        ge=0,
        le=60,
        description="Longest that a list waits while commands do, in seconds.",
    )
