"""The commands that print what is made from the code, or write it into docs."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

DOCS = Path(__file__).parents[2] / "docs"
Write = Annotated[
    bool, typer.Option("--write", help="Write it into its file in docs instead of printing it.")
]


def openapi(
    write: Write = False,
    release: Annotated[
        str, typer.Option(help="Keep it, without examples, as what was released with this version.")
    ] = "",
) -> None:
    """Print or write the description of the REST interface."""
    from api.description import document
    from api.examples import without_examples

    if release:
        text = json.dumps(without_examples(document()), ensure_ascii=False, sort_keys=True)
        _out(text + "\n", f"api/released/{release}.json", write=True)
        return
    _out(json.dumps(document(), indent=1, ensure_ascii=False) + "\n", "openapi.json", write)


def pages() -> None:
    """Make the parts of the pages in docs/api that are made."""
    from api.pages import FOLDER, filled

    for file in sorted(FOLDER.glob("*.md")):
        file.write_text(filled(file.read_text("utf-8")), "utf-8")


def clients(
    out: Annotated[Path, typer.Option(help="Folder for them.")] = Path("dist/clients"),
) -> None:
    """Write the typed client in Dart, and the description from which one in TypeScript is made."""
    from api.clients.dart import dart_client
    from api.clients.document import for_clients
    from api.description import document

    described = for_clients(document())
    out.mkdir(parents=True, exist_ok=True)
    (out / "hadiyati.dart").write_text(dart_client(described), "utf-8")
    (out / "openapi.json").write_text(json.dumps(described, ensure_ascii=False), "utf-8")


def asyncapi(write: Write = False) -> None:
    """Print or write the description of the socket."""
    from api.sockets.asyncapi import socket_document

    text = json.dumps(socket_document(), indent=1, ensure_ascii=False) + "\n"
    _out(text, "asyncapi.json", write)


def list_settings(write: Write = False) -> None:
    """Print or write the table of all settings."""
    from api.settings_table import table

    _out(table(), "settings.md", write)


def list_parameters(write: Write = False) -> None:
    """Print or write the table of all zone parameters."""
    from api.parameters_table import table

    _out(table(), "parameters.md", write)


def _out(text: str, name: str, write: bool) -> None:
    if write:
        (DOCS / name).write_text(text, "utf-8")
    else:
        sys.stdout.write(text)
