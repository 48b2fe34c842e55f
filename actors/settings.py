"""What an operator may set about the live part: how it runs, and its limits."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from storage.settings import DatabaseSettings


class RuntimeKind(StrEnum):
    """Where cells live."""

    RAY = "ray"
    LOCAL = "local"


class RuntimeSettings(BaseModel):
    """Cells, the solver and Ray."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: RuntimeKind = Field(
        RuntimeKind.RAY,
        description=(
            "`ray`: every cell and the solver are Ray actors; "
            "`local`: they live in the edge's process."
        ),
    )
    ray_address: str = Field(
        "", description="Address of a running Ray cluster (`host:port`); empty starts a local one."
    )
    ray_namespace: str = Field("hadiyati", description="Ray namespace that names the actors.")
    ray_nodes: int = Field(
        1,
        ge=1,
        le=8,
        description="Nodes of the local Ray; with more than one the loss of one can be tried out.",
    )
    object_store_mb: int = Field(
        80, ge=80, le=65_536, description="Memory of the local Ray's object store, in MB."
    )
    placement_resolution: int = Field(
        4,
        ge=0,
        le=8,
        description="H3 resolution of the cells that are processes: coarser means fewer of them.",
    )
    solver_budget_s: float = Field(
        0.5, gt=0, le=30, description="Seconds the optimizer may think about one tick."
    )
    command_timeout_s: float = Field(
        10.0, gt=0, le=120, description="Real seconds a command may take before it is refused."
    )
    cell_call_timeout_s: float = Field(
        5.0, gt=0, le=60, description="Real seconds the edge waits for one answer of a cell."
    )
    commands_waiting_max: int = Field(
        20_000, ge=1, description="Commands that may wait for one cell before more are refused."
    )
    positions_gap_ms: int = Field(
        10,
        ge=0,
        le=1000,
        description="Least real milliseconds between two calls with positions; more where busy.",
    )
    position_publish_s: float = Field(
        4.0,
        gt=0,
        le=3600,
        description="Real seconds between two positions that a customer is shown.",
    )
    offer_repeat_s: float = Field(
        5.0, gt=0, le=60, description="Real seconds before an unacknowledged offer is sent again."
    )
    trail_sample_s: float = Field(
        30.0, ge=1, le=3600, description="Seconds between two kept positions of one courier."
    )


class ClockSettings(BaseModel):
    """Time as the system sees it. Processes of one system share the same three values."""

    speed: float = Field(
        1.0, gt=0, le=3600, description="Seconds of the system's time in one real second (replays)."
    )
    start_ms: int = Field(
        0, ge=0, description="The system's time, in epoch milliseconds, at `started_ms`."
    )
    started_ms: int = Field(
        0,
        ge=0,
        description="Real time, in epoch milliseconds, at which the system's time was `start_ms`.",
    )


class UploadSettings(BaseModel):
    """What people may send as files, and what that may cost."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bytes_max: int = Field(
        12 * 1024 * 1024,
        ge=64 * 1024,
        le=64 * 1024 * 1024,
        description="Largest file that is taken, in bytes.",
    )
    body_s_max: float = Field(
        60.0, gt=0, le=600, description="Longest that a file may take to arrive."
    )
    pixels_max: int = Field(
        50_000_000, ge=10_000, le=150_000_000, description="Most pixels of a picture that is taken."
    )
    side_max: int = Field(
        2560, ge=64, le=8192, description="A longer side of a picture is made so many pixels long."
    )
    pages_max: int = Field(20, ge=1, le=200, description="Most pages of a document.")
    of_day_max: int = Field(
        200, ge=1, le=100_000, description="Files that one person may send in a day."
    )
    at_once: int = Field(
        2, ge=1, le=64, description="Files that a process makes anew at once, each in a child."
    )
    waiting_max: int = Field(
        32, ge=1, le=10_000, description="Files that may be on their way in a process."
    )
    time_limit_s: float = Field(
        30.0, gt=0, le=600, description="Seconds after which a child that makes a file is ended."
    )


class Premises(BaseModel):
    """What a process needs to know to build its part of the system; handed to every actor."""

    model_config = ConfigDict(frozen=True)

    database: DatabaseSettings
    redis_url: str
    runtime: RuntimeSettings
    clock: ClockSettings
