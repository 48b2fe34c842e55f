"""Whether the process lives, and whether each part that it needs serves."""

import asyncio
from collections.abc import Awaitable

from fastapi import APIRouter

from api.answers import Alive, Ready
from api.deps import PartsDep
from api.description import answers
from api.json_answer import Json
from api.parts import Parts
from storage.live import LiveUnavailable
from storage.store import StoreUnavailable

router = APIRouter(tags=["health"])
_OK = "ok"


@router.get("/healthz", responses=answers(200, Alive))
async def is_alive() -> Json:
    """The process answers."""
    return Json({"status": "alive"})


@router.get("/readyz", responses={**answers(200, Ready), 503: {"model": Ready}})
async def is_ready(parts: PartsDep) -> Json:
    """Each part's state; without the live stream everything works, more slowly."""
    database, live, cells = await asyncio.gather(_database(parts), _live(parts), _cells(parts))
    is_fine = database == _OK and all(state == _OK for state in cells.values())
    degraded = "ready" if live == _OK else "degraded"
    body = {
        "status": degraded if is_fine else "not_ready",
        "database": database,
        "live_stream": live,
        "cells": cells,
    }
    return Json(body, 200 if is_fine else 503)


async def _database(parts: Parts) -> str:
    return await _state(parts, parts.store.list_cells())


async def _live(parts: Parts) -> str:
    return await _state(parts, parts.live.tail())


async def _cells(parts: Parts) -> dict[str, str]:
    try:
        async with asyncio.timeout(parts.settings.edge.part_timeout_s):
            return await parts.bus.health()
    except (StoreUnavailable, TimeoutError):
        return {"all": "cannot be asked"}


async def _state(parts: Parts, question: Awaitable[object]) -> str:
    try:
        async with asyncio.timeout(parts.settings.edge.part_timeout_s):
            await question
    except (StoreUnavailable, LiveUnavailable) as error:
        return f"away: {type(error).__name__}"
    except TimeoutError:
        return "does not answer"
    return _OK
