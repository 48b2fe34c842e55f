"""How long what is remembered is kept, and how requests about one's own data are answered."""

from pydantic import Field

from api.setting_group import SettingGroup
from engine.kernel.timing import DAY_MS
from engine.privacy.requests import PrivacyRules
from engine.privacy.retention import Periods

_YEARS = 3_650


class PrivacySettings(SettingGroup):
    """What people may ask about themselves, and after how many days what goes by itself."""

    grace_days: int = Field(
        default=7, ge=0, le=29, description="Days within which an erasure can be withdrawn."
    )
    export_days: int = Field(
        default=7, ge=1, le=30, description="Days within which an export can be fetched."
    )
    answers_days: int = Field(
        default=7, ge=2, le=_YEARS, description="Days that commands' answers are repeated."
    )
    outbox_days: int = Field(
        default=7, ge=1, le=_YEARS, description="Days that messages are kept that have left."
    )
    challenges_days: int = Field(
        default=2, ge=2, le=_YEARS, description="Days that log-in codes are counted."
    )
    trail_days: int = Field(
        default=30, ge=1, le=_YEARS, description="Days that couriers' trails are kept."
    )
    sessions_days: int = Field(
        default=30, ge=1, le=_YEARS, description="Days that sessions are kept that have expired."
    )
    refused_tries_days: int = Field(
        default=90,
        ge=2,
        le=_YEARS,
        description="Days that refused log-ins and refused access are known.",
    )
    waits_days: int = Field(
        default=90, ge=1, le=_YEARS, description="Days that it is known why orders waited."
    )
    quotes_days: int = Field(default=90, ge=30, le=_YEARS, description="Days that quotes are kept.")
    drafts_days: int = Field(
        default=90, ge=1, le=_YEARS, description="Days that drafts are kept that nobody changes."
    )
    what_ifs_days: int = Field(
        default=180, ge=1, le=_YEARS, description="Days that what-ifs are kept."
    )
    chat_messages_days: int = Field(
        default=180,
        ge=30,
        le=_YEARS,
        description="Days that messages between customers, couriers and support are kept.",
    )
    audit_log_days: int = Field(
        default=365,
        ge=30,
        le=_YEARS,
        description="Days that the audit log knows from where and why something was done.",
    )
    orders_days: int = Field(
        default=730,
        ge=30,
        le=_YEARS,
        description="Days after its end that an order has its recipient, address and message.",
    )
    gift_links_days: int = Field(
        default=730, ge=30, le=_YEARS, description="Days that gift links have theirs."
    )

    @property
    def periods(self) -> Periods:
        """The days of each table."""
        return Periods(
            **{name: getattr(self, f"{name}_days") for name in Periods.__struct_fields__}
        )

    @property
    def rules(self) -> PrivacyRules:
        """The time that people have."""
        return PrivacyRules(grace_ms=self.grace_days * DAY_MS, fetch_ms=self.export_days * DAY_MS)
