"""What an operator may set about messages to the outside world."""

from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from engine.invoices.onboarding import Csid
from engine.payments.gateways import GatewayName, Network


class SmsProvider(StrEnum):
    """Who sends text messages."""

    DEVELOPMENT = "development"
    TWILIO = "twilio"


class SmsSettings(BaseModel):
    """Through whom text messages are sent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: SmsProvider = Field(
        default=SmsProvider.DEVELOPMENT,
        description="`development`: a file in the data folder; `twilio`: the Messages API.",
    )
    account: str = Field(default="", description="Account at the provider (`AC…`).")
    token: SecretStr = Field(default=SecretStr(""), description="Secret of the account.")
    sender: str = Field(default="Hadiyati", description="Sender that the phone shows.")
    url: str = Field(
        default="https://api.twilio.com", description="Where the provider's API answers."
    )
    timeout_s: float = Field(
        default=5.0, gt=0, le=60, description="Longest wait for one answer of the provider."
    )
    tries: int = Field(
        default=3, ge=1, le=10, description="How often a message is offered that was not taken."
    )


class MailProvider(StrEnum):
    """Who sends e-mail."""

    DEVELOPMENT = "development"
    SMTP = "smtp"


class MailSecurity(StrEnum):
    """How the way to the mail server is encrypted."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class MailSettings(BaseModel):
    """Through whom e-mail is sent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: MailProvider = Field(
        default=MailProvider.DEVELOPMENT,
        description="`development`: a file in the data folder; `smtp`: a mail server.",
    )
    host: str = Field(default="localhost", min_length=1, description="Mail server.")
    port: int = Field(default=587, ge=1, le=65535, description="Port of the mail server.")
    security: MailSecurity = Field(
        default=MailSecurity.STARTTLS,
        description="`starttls` (demanded, never skipped), `tls` from the first byte, or `none` "
        "for a server on this machine.",
    )
    user: str = Field(default="", description="User at the mail server; empty logs nobody in.")
    password: SecretStr = Field(default=SecretStr(""), description="Password of the user.")
    sender: str = Field(
        default="Hadiyati <no-reply@hadiyati.example>",
        min_length=3,
        description="Sender that is shown.",
    )
    timeout_s: float = Field(
        default=10.0, gt=0, le=60, description="Longest wait for one answer of the mail server."
    )


class BreachSettings(BaseModel):
    """Who is asked whether a new password was stolen elsewhere."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(
        default="",
        pattern=r"^(https?://[^\s/]+)?$",
        description="Where the range protocol of Pwned Passwords is spoken, as "
        "`https://api.pwnedpasswords.com`; empty means that nobody is asked.",
    )
    timeout_s: float = Field(
        default=2.0,
        gt=0,
        le=30,
        description="Longest wait for it; without an answer the list of common passwords decides.",
    )


class ScannerSettings(BaseModel):
    """Who looks for viruses in what people send."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    address: str = Field(
        default="",
        pattern=r"^(\S+:\d{1,5})?$",
        description="Where a clamd listens, `host:port`; empty means that nobody looks.",
    )
    tls: bool = Field(
        default=False,
        description="Whether it is spoken to under TLS, as where a stunnel stands before clamd.",
    )
    ca_file: Path | None = Field(
        default=None,
        description="Certificates (PEM) that are trusted for it; empty means the system's.",
    )
    is_required: bool = Field(
        default=False,
        description="Whether a file is refused while the scanner does not answer; else it is kept "
        "and marked as not scanned.",
    )
    timeout_s: float = Field(
        default=10.0, gt=0, le=120, description="Longest wait for what the scanner says of a file."
    )

    @model_validator(mode="after")
    def _who_is_required_is_somewhere(self) -> "ScannerSettings":
        if self.is_required and not self.address:
            raise ValueError("scanner.is_required needs scanner.address: set where clamd listens")
        return self


class OutboxSettings(BaseModel):
    """How messages leave for the outside world."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at_once: int = Field(
        default=16, ge=1, le=1000, description="Messages one process sends at the same time."
    )
    lease_s: float = Field(
        default=30.0, ge=1, le=3600, description="Seconds a message is one process's alone."
    )
    poll_s: float = Field(
        default=1.0, gt=0, le=600, description="Seconds between two looks for new messages."
    )
    retry_s: float = Field(
        default=2.0, gt=0, le=600, description="Seconds before the first repetition, at most."
    )
    retry_s_max: float = Field(
        default=600.0, gt=0, le=86_400, description="Seconds before any repetition, at most."
    )
    print_sms: bool = Field(
        default=False, description="Print the text messages of the development gateway."
    )
    print_mail: bool = Field(
        default=False, description="Print the e-mails of the development gateway."
    )


