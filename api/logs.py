"""How the processes of the edge write their log: a line of JSON for everything that happened."""

import sys
from typing import Any

import msgspec
import structlog

_encode = msgspec.json.Encoder(enc_hook=str).encode


def write_logs() -> None:
    """Write to standard error. A trace is plain text: drawing its variables takes minutes."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=_line),
        ],
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )


def _line(event: Any, **_: Any) -> str:  # noqa: ANN401 - an event holds anything
    return _encode(event).decode()
