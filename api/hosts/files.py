"""What takes files from people."""

from actors.uploads import Uploads
from api.parts import Parts


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
