"""Zones, for operators."""

from typing import Annotated, Any

from fastapi import APIRouter
from msgspec import to_builtins

from actors.chance import new_id
from api.answers import (
    ZoneChanged,
    ZoneMovedTo,
    ZoneShopsShown,
    ZoneShopsTold,
    ZoneShown,
    ZonesShown,
)
from api.deps import Key, PartsDep, PathId, granted
from api.description import WITH_COMMAND, WITH_STORE, WITH_TOKEN, answers, tagged
from api.errors import Invalid
from api.json_answer import Json
from api.list_queries import ZONES
from api.paging import Paging, listed
from api.parameters_in import parameters_in
from api.refusals import INVALID_REQUEST
from api.sending import carry_out, id_of_command
from api.zone_bodies import ZONE_CELLS_MAX, MoveBody, ShopsBody, ZoneBody
from api.zones_of import find_zone
from engine import listings
from engine.geo.cells import ancestor, cells_in_polygon, is_cell, middle_cell, resolution_of
from engine.geo.moving import MoveZone, own_cell
from engine.geo.parameters import ZoneParameters
from engine.geo.shops import SHOPS_OUTSIDE, ChangeZoneShops
from engine.geo.zone import (
    BAD_PARAMETERS,
    CELLS_TAKEN,
    UNKNOWN_ZONE,
    ZONE_EXISTS,
    CreateZone,
    Zone,
)
from engine.identity.access import Permission
from engine.kernel.ids import CellId, CommandId, ZoneId, derived_id
from engine.kernel.messages import Caller
from engine.kernel.place import Point

router = APIRouter(prefix="/v1/zones", tags=["zones"])
_SEEING = (*WITH_TOKEN, *WITH_STORE, UNKNOWN_ZONE, INVALID_REQUEST)
# The area of the cells of a resolution shrinks by seven from each to the next (H3's aperture).
_CELL_KM2_AT_0 = 4_357_449.0


@router.get("", responses=answers(200, ZonesShown, *WITH_TOKEN, *WITH_STORE, INVALID_REQUEST))
async def list_zones(
    caller: Annotated[Caller, granted(Permission.SEE_ZONES)],
    parts: PartsDep,
    paging: Annotated[Paging, listed(ZONES)],
) -> Json:
    """Zones by name; of an operator who is limited to some, these."""
    mine = [one for one in await parts.store.list_zones() if caller.may_act_in(one.id)]
    page = listings.ZONES.page(mine, paging.wanted)
    return paging.answer(page, "zones", [_zone(one) for one in page.rows])


@router.get("/{zone_id}", responses=tagged(answers(200, ZoneShown, *_SEEING)))
async def get_zone(
    zone_id: PathId, _: Annotated[Caller, granted(Permission.SEE_ZONES)], parts: PartsDep
) -> Json:
    """One zone; its ETag is the last version of its parameters."""
    zone = await find_zone(parts, zone_id)
    return Json(_zone(zone), headers={"etag": f'"{zone.last_version}"'})


@router.post(
    "",
    status_code=201,
    responses=answers(201, ZoneChanged, *WITH_COMMAND, BAD_PARAMETERS, CELLS_TAKEN, ZONE_EXISTS),
)
async def create_zone(
    body: ZoneBody, key: Key, caller: Annotated[Caller, granted(CreateZone)], parts: PartsDep
) -> Json:
    """Open a zone."""
    cells = _cells(body)
    command_id = id_of_command(caller, "POST /v1/zones", key)
    command = CreateZone(
        zone_id=ZoneId(derived_id("zone", command_id)),
        name_en=body.name_en,
        name_ar=body.name_ar,
        anchor=middle_cell(cells),
        cells=cells,
        parameters=parameters_in(body.parameters, ZoneParameters()),
        author=caller.user_id,
    )
    asked = body.model_dump(mode="json")
    return Json(await carry_out(parts, command, caller, command_id=command_id, asked=asked), 201)


