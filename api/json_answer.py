"""An answer in JSON, written by msgspec, which knows our structs."""

import msgspec
from starlette.responses import Response

encode = msgspec.json.Encoder().encode


class Json(Response):
    """Any value that msgspec can write."""

    media_type = "application/json"

    def render(self, content: object) -> bytes:
        """The body."""
        return encode(content)
