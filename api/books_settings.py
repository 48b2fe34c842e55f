"""When the books are kept by themselves."""

from pathlib import Path

from pydantic import Field

from api.setting_group import SettingGroup
from engine.payments.gateways import GatewayName


class BooksSettings(SettingGroup):
    """What runs at which hour in Riyadh; weekly payouts have theirs among the payouts."""

    points_hour: int = Field(
        default=2, ge=0, le=23, description="The hour at which points become spendable or expire."
    )
    reconciliation_hour: int = Field(
        default=4, ge=0, le=23, description="The hour at which settlement files are reconciled."
    )
    settlement_folder: Path | None = Field(
        default=None,
        description="Where settlement files (`*.csv`) of gateways are put that nobody fetches.",
    )
    fetch_settlements: frozenset[GatewayName] = Field(
        default=frozenset(),
        description="The gateways whose settlements are fetched at that hour, of `moyasar`,"
        " `stripe`, `paypal`.",
    )
    first_fetch_days: int = Field(
        default=7,
        ge=1,
        le=365,
        description="How far back a gateway is asked the first time, in days.",
    )
    fetch_timeout_s: float = Field(
        default=240.0,
        gt=0,
        le=280,
        description="Longest that one gateway's settlements are fetched in one go; the rest"
        " follows.",
    )
    write_off_limit_halalas: int = Field(
        default=10_000,
        ge=0,
        description="Largest difference to a settlement file, in halalas, that one person may write"
        " off; beyond it somebody else must agree.",
    )
    closing_day: int = Field(
        default=0,
        ge=0,
        le=28,
        description="The day on which the month before is closed; 0: only by an admin.",
    )
    closing_hour: int = Field(default=5, ge=0, le=23, description="The hour of that day.")
