"""Everything an operator may set, in one place: variables `HADIYATI_…`, or a TOML file."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, SecretStr, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from actors.gateways.settings import (
    BreachSettings,
    MailSettings,
    MoyasarSettings,
    OutboxSettings,
    PaymentSettings,
    PaymentsMode,
    PayoutSettings,
    PayPalSettings,
    ScannerSettings,
    SmsProvider,
    SmsSettings,
    StripeSettings,
    ZatcaSettings,
)
from actors.settings import ClockSettings, RuntimeSettings, UploadSettings
from api.books_settings import BooksSettings
from api.edge_settings import EdgeSettings
from api.identity_settings import IdentitySettings
from api.limit_settings import LimitSettings
from api.privacy_settings import PrivacySettings
from api.setting_group import SettingGroup
from api.transport import in_the_clear
from engine.invoices.invoice import Party
from engine.invoices.onboarding import Documents
from engine.payments.gateways import GatewayName
from storage.settings import DatabaseSettings, DataSettings, ObjectSettings, RedisSettings

PREFIX = "HADIYATI_"
DELIMITER = "__"
CONFIG = "HADIYATI_CONFIG"
CONFIG_FILE = "hadiyati.toml"
# Who has money of ours until it is at our bank.
SETTLING = frozenset({GatewayName.MOYASAR, GatewayName.STRIPE, GatewayName.PAYPAL})
_RAY = "RAY_"


class WhatIfSettings(SettingGroup):
    """What operators may try on recent hours, and what that may cost."""

    at_once: int = Field(
        default=1, ge=1, le=64, description="What-ifs that one API process works on at once."
    )
    waiting_max: int = Field(
        default=8, ge=0, le=1000, description="What-ifs that may wait for their turn in a process."
    )
    hours_max: float = Field(default=24.0, gt=0, le=168, description="Most hours to live again.")
    orders_max: int = Field(
        default=20_000, ge=1, le=1_000_000, description="Most orders in these hours."
    )
    runs_max: int = Field(
        default=20, ge=2, le=1000, description="How often the hours may be lived with each set."
    )
    time_limit_s: float = Field(
        default=900.0, gt=0, le=86_400, description="Seconds after which a what-if is given up."
    )
    beat_s: float = Field(
        default=5.0, gt=0, le=600, description="Seconds between signs of life of an open what-if."
    )
    patience_s: float = Field(
        default=30.0,
        gt=0,
        le=3600,
        description="Seconds without a sign of life after which a what-if counts as interrupted.",
    )


class InvoiceSettings(SettingGroup):
    """Who sells, as it stands on invoices. The defaults are an example and no company."""

    unit: str = Field(
        default="HDY",
        pattern=r"^[A-Z0-9]{1,12}$",
        description="Name of the invoicing unit, before the number of each of its invoices.",
    )
    stamp_file: Path | None = Field(
        default=None,
        description="PEM file with the unit's key and the certificate of the tax authority; empty "
        "means a key of its own and a certificate that nobody vouches for.",
    )
    print_every_s: float = Field(
        default=30.0,
        ge=0,
        le=86_400,
        description="Seconds between two rounds that make the PDFs of what was issued, in a child "
        "at the lowest priority; 0 means that each is made when somebody first asks for it.",
    )
    name_ar: str = Field(
        default="شركة هديتي للتجارة", min_length=1, max_length=200, description="Seller in Arabic."
    )
    name_en: str = Field(
        default="Hadiyati Trading Company",
        min_length=1,
        max_length=200,
        description="Seller in English.",
    )
    vat_number: str = Field(
        default="399999999900003", pattern=r"^3\d{13}3$", description="Seller's VAT number."
    )
    registration: str = Field(
        default="1010010000", pattern=r"^\d{10}$", description="Seller's commercial registration."
    )
    street: str = Field(default="طريق الملك فهد", min_length=1, description="Seller's street.")
    building: str = Field(
        default="2322", pattern=r"^\d{4}$", description="Seller's building number."
    )
    district: str = Field(default="العليا", min_length=1, description="Seller's district.")
    city: str = Field(default="الرياض", min_length=1, description="Seller's city.")
    postal_code: str = Field(
        default="12211", pattern=r"^\d{5}$", description="Seller's postal code."
    )
    branch: str = Field(
        default="Head Office",
        min_length=1,
        max_length=64,
        description="Branch of the unit, as its certificate names it; of a VAT group the ten "
        "digits of the member's TIN.",
    )
    business_category: str = Field(
        default="Gift delivery",
        min_length=1,
        max_length=128,
        description="What the company does, as the certificate says it.",
    )
    documents: Documents = Field(
        default=Documents.BOTH,
        description="What the unit issues: `1100` standard and simplified documents, `1000` or "
        "`0100` one of them.",
    )
    link_hours: int = Field(
        default=24, ge=1, le=720, description="Hours that the address of a PDF is valid."
    )

    @property
    def seller(self) -> Party:
        """As it stands on invoices."""
        return Party(**self.model_dump(include={*Party.__struct_fields__}))


class Settings(BaseSettings):
    """All of it; the environment comes before the file."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter=DELIMITER,
        extra="forbid",
        frozen=True,
        # What is wrong may be a password.
        hide_input_in_errors=True,
    )

    data: DataSettings = DataSettings()
    database: DatabaseSettings = DatabaseSettings()
    redis: RedisSettings = RedisSettings()
    clock: ClockSettings = ClockSettings()
    runtime: RuntimeSettings = RuntimeSettings()
    identity: IdentitySettings = IdentitySettings()
    edge: EdgeSettings = EdgeSettings()
    outbox: OutboxSettings = OutboxSettings()
    sms: SmsSettings = SmsSettings()
    mail: MailSettings = MailSettings()
    what_if: WhatIfSettings = WhatIfSettings()
    invoices: InvoiceSettings = InvoiceSettings()
    zatca: ZatcaSettings = ZatcaSettings()
    payouts: PayoutSettings = PayoutSettings()
    limits: LimitSettings = LimitSettings()
    uploads: UploadSettings = UploadSettings()
    objects: ObjectSettings = ObjectSettings()
    scanner: ScannerSettings = ScannerSettings()
    breaches: BreachSettings = BreachSettings()
    payments: PaymentSettings = PaymentSettings()
    moyasar: MoyasarSettings = MoyasarSettings()
    stripe: StripeSettings = StripeSettings()
    paypal: PayPalSettings = PayPalSettings()
    privacy: PrivacySettings = PrivacySettings()
    books: BooksSettings = BooksSettings()

    @property
    def key_file(self) -> Path:
        """Where the signing key is."""
        return self.identity.key_file or self.data.folder / "keys.json"

    @property
    def files_folder(self) -> Path:
        """Where files are kept without a bucket."""
        return self.data.folder / "files"

    @property
    def mail_log(self) -> Path:
        """Where the development gateway writes the e-mails that it would have sent."""
        return self.data.folder / "mail.jsonl"

    @model_validator(mode="after")
    def _real_messages_mean_real_operators(self) -> "Settings":
        if self.identity.operators and self.sms.provider is not SmsProvider.DEVELOPMENT:
            raise ValueError(
                "identity.operators is for development: empty it and invite operators, "
                "the first admin with `hadiyati invite-admin`"
            )
        return self

    @model_validator(mode="after")
    def _nothing_is_said_in_the_clear(self) -> "Settings":
        if self.edge.tls_required and (faults := [*in_the_clear(self)]):
            raise ValueError(f"edge.tls_required: {'; '.join(faults)}")
        return self

    @model_validator(mode="after")
    def _who_must_be_paid_has_accounts(self) -> "Settings":
        if self.payments.mode is PaymentsMode.REQUIRED:
            known = self.accounts | {GatewayName.PAYPAL}
            for gateway in sorted(set(self.payments.routes.values()) - known):
                raise ValueError(
                    f"payments.routes names {gateway}, but {gateway}.secret_key is empty: "
                    "set it, or let no network go there"
                )
        return self

    @model_validator(mode="after")
    def _who_is_asked_for_settlements_knows_us(self) -> "Settings":
        asked = self.books.fetch_settlements
        for gateway in sorted(asked - (self.accounts & SETTLING)):
            raise ValueError(
                f"books.fetch_settlements names {gateway}, but {gateway}.secret_key is empty: "
                "set it, or do not ask there"
                if gateway in SETTLING
                else f"books.fetch_settlements names {gateway}, which settles nothing: remove it"
            )
        return self

    @property
    def accounts(self) -> frozenset[GatewayName]:
        """The gateways that we have an account at; wallet and cash where orders are paid for."""
        keys = {
            GatewayName.MOYASAR: self.moyasar.secret_key,
            GatewayName.STRIPE: self.stripe.secret_key,
            GatewayName.PAYPAL: self.paypal.secret_key,
        }
        found = {name for name, key in keys.items() if key.get_secret_value()}
        is_required = self.payments.mode is PaymentsMode.REQUIRED
        own = {GatewayName.WALLET, GatewayName.CASH}
        return frozenset(found | own if is_required else found)

    def publishable_key(self, gateway: GatewayName) -> str:
        """With what an app speaks to a gateway."""
        keys = {
            GatewayName.MOYASAR: self.moyasar.publishable_key,
            GatewayName.STRIPE: self.stripe.publishable_key,
            GatewayName.PAYPAL: self.paypal.client_id,
        }
        return keys.get(gateway, "")

    @property
    def sms_log(self) -> Path:
        """Where the development gateway writes the messages that it would have sent."""
        return self.data.folder / "sms.jsonl"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then the environment, then the file."""
        del dotenv_settings, file_secret_settings
        file = Path(os.environ.get(CONFIG, CONFIG_FILE))
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, file)


def environment_of(settings: Settings) -> dict[str, str]:
    """The variables from which another process reads exactly these settings."""
    variables = {CONFIG: os.devnull}
    for name in Settings.model_fields:
        group: BaseModel = getattr(settings, name)
        for field in type(group).model_fields:
            value: Any = getattr(group, field)
            if value is None:
                continue
            variables[f"{PREFIX}{name}{DELIMITER}{field}".upper()] = _spelled(group, field, value)
    return variables


def handed_down(settings: Settings) -> dict[str, str]:
    """The variables for a child: exactly these settings, and what Ray has set in this process."""
    found = {name: value for name, value in os.environ.items() if name.startswith(_RAY)}
    return {**found, **environment_of(settings)}


def adopt_environment(variables: Mapping[str, str]) -> None:
    """Let this process read its settings from these variables, too."""
    os.environ.update(variables)


def _spelled(group: BaseModel, field: str, value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, Path):
        return str(value.absolute())
    if isinstance(value, str | bool | int | float):
        return str(value)
    text = group.model_dump_json(include={field})
    return text[text.index(":") + 1 : -1]
