"""What takes files from people, and what writes files for them."""

from fastapi import FastAPI

from actors.uploads import Uploads
from api.parts import Parts
from api.sheet_writing import SheetWriter


def open_uploads(parts: Parts) -> Uploads:
    """What looks at files, makes them anew and keeps them."""
    return Uploads(
        parts.uploads,
        parts.objects,
        parts.scanner,
        parts.settings.uploads,
        scan_is_required=parts.settings.scanner.is_required,
        clock=parts.wall,
    )


def open_sheets(app: FastAPI, parts: Parts) -> SheetWriter:
    """What writes lists into files, to be run as long as the application."""
    app.state.sheets = writer = SheetWriter(parts)
    return writer
