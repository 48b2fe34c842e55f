"""The virus scanner, asked in its own protocol."""

import asyncio
import ssl
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import ValidationError

from actors.gateways.clamd import Clamd, NoScanner, ScannerUnavailable, open_scanner
from actors.gateways.settings import ScannerSettings
from tests.certificates import certificate
from tests.listening import listening

# The test file of EICAR, in two parts, so that this file is not taken for it.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


class FakeClamd:
    """Speaks INSTREAM: chunks with their lengths before them, an empty one at the end."""

    def __init__(self) -> None:
        self.says: Callable[[bytes], bytes | None] = found_or_not
        self.seen: list[bytes] = []

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readexactly(10) == b"zINSTREAM\0"
        content = b""
        while length := struct.unpack(">I", await reader.readexactly(4))[0]:
            content += await reader.readexactly(length)
        self.seen.append(content)
        told = self.says(content)
        if told is None:
            await reader.read()
        else:
            writer.write(told)
            await writer.drain()


def found_or_not(content: bytes) -> bytes:
    return b"stream: Eicar-Test-Signature FOUND\0" if EICAR in content else b"stream: OK\0"


@asynccontextmanager
async def a_clamd(timeout_s: float = 30) -> AsyncIterator[tuple[FakeClamd, Clamd]]:
    fake = FakeClamd()
    async with listening(fake.answer) as where:
        yield fake, Clamd(ScannerSettings(address=where, timeout_s=timeout_s))


async def test_all_of_a_file_is_looked_at() -> None:
    async with a_clamd() as (fake, clamd):
        long = bytes(range(256)) * 1000
        assert await clamd.is_clean(long)
        assert not await clamd.is_clean(b"photo" + EICAR)
        assert fake.seen == [long, b"photo" + EICAR]


@pytest.mark.parametrize(
    "told",
    [
        b"INSTREAM size limit exceeded. ERROR\0",
        b"stream: broken ERROR\0",
        b"",
        b"what?\0",
    ],
)
async def test_an_answer_that_is_no_verdict_is_none(told: bytes) -> None:
    async with a_clamd() as (fake, clamd):
        fake.says = lambda _: told
        with pytest.raises(ScannerUnavailable):
            await clamd.is_clean(b"photo")


async def test_a_silent_scanner_is_not_waited_for() -> None:
    async with a_clamd(timeout_s=0.05) as (fake, clamd):
        fake.says = lambda _: None
        with pytest.raises(ScannerUnavailable):
            await clamd.is_clean(b"photo")


async def test_a_scanner_that_is_away_or_not_set_is_said_to_be() -> None:
    for settings in (ScannerSettings(address="127.0.0.1:9"), ScannerSettings()):
        with pytest.raises(ScannerUnavailable):
            await open_scanner(settings).is_clean(b"photo")
    assert isinstance(open_scanner(ScannerSettings()), NoScanner)


def test_a_scanner_that_is_required_must_be_somewhere() -> None:
    with pytest.raises(ValidationError, match="set where clamd listens"):
        ScannerSettings(is_required=True)


async def test_under_tls_only_who_shows_a_trusted_certificate_is_asked(tmp_path: Path) -> None:
    fake, trusted, other = FakeClamd(), *(certificate(tmp_path / one) for one in ("a", "b"))
    shown = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    shown.load_cert_chain(trusted)
    async with listening(fake.answer, shown) as where:
        settings = ScannerSettings(address=where, timeout_s=30, tls=True, ca_file=trusted)
        assert await Clamd(settings).is_clean(b"photo")
        with pytest.raises(ScannerUnavailable):
            await Clamd(settings.model_copy(update={"ca_file": other})).is_clean(b"photo")
    assert fake.seen == [b"photo"]
