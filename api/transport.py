"""Which settings would have the service speak in the clear to somebody beyond this machine."""

import ipaddress
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

import msgspec

if TYPE_CHECKING:
    from api.settings import Settings

# Only with this mode does PostgreSQL's client look whose certificate it is.
_WHOLE: Final = "verify-full"
_BUCKET_ADDRESSES: Final = ("endpoint", "base_url")


def in_the_clear(settings: "Settings") -> Iterator[str]:
    """What must be set otherwise, a sentence for each; nothing where all is under TLS."""
    if (dsn := settings.database.dsn) and not _is_whole_dsn(dsn.get_secret_value()):
        yield f"database.dsn needs sslmode={_WHOLE}"
    if (url := settings.redis.url) and not _is_whole_url(url.get_secret_value()):
        yield "redis.url needs rediss:// and must not switch off the look at certificates"
    scanner = settings.scanner
    if scanner.address and not scanner.tls and not _is_here(scanner.address.rpartition(":")[0]):
        yield "scanner.address needs scanner.tls"
    if any(
        _is_clear(one) for one in _bucket_addresses(settings.objects.options.get_secret_value())
    ):
        yield "objects.options need an address with https://"


def _is_whole_dsn(dsn: str) -> bool:
    told = urlsplit(dsn)
    asked = parse_qs(told.query)
    # Several hosts are divided by commas, and a query may name others.
    hosts = [*told.netloc.rpartition("@")[2].split(","), *asked.get("host", [])]
    return asked.get("sslmode") == [_WHOLE] or all(
        _is_here(urlsplit(f"//{one}").hostname or one) for one in hosts
    )


def _is_whole_url(url: str) -> bool:
    told = urlsplit(url)
    asked = parse_qs(told.query)
    is_looked_at = asked.get("ssl_cert_reqs", ["required"]) == ["required"]
    is_named = asked.get("ssl_check_hostname", ["true"])[0].lower() in {"true", "1", "yes"}
    is_whole = told.scheme == "rediss" and is_looked_at and is_named
    return is_whole or told.scheme == "unix" or _is_here(told.hostname or "")


def _is_here(host: str) -> bool:
    if host == "localhost" or host.startswith("/"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _bucket_addresses(options: str) -> Iterator[str]:
    told: dict[str, Any] = msgspec.json.decode(options) if options else {}
    for name in _BUCKET_ADDRESSES:
        if address := told.get(name):
            yield str(address)


def _is_clear(address: str) -> bool:
    told = urlsplit(address)
    return told.scheme != "https" and not _is_here(told.hostname or "")