class PayoutProvider(StrEnum):
    """Who sends money to couriers' banks."""

    NONE = "none"
    MOYASAR = "moyasar"


class PayoutSettings(BaseModel):
    """How couriers are paid out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: PayoutProvider = Field(
        default=PayoutProvider.NONE,
        description="`none` pays nothing out; `moyasar` sends from our account at a bank.",
    )
    url: str = Field(default="https://api.moyasar.com", description="Where the provider answers.")
    api_key: SecretStr = Field(
        default=SecretStr(""), description="Secret key (`sk_…`) at the provider."
    )
    source_id: str = Field(
        default="", description="The payout account at the provider from which is paid."
    )
    timeout_s: float = Field(
        default=10.0, gt=0, le=60, description="Longest wait for one answer of the provider."
    )
    settle_s: int = Field(
        default=600,
        ge=1,
        le=86_400,
        description="Seconds after which what the provider shows no sign of has not happened.",
    )
    poll_s: float = Field(
        default=5.0, gt=0, le=600, description="Seconds between two looks for what is to be done."
    )
    least_halalas: int = Field(
        default=1_000, ge=1, le=1_000_000, description="The least that is paid out."
    )
    instant_fee_halalas: int = Field(
        default=200, ge=0, le=100_000, description="Fee of an instant payout, with VAT."
    )
    weekly_day: int = Field(
        default=7,
        ge=1,
        le=7,
        description="The day on which everybody is paid: 1 is Monday, 7 is Sunday, in Riyadh.",
    )
    weekly_hour: int = Field(default=6, ge=0, le=23, description="The hour of that day, in Riyadh.")

    @model_validator(mode="after")
    def _settles_after_every_answer(self) -> "PayoutSettings":
        if self.settle_s < 2 * self.timeout_s:
            raise ValueError("payouts.settle_s must be at least twice payouts.timeout_s")
        if self.provider is not PayoutProvider.NONE and not self.source_id:
            raise ValueError("payouts.source_id is needed with payouts.provider")
        return self


class ZatcaSettings(BaseModel):
    """Our unit at the tax authority, which is told of invoices or clears them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(
        default="https://gw-fatoora.zatca.gov.sa/e-invoicing/core",
        description="Where the authority's gateway answers; `…/simulation` is for trying.",
    )
    token: str = Field(
        default="",
        description="`binarySecurityToken` of a production CSID that came another way than by "
        "`hadiyati onboard-unit`; what came by that goes before it.",
    )
    secret: SecretStr = Field(default=SecretStr(""), description="Secret of that CSID.")
    language: str = Field(
        default="ar", pattern="^(ar|en)$", description="Language of its messages: `ar` or `en`."
    )
    timeout_s: float = Field(
        default=30.0, gt=0, le=120, description="Longest wait for one answer of the authority."
    )
    poll_s: float = Field(
        default=5.0, gt=0, le=600, description="Seconds between two looks for what is to be sent."
    )
    retry_s: float = Field(
        default=60.0,
        gt=0,
        le=3600,
        description="Seconds before what was not answered is sent again; twice as long each time.",
    )
    retry_s_max: float = Field(
        default=3600.0, gt=0, le=14_400, description="Seconds before any repetition, at most."
    )

    @property
    def csid(self) -> Csid | None:
        """What is set of a CSID."""
        secret = self.secret.get_secret_value()
        return Csid(token=self.token, secret=secret) if self.token else None

    @model_validator(mode="after")
    def _repeats_after_every_answer(self) -> "ZatcaSettings":
        if self.retry_s < 2 * self.timeout_s:
            raise ValueError("zatca.retry_s must be at least twice zatca.timeout_s")
        if bool(self.token) != bool(self.secret.get_secret_value()):
            raise ValueError("zatca.token and zatca.secret are set together: both are of one CSID")
        return self


