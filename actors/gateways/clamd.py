"""The virus scanner: whoever speaks the protocol of clamd (INSTREAM), as ClamAV does."""

import asyncio
import ssl
import struct
from typing import Final, Protocol

import structlog

from actors.gateways.settings import ScannerSettings

_CHUNK_BYTES: Final = 64 * 1024
_LENGTH: Final = struct.Struct(">I")


class ScannerUnavailable(Exception):
    """The scanner is away or too slow, or could not look at all of it."""


class Scanner(Protocol):
    """Looks for viruses."""

    async def is_clean(self, content: bytes) -> bool:
        """Whether nothing was found; raises `ScannerUnavailable`."""
        ...


class NoScanner:
    """Where none is set: it has looked at nothing, and says so."""

    async def is_clean(self, content: bytes) -> bool:
        del content
        raise ScannerUnavailable("none is set")


class Clamd:
    """Asks a clamd over TCP (clamd(8), INSTREAM), on a connection for each file."""

    def __init__(self, settings: ScannerSettings) -> None:
        self._host, _, self._port = settings.address.rpartition(":")
        self._timeout_s = settings.timeout_s
        self._tls = ssl.create_default_context(cafile=settings.ca_file) if settings.tls else None

    async def is_clean(self, content: bytes) -> bool:
        try:
            async with asyncio.timeout(self._timeout_s):
                told = await self._ask(content)
        except (OSError, EOFError, asyncio.LimitOverrunError) as error:
            raise ScannerUnavailable(type(error).__name__) from error
        if told.endswith("FOUND"):
            structlog.get_logger(__name__).warning("virus_found", told=told)
            return False
        if not told.endswith("OK"):
            raise ScannerUnavailable(told)
        return True

    async def _ask(self, content: bytes) -> str:
        """The file in chunks with their lengths before them, an empty one at the end."""
        reader, writer = await asyncio.open_connection(self._host, int(self._port), ssl=self._tls)
        try:
            writer.write(b"zINSTREAM\0")
            for begin in range(0, len(content), _CHUNK_BYTES):
                chunk = content[begin : begin + _CHUNK_BYTES]
                writer.write(_LENGTH.pack(len(chunk)) + chunk)
                await writer.drain()
            writer.write(_LENGTH.pack(0))
            return (await reader.readuntil(b"\0")).rstrip(b"\0").decode(errors="replace")
        finally:
            writer.close()


def open_scanner(settings: ScannerSettings) -> Scanner:
    """As the settings say."""
    return Clamd(settings) if settings.address else NoScanner()
