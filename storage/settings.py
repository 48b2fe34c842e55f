"""What an operator may set about PostgreSQL, Redis and the folder of the embedded servers."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr

Port = Annotated[int, Field(ge=1024, le=65535)]


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DataSettings(_Group):
    """Where the embedded servers keep their files, and as whom they run."""

    folder: Path = Field(
        default=Path(".hadiyati"),
        description="Folder that holds the embedded servers' data, logs and passwords.",
    )
    account: str | None = Field(
        default=None,
        min_length=1,
        description="Unprivileged account the embedded servers run as when the program is started "
        "by root; empty means `postgres` if that account exists, else `nobody`.",
    )
    elsewhere: Path = Field(
        default=Path("/var/lib/hadiyati"),
        description="Only when started by root: where database files and copies of server programs "
        "go if the account above cannot reach the data folder or the programs.",
    )


class DatabaseSettings(_Group):
    """PostgreSQL: which one, and how we behave towards it."""

    dsn: SecretStr | None = Field(
        default=None,
        description="Address of an existing PostgreSQL, `postgresql://user:password@host/name`; "
        "empty starts an embedded one.",
    )
    binaries: str = Field(
        default="auto",
        min_length=1,
        description="Programs of the embedded PostgreSQL, 15 or newer: `auto` (the newest of "
        "the system's and the wheel's), `system`, `wheel`, or a folder that holds `postgres` and "
        "`initdb`.",
    )
    archive_folder: Path | None = Field(
        default=None,
        description="Where the embedded PostgreSQL keeps every change, at most half a minute late, "
        "so that a backup can be brought to any later instant (`hadiyati restore --until`); best "
        "on another disk. Empty keeps none.",
    )
    port: Port | None = Field(
        default=None,
        description="Port of the embedded PostgreSQL on 127.0.0.1; empty chooses a free one.",
    )
    shared_buffers_mb: int = Field(
        default=128,
        ge=16,
        le=65536,
        description="Memory of the embedded PostgreSQL for shared buffers, in MiB.",
    )
    max_connections: int = Field(
        default=100,
        ge=10,
        le=2000,
        description="Connections the embedded PostgreSQL accepts.",
    )
    pool_min: int = Field(
        default=1, ge=0, le=200, description="Connections each process keeps open at least."
    )
    pool_max: int = Field(
        default=8, ge=1, le=200, description="Connections each process opens at most."
    )
    pool_wait_s: float = Field(
        default=2.0,
        gt=0,
        le=120,
        description="Longest wait for one of these connections, in seconds; then the request is "
        "answered 503. What cells commit waits as long as a statement may take.",
    )
    pool_waiting_max: int = Field(
        default=200,
        ge=1,
        le=100_000,
        description="Requests of a process that may wait for a connection; more are answered 503 "
        "at once.",
    )
    connect_timeout_s: float = Field(
        default=5.0, gt=0, le=120, description="Longest wait for a new connection, in seconds."
    )
    command_timeout_s: float = Field(
        default=10.0,
        gt=0,
        le=600,
        description="Longest wait of the client for one statement, in seconds.",
    )
    statement_timeout_ms: int = Field(
        default=8_000,
        ge=0,
        le=600_000,
        description="PostgreSQL ends a statement that runs longer, in milliseconds; 0 never.",
    )
    lock_timeout_ms: int = Field(
        default=4_000,
        ge=0,
        le=600_000,
        description="PostgreSQL ends a statement that waits longer for a lock, in milliseconds; "
        "0 never.",
    )
    idle_in_transaction_timeout_ms: int = Field(
        default=30_000,
        ge=0,
        le=3_600_000,
        description="PostgreSQL ends a session that leaves a transaction open and idle for longer, "
        "in milliseconds; 0 never.",
    )


class RedisSettings(_Group):
    """Redis or Valkey: which one, and how we behave towards it."""

    url: SecretStr | None = Field(
        default=None,
        description="Address of an existing Redis or Valkey, `redis://:password@host:6379/0`; "
        "empty starts an embedded Valkey.",
    )
    binaries: str = Field(
        default="auto",
        min_length=1,
        description="Program of the embedded server: `auto` (the wheel's Valkey, else the "
        "system's), `wheel`, `system` (valkey-server or redis-server, 7 or newer), or a file.",
    )
    port: Port | None = Field(
        default=None,
        description="Port of the embedded Valkey on 127.0.0.1; empty chooses a free one.",
    )
    memory_mb: int = Field(
        default=256,
        ge=16,
        le=65536,
        description="Memory limit of the embedded Valkey for data, in MiB; beyond it the keys "
        "that expire soonest go first.",
    )
    connections_max: int = Field(
        default=64, ge=1, le=10_000, description="Connections each process opens at most."
    )
    connect_timeout_s: float = Field(
        default=2.0, gt=0, le=120, description="Longest wait for a new connection, in seconds."
    )
    command_timeout_s: float = Field(
        default=5.0, gt=0, le=600, description="Longest wait for one answer, in seconds."
    )


class ObjectSettings(_Group):
    """Where files are kept: photos of proof, documents, attachments."""

    url: str | None = Field(
        default=None,
        pattern=r"^(s3|gs|az|file)://\S+$",
        description="Bucket and prefix, `s3://bucket/prefix`, `gs://…` or `az://…`, or a folder, "
        "`file:///path`; empty means the folder `files` in the data folder.",
    )
    options: SecretStr = Field(
        default=SecretStr(""),
        description="What the bucket asks for, as a JSON object: `access_key_id`, "
        "`secret_access_key`, `region`, `endpoint` (S3), `service_account_key`, "
        "`base_url` (Google), `account_name`, `account_key`, `endpoint` (Azure).",
    )
    timeout_s: float = Field(
        default=10.0, gt=0, le=600, description="Longest wait for one answer of the bucket."
    )
    link_s: int = Field(
        default=300, ge=10, le=86_400, description="Seconds that the address of a file is valid."
    )