class PaymentsMode(StrEnum):
    """Whether orders are paid for."""

    NONE = "none"
    REQUIRED = "required"


class PaymentSettings(BaseModel):
    """Whether orders are paid for, through whom, and how long a gateway may think."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: PaymentsMode = Field(
        default=PaymentsMode.NONE,
        description="`none`: orders are placed without a payment; `required`: customers pay.",
    )
    routes: dict[Network, GatewayName] = Field(
        default={
            **dict.fromkeys(
                (
                    Network.MADA,
                    Network.VISA,
                    Network.MASTERCARD,
                    Network.AMEX,
                    Network.STC_PAY,
                ),
                GatewayName.MOYASAR,
            ),
            Network.PAYPAL: GatewayName.PAYPAL,
            Network.WALLET: GatewayName.WALLET,
            Network.CASH: GatewayName.CASH,
        },
        description="Which gateway takes which network; what is not named is not offered, nor is "
        "PayPal without an account there.",
    )
    return_url: str = Field(
        default="",
        description="Where the app wants a customer who comes back from his bank; "
        "`?payment_id=` is added. Empty: he is shown how the payment stands.",
    )
    timeout_s: float = Field(
        default=10.0, gt=0, le=60, description="Longest wait for one answer of a gateway."
    )
    settle_s: int = Field(
        default=120,
        ge=1,
        le=86_400,
        description="Seconds after which what a gateway shows no sign of has not happened.",
    )
    poll_s: float = Field(
        default=2.0, gt=0, le=600, description="Seconds between two looks for payments in doubt."
    )
    refund_limit_halalas: int = Field(
        default=50_000,
        ge=0,
        description="Above this an operator's refunds of one payment need another's approval.",
    )
    commission_percent: int = Field(
        default=0, ge=0, le=100, description="Our part of what goods cost, without VAT."
    )

    @model_validator(mode="after")
    def _settles_after_every_answer(self) -> "PaymentSettings":
        if self.settle_s < 2 * self.timeout_s:
            raise ValueError("payments.settle_s must be at least twice payments.timeout_s")
        return self


class MoyasarSettings(BaseModel):
    """Our account at Moyasar."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(default="https://api.moyasar.com", description="Where Moyasar's API answers.")
    secret_key: SecretStr = Field(
        default=SecretStr(""), description="Secret key (`sk_…`); empty: no account there."
    )
    publishable_key: str = Field(
        default="", description="Publishable key (`pk_…`), with which apps turn cards into tokens."
    )
    webhook_secret: SecretStr = Field(
        default=SecretStr(""), description="Secret token of the webhook, as entered at Moyasar."
    )


class StripeSettings(BaseModel):
    """Our account at Stripe."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(default="https://api.stripe.com", description="Where Stripe's API answers.")
    files_url: str = Field(
        default="https://files.stripe.com", description="Where Stripe's files are read, as reports."
    )
    secret_key: SecretStr = Field(
        default=SecretStr(""), description="Secret key (`sk_…`); empty: no account there."
    )
    publishable_key: str = Field(
        default="", description="Publishable key (`pk_…`), with which apps make payment methods."
    )
    webhook_secret: SecretStr = Field(
        default=SecretStr(""), description="Signing secret of the webhook endpoint (`whsec_…`)."
    )


class PayPalSettings(BaseModel):
    """Our account at PayPal, which knows no riyal."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(default="https://api-m.paypal.com", description="Where PayPal's API answers.")
    client_id: str = Field(default="", description="Client id of our app at PayPal.")
    secret_key: SecretStr = Field(
        default=SecretStr(""), description="Secret of our app there; empty: no account there."
    )
    webhook_id: str = Field(
        default="", description="Id of the webhook as PayPal shows it; empty: none is believed."
    )
    hundred_dollars_halalas: int = Field(
        default=37_500,
        ge=35_000,
        le=40_000,
        description="What a hundred US dollars are worth, in halalas; 37500 is the riyal's peg.",
    )
