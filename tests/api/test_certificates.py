"""The API under TLS of its own."""

import asyncio
import http.client
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from actors.settings import RuntimeKind, RuntimeSettings
from api.certificates import UnusableCertificate, certificate_shown
from api.edge_settings import EdgeSettings
from api.settings import Settings
from api.sockets.close_codes import Close
from api.up import CannotStart, running_system
from tests.certificates import certificate

LOCAL = RuntimeSettings(kind=RuntimeKind.LOCAL)


def edge(file: Path, key: Path | None = None) -> EdgeSettings:
    """Whose certificate it is, told in a file with its key, or in two."""
    return EdgeSettings(
        port=0, certificate_file=file, certificate_key_file=key or file, authenticate_s=0.5
    )


@pytest.mark.journey
def test_requests_and_sockets_go_under_tls_and_nothing_goes_in_the_clear(tmp_path: Path) -> None:
    shown, other = certificate(tmp_path / "a.pem"), certificate(tmp_path / "b.pem")
    trusting, doubting, old = (
        ssl.create_default_context(cafile=one) for one in (shown, other, shown)
    )
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    old.set_ciphers("AES128-SHA")
    settings = Settings(edge=edge(shown), runtime=LOCAL)
    with running_system(settings, print, throwaway=True) as system:
        assert system.state()["status"] == "ready"
        assert system.url.startswith("https://127.0.0.1:")
        where = urlsplit(system.url).netloc
        assert answered(http.client.HTTPSConnection(where, context=trusting)) == 200
        for refused in (doubting, old):
            with pytest.raises(ssl.SSLError):
                answered(http.client.HTTPSConnection(where, context=refused))
        with pytest.raises((http.client.HTTPException, OSError)):
            answered(http.client.HTTPConnection(where))

        async def silent_phone() -> int | None:
            address = system.url.replace("http", "ws") + "/v1/socket"
            async with connect(address, ssl=trusting) as socket:
                with pytest.raises(ConnectionClosed):
                    await socket.recv()
            return socket.close_code

        assert asyncio.run(silent_phone()) == Close.NOT_AUTHENTICATED


def answered(connection: http.client.HTTPConnection) -> int:
    connection.timeout = 60
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status
    finally:
        connection.close()


def test_what_cannot_be_shown_is_told_before_anything_starts(tmp_path: Path) -> None:
    whole, other = certificate(tmp_path / "a.pem"), certificate(tmp_path / "b.pem")
    locked = certificate(tmp_path / "locked.pem", password=b"unknown")
    for unusable in (
        EdgeSettings(certificate_file=whole),
        EdgeSettings(certificate_key_file=whole),
        edge(tmp_path / "missing.pem"),
        edge(whole, other),
        edge(locked),
    ):
        with pytest.raises(UnusableCertificate, match=r"edge\.certificate_key_file"):
            certificate_shown(unusable)
        with (
            pytest.raises(CannotStart, match=r"edge\.certificate_key_file"),
            running_system(Settings(edge=unusable, runtime=LOCAL), print, throwaway=True),
        ):
            pytest.fail("it must not start")
