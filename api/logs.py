"""How the processes of the edge write their log: a line of JSON for everything that happened."""

import io
import sys
from contextlib import suppress
from typing import Any, TextIO, cast

import msgspec
import structlog

_encode = msgspec.json.Encoder(enc_hook=str).encode


class _Forgiving(io.TextIOBase):
    """What cannot be written is dropped: a full disk must not end a request."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


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
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", _Forgiving(sys.stderr))),
    )


def _line(event: Any, **_: Any) -> str:  # noqa: ANN401 - an event holds anything
    return _encode(event).decode()
