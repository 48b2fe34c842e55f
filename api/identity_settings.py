"""Who may log in, and for how long."""

from pathlib import Path

from pydantic import Field

from api.setting_group import SettingGroup


class IdentitySettings(SettingGroup):
    """Who may log in, and for how long."""

    operators: tuple[str, ...] = Field(
        default=(),
        description="Phones that may act as operators, in E.164: for development, and refused when "
        "real text messages are sent. Else operators are invited (`hadiyati invite-admin`).",
    )
    key_file: Path | None = Field(
        default=None,
        description="File with the signing key and the pepper, created when missing; empty means "
        "`keys.json` in the data folder.",
    )
    issuer: str = Field(
        default="https://hadiyati.example",
        min_length=1,
        description="Issuer of the access tokens.",
    )
    audience: str = Field(
        default="hadiyati-api", min_length=1, description="Audience of the access tokens."
    )
    verify_couriers: bool = Field(
        default=True, description="Whether an operator must verify a courier before he may work."
    )
    step_up_s: int = Field(
        default=300,
        ge=30,
        le=86_400,
        description="Seconds after a log-in or a step-up in which a bank account, an e-mail or "
        "somebody's role may be changed, and an account erased.",
    )
    otp_domain: str = Field(
        default="hadiyati.example",
        min_length=1,
        description="Domain in the last line of a log-in message, so that phones can fill it in.",
    )
    otp_life_s: int = Field(
        default=300, ge=30, le=3600, description="Seconds a log-in code is valid."
    )
    otp_resend_s: int = Field(
        default=60, ge=0, le=3600, description="Seconds before a phone may ask for another code."
    )
    otp_tries_max: int = Field(
        default=5, ge=1, le=20, description="Wrong tries that burn a log-in code."
    )
    otp_sends_max: int = Field(
        default=5,
        ge=1,
        le=1000,
        description="Codes sent to a phone in an hour without a log-in between them.",
    )
    otp_sends_of_day_max: int = Field(
        default=10,
        ge=1,
        le=1000,
        description="Codes sent to a phone in a day without a log-in between them.",
    )
    otp_place_hour_max: int = Field(
        default=30, ge=0, le=10**6, description="Unproven codes of one address in an hour."
    )
    otp_place_day_max: int = Field(
        default=100, ge=0, le=10**6, description="Unproven codes of one address in a day."
    )
    otp_home_hour_max: int = Field(
        default=2_000, ge=0, le=10**7, description="Unproven codes to Saudi phones in an hour."
    )
    otp_home_day_max: int = Field(
        default=20_000, ge=0, le=10**7, description="Unproven codes to Saudi phones in a day."
    )
    otp_abroad_hour_max: int = Field(
        default=30, ge=0, le=10**7, description="Unproven codes to any other country in an hour."
    )
    otp_abroad_day_max: int = Field(
        default=100, ge=0, le=10**7, description="Unproven codes to any other country in a day."
    )
    otp_app_hash: str = Field(
        default="",
        max_length=11,
        description="Hash by which Android hands the message to the app; empty without an app.",
    )
    console_url: str = Field(
        default="https://console.hadiyati.example",
        pattern=r"^https?://[^\s#?]+[^\s#?/]$",
        description="Where the pages are that the links in e-mails open.",
    )
    password_kib: int = Field(
        default=65_536,
        ge=8,
        le=4 * 1024 * 1024,
        description="Memory of one argon2id hash, in KiB; 64 MiB is RFC 9106's second choice.",
    )
    password_passes: int = Field(
        default=3, ge=1, le=100, description="Passes of argon2id over that memory."
    )
    password_lanes: int = Field(default=4, ge=1, le=64, description="Lanes of argon2id.")
    passwords_at_once: int = Field(
        default=2, ge=1, le=64, description="Passwords that one process hashes at once."
    )
    passwords_waiting_max: int = Field(
        default=32, ge=0, le=10_000, description="Log-ins that may wait for that; others get 503."
    )
    access_token_s: int = Field(
        default=900, ge=60, le=86_400, description="Seconds an access token is valid."
    )
    clock_skew_s: int = Field(
        default=60,
        ge=0,
        le=300,
        description="Seconds by which the clock of the process that issued a token may be ahead.",
    )
    session_idle_s: int = Field(
        default=30 * 86_400,
        ge=300,
        le=400 * 86_400,
        description="Seconds after which a session that is not refreshed is over.",
    )
    session_life_s: int = Field(
        default=180 * 86_400,
        ge=300,
        le=1000 * 86_400,
        description="Seconds after which a session is over in any case.",
    )
    refresh_grace_s: int = Field(
        default=30,
        ge=0,
        le=300,
        description="Seconds in which a used refresh token is answered with the same successor.",
    )
    sessions_max: int = Field(
        default=20, ge=1, le=1000, description="Open sessions of one person; the oldest gives way."
    )
