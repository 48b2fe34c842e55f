"""Where the API listens, and what it puts up with."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from api.setting_group import SettingGroup


class EdgeSettings(SettingGroup):
    """Where the API listens, and what it puts up with."""

    host: str = Field(default="127.0.0.1", min_length=1, description="Address the API listens on.")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(
        default=8000, description="Port the API listens on; 0 chooses a free one."
    )
    public_url: str = Field(
        default="https://hadiyati.example",
        pattern=r"^https?://[^\s/]+$",
        description="Where people reach the API, for the links in messages to them.",
    )
    certificate_file: Path | None = Field(
        default=None,
        description="Certificate of the API, with those that vouch for it (PEM): with it the API "
        "speaks TLS 1.2 or 1.3 itself; without, what stands before it does.",
    )
    certificate_key_file: Path | None = Field(
        default=None, description="Private key of `certificate_file` (PEM, not encrypted)."
    )
    workers: int = Field(default=1, ge=1, le=64, description="Processes that serve the API.")
    group_orders_max: int = Field(
        default=20, ge=1, le=50, description="So many gifts may be ordered and paid for together."
    )
    tls_required: bool = Field(
        default=False,
        description="Whether nothing starts that would speak to PostgreSQL, Valkey, clamd or a "
        "bucket on another machine in the clear, or without a look at its certificate.",
    )
    body_bytes_max: int = Field(
        default=256 * 1024, ge=1024, le=16 * 1024 * 1024, description="Largest request, in bytes."
    )
    body_s_max: float = Field(
        default=20.0, gt=0, le=600, description="Longest that a request may take to arrive."
    )
    compress_from_bytes: int = Field(
        default=2048, ge=256, description="Answers from this size on are compressed, if wanted."
    )
    cors_origins: tuple[str, ...] = Field(
        default=(),
        description="Origins of web pages that may call the API, also by socket, in full; none.",
    )
    key_life_s: int = Field(
        default=86_400,
        ge=60,
        le=30 * 86_400,
        description="Seconds for which the answer to a request with an Idempotency-Key is kept.",
    )
    retry_after_s: int = Field(
        default=2, ge=1, le=600, description="What `Retry-After` says when something is away."
    )
    part_timeout_s: float = Field(
        default=2.0, gt=0, le=60, description="Longest wait for each part when readiness is asked."
    )
    shutdown_s: int = Field(
        default=10, ge=1, le=600, description="Seconds open requests get when the API stops."
    )
    authenticate_s: float = Field(
        default=10.0, gt=0, le=120, description="Seconds a socket may stay without a token."
    )
    silence_s: float = Field(
        default=120.0, gt=0, le=3600, description="Seconds after which a silent socket is closed."
    )
    sockets_of_one_max: int = Field(
        default=20,
        ge=1,
        le=1000,
        description="Sockets of one customer or operator in a process; the oldest gives way.",
    )
    frame_bytes_max: int = Field(
        default=16 * 1024, ge=256, le=1024 * 1024, description="Largest frame of a phone, in bytes."
    )
    frames_per_s: float = Field(
        default=100.0, gt=0, le=100_000, description="Frames a socket may send in a second."
    )
    frames_burst: int = Field(
        default=400, ge=1, le=100_000, description="Frames a socket may send at once."
    )
    commands_at_once: int = Field(
        default=8, ge=1, le=1000, description="Commands of one socket that are carried out at once."
    )
    channels_max: int = Field(
        default=128, ge=1, le=10_000, description="Channels one socket may subscribe to."
    )
    frames_waiting_max: int = Field(
        default=1000,
        ge=8,
        le=100_000,
        description="Frames that may wait for a slow reader before the socket is closed.",
    )
    bytes_waiting_max: int = Field(
        default=1024 * 1024,
        ge=64 * 1024,
        le=1024 * 1024 * 1024,
        description="Bytes that may wait for a slow reader before the socket is closed.",
    )
    history_frames: int = Field(
        default=64, ge=1, le=10_000, description="States of a channel that can be told again."
    )
    history_bytes_max: int = Field(
        default=32 * 1024 * 1024,
        ge=1024,
        le=1024 * 1024 * 1024,
        description="Bytes of the states that a process keeps to tell again.",
    )
    receipt_s: float = Field(
        default=5.0,
        ge=1,
        le=600,
        description="Seconds after which what was not confirmed is repeated.",
    )
    sockets_max: int = Field(
        default=20_000, ge=1, description="Sockets one process holds; more are asked to come again."
    )
    snapshots_at_once: int = Field(
        default=128, ge=1, le=1000, description="Snapshots a process asks for at once."
    )
    conversations_at_once: int = Field(
        default=32, ge=1, le=1000, description="Conversations a process reads at once."
    )
    position_future_s: float = Field(
        default=30.0, ge=0, le=3600, description="A position further in the future is dropped."
    )
