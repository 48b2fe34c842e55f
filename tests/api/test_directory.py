"""The directory finds the route that the framework would have found, or leaves it to it."""

import pytest
from fastapi import FastAPI
from starlette.routing import Match
from starlette.types import Scope

from api.app import assemble
from api.directory import ByAddress
from api.route_table import routes_of
from api.server import open_parts
from api.settings import Settings

ID = "018f0000-0000-7000-8000-000000000000"


@pytest.fixture(scope="module")
def app() -> FastAPI:
    settings = Settings()
    return assemble(lambda: open_parts(settings), settings)


def asked(method: str, path: str) -> Scope:
    return {"type": "http", "method": method, "path": path, "headers": [], "root_path": ""}


def test_every_route_is_found_by_its_address_and_as_the_first_that_fits(app: FastAPI) -> None:
    directory = app.router.routes[0]
    assert isinstance(directory, ByAddress)
    declared = routes_of(app.router)
    for route in declared:
        path = "/".join(ID if one.startswith("{") else one for one in route.path.split("/"))
        for method in route.methods or ():
            match, found = directory.matches(asked(method, path))
            first = next(
                one for one in declared if one.matches(asked(method, path))[0] is Match.FULL
            )
            assert (match, found["route"]) == (Match.FULL, first), (method, path)
            assert found["path_params"] == first.matches(asked(method, path))[1]["path_params"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/nothing"),
        ("GET", "/v1/me/"),
        ("GET", "/v1"),
        ("GET", "/"),
        ("GET", ""),
        ("DELETE", "/v1/me"),
        ("BREW", "/v1/me"),
        ("GET", f"/v1/orders/{ID}/timeline/more"),
    ],
)
def test_what_there_is_not_is_left_to_the_framework(app: FastAPI, method: str, path: str) -> None:
    assert app.router.routes[0].matches(asked(method, path))[0] is Match.NONE
