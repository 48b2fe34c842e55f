"""The description of the socket: AsyncAPI 3.0, made from the types of its frames."""

from typing import Any, Final, get_args

import msgspec

from api.sockets.close_codes import MEANINGS
from api.sockets.frame_examples import OF_THE_APP, OF_THE_SERVER
from api.sockets.frames import Incoming
from api.sockets.server_frames import Outgoing

_REF: Final = "#/components/schemas/"
_ABOUT: Final = """\
What is live: orders, couriers' work, conversations and zones over one WebSocket. docs/protocol.md
section 6 tells how the frames belong together. A binary message of the app holds positions, 20
bytes each, little endian: i4 latitude in 1e-7 degrees, i4 longitude, i8 time in milliseconds, u2
accuracy in decimetres, u2 flags (1: mocked)."""


def socket_document() -> dict[str, Any]:
    """The document."""
    by_app, by_server = _types(Incoming), _types(Outgoing)
    _, schemas = msgspec.json.schema_components(
        (*by_app.values(), *by_server.values()), ref_template=_REF + "{name}"
    )
    messages = {
        **_messages(by_app, OF_THE_APP),
        **_messages(by_server, OF_THE_SERVER),
    }
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Hadiyati", "version": "1", "description": _ABOUT},
        "defaultContentType": "application/json",
        "channels": {
            "socket": {
                "address": "/v1/socket",
                "messages": {one: {"$ref": f"#/components/messages/{one}"} for one in messages},
                "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
                "x-close-codes": [
                    {"code": int(code), "meaning": meaning, "final": code.is_final}
                    for code, meaning in MEANINGS.items()
                ],
            }
        },
        "operations": {
            "said_by_the_app": _operation("receive", by_app),
            "said_by_the_server": _operation("send", by_server),
        },
        "components": {
            "messages": messages,
            "schemas": msgspec.json.decode(msgspec.json.encode(schemas)),
        },
    }


def _types(union: object) -> dict[str, type[msgspec.Struct]]:
    """The frames of a union by the `type` that they carry."""
    return {str(one.__struct_config__.tag): one for one in get_args(union)}


def _messages(
    types: dict[str, type[msgspec.Struct]], examples: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    return {
        tag: {
            "name": tag,
            "summary": (one.__doc__ or "").strip().partition("\n")[0],
            "payload": {"$ref": _REF + one.__name__},
            "examples": [{"payload": {"type": tag, **examples[tag]}}],
        }
        for tag, one in types.items()
    }


def _operation(action: str, types: dict[str, type[msgspec.Struct]]) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": "#/channels/socket"},
        "messages": [{"$ref": f"#/channels/socket/messages/{tag}"} for tag in types],
    }
