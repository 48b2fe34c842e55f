"""What operators send about zones."""

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from api.bodies import At, Body, Label, PointBody, Reason
from engine.geo.shops import ZONE_SHOPS_MAX

ZONE_CELLS_MAX = 10_000


class MoveBody(Body):
    """Whether a zone has a process of its own from now on, or shares one with its neighbours."""

    own: bool


class ZoneBody(Body):
    """A new zone: the cells of one resolution, named or inside a polygon."""

    name_en: Label
    name_ar: Label
    polygon: Annotated[list[PointBody], Field(min_length=3, max_length=1000)] | None = None
    cells: (
        Annotated[
            list[Annotated[str, StringConstraints(max_length=16)]],
            Field(min_length=1, max_length=ZONE_CELLS_MAX),
        ]
        | None
    ) = None
    resolution: Annotated[int, Field(ge=3, le=10)] = 8
    parameters: dict[str, Any] = Field(default={})


class ShopsBody(Body):
    """All shops that a zone is to know."""

    shops: Annotated[list[PointBody], Field(max_length=ZONE_SHOPS_MAX)]


class RestoreBody(Body):
    """The parameters of an earlier version again, and when they are to be taken back."""

    reason: Reason
    effective_at: At | None = None
    guard: dict[str, Any] | None = None


class ParametersBody(RestoreBody):
    """Other parameters for a zone; what is left out stays as it was."""

    parameters: dict[str, Any]


class WhatIfBody(Body):
    """Try these parameters on the last hours; what is left out stays as it is in force."""

    parameters: dict[str, Any]
    hours: Annotated[float, Field(gt=0, le=168)] = 2.0
    runs: Annotated[int, Field(ge=2, le=1000)] = 5
    metric: Annotated[str, StringConstraints(min_length=1, max_length=60)] = "lateness"