@router.post("/{zone_id}/move", responses=answers(200, ZoneMovedTo, *WITH_COMMAND, UNKNOWN_ZONE))
async def move_zone(
    zone_id: PathId,
    body: MoveBody,
    key: Key,
    caller: Annotated[Caller, granted(MoveZone)],
    parts: PartsDep,
) -> Json:
    """Give a zone a process of its own, or let it share one again, while it is served."""
    zone = await find_zone(parts, zone_id)
    together = ancestor(zone.anchor, parts.settings.runtime.placement_resolution)
    command = MoveZone(
        zone_id=zone.id,
        cell=own_cell(zone.id) if body.own else together,
        author=caller.user_id,
    )
    command_id = id_of_command(caller, "POST /v1/zones/move", key)
    asked = {"zone_id": zone_id, "own": body.own}
    return Json(await carry_out(parts, command, caller, command_id=command_id, asked=asked))


@router.get("/{zone_id}/shops", responses=answers(200, ZoneShopsShown, *_SEEING))
async def get_shops(
    zone_id: PathId, _: Annotated[Caller, granted(Permission.SEE_ZONES)], parts: PartsDep
) -> Json:
    """The shops that a zone knows."""
    zone = await find_zone(parts, zone_id)
    return Json({"zone_id": zone.id, "shops": [to_builtins(one) for one in zone.shops]})


@router.put(
    "/{zone_id}/shops",
    responses=answers(200, ZoneShopsTold, *WITH_COMMAND, UNKNOWN_ZONE, SHOPS_OUTSIDE),
)
async def change_shops(
    zone_id: PathId,
    body: ShopsBody,
    caller: Annotated[Caller, granted(ChangeZoneShops)],
    parts: PartsDep,
) -> Json:
    """Tell a zone its shops, so that couriers wait near those, too, that nobody ordered from yet.

    The list replaces the one before.
    """
    command = ChangeZoneShops(
        zone_id=ZoneId(zone_id),
        shops=tuple(one.point() for one in body.shops),
        author=caller.user_id,
    )
    # The same list again changes nothing, so no key is needed to tell a repetition.
    command_id = CommandId(new_id(parts.clock, parts.chance))
    asked = body.model_dump(mode="json")
    return Json(await carry_out(parts, command, caller, command_id=command_id, asked=asked))


def _zone(zone: Zone) -> dict[str, Any]:
    return {
        "zone_id": zone.id,
        "name_en": zone.name_en,
        "name_ar": zone.name_ar,
        "anchor": zone.anchor,
        "cells": zone.cells,
        "parameters_version": zone.parameters_version,
        "last_version": zone.last_version,
        "parameters": to_builtins(zone.parameters),
        "upcoming": [to_builtins(one) for one in zone.upcoming],
    }


def _cells(body: ZoneBody) -> tuple[CellId, ...]:
    if (body.polygon is None) == (body.cells is None):
        raise Invalid("", "give either polygon or cells")
    if body.cells is not None:
        return _named(body.cells)
    assert body.polygon is not None
    corners = [one.point() for one in body.polygon]
    box_km2 = _box_km2(corners)
    if box_km2 * 7**body.resolution / _CELL_KM2_AT_0 > ZONE_CELLS_MAX:
        raise Invalid("/polygon", "too many cells")
    # H3 cannot fill what has no height or no width.
    cells = cells_in_polygon(corners, body.resolution) if box_km2 else ()
    if not cells:
        raise Invalid("/polygon", "holds the centre of no cell")
    return cells


def _named(names: list[str]) -> tuple[CellId, ...]:
    for number, name in enumerate(names):
        if not is_cell(name):
            raise Invalid(f"/cells/{number}", "is no H3 cell")
    cells = tuple(sorted({CellId(name) for name in names}))
    if len({resolution_of(one) for one in cells}) > 1:
        raise Invalid("/cells", "are of several resolutions")
    return cells


def _box_km2(corners: list[Point]) -> float:
    """An upper bound: a degree is nowhere longer than at the equator."""
    lats, lngs = [one.lat for one in corners], [one.lng for one in corners]
    return 111.4**2 * (max(lats) - min(lats)) * (max(lngs) - min(lngs))
