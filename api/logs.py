"""How the processes of the edge write their log: a line of JSON for everything that happened."""

import io
import sys
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, Final, NamedTuple, TextIO, cast

import msgspec
import structlog
from structlog.typing import EventDict, WrappedLogger


class RequestNames(NamedTuple):
    """What every line that is written on behalf of a request says."""

    request_id: str
    trace_id: str


# One variable, for each costs every request its setting and resetting.
REQUEST: Final[ContextVar[RequestNames | None]] = ContextVar("request", default=None)
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
            add_request,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=_line),
        ],
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", _Forgiving(sys.stderr))),
    )


def add_request(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The processor that says on whose behalf a line is written."""
    request = REQUEST.get()
    if request is not None:
        event["request_id"], event["trace_id"] = request
    return event


def _line(event: Any, **_: Any) -> str:  # noqa: ANN401 - an event holds anything
    return _encode(event).decode()
