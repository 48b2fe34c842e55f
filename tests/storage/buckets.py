"""Servers that speak as much of three object stores' protocols as is needed, and check who asks."""

import asyncio
import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol
from urllib.parse import parse_qs, quote, unquote, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

_BATCH: Final = "batch_answer"
_BEARER: Final = re.compile(r"Bearer [\w-]+\.[\w-]+\.[\w-]+$")
_GOOGLE: Final = "storage.googleapis.com"
_SECRET: Final = b"secret"


class Fault(StrEnum):
    """What a bucket does instead of what it should."""

    REFUSES = "refuses"
    FAILS = "fails"
    IS_SILENT = "is_silent"
    HANGS_UP = "hangs_up"
    CUTS_SHORT = "cuts_short"


@dataclass(frozen=True)
class Asked:
    """One request; `path` is as it was sent, without what was asked behind it."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes

    def one(self, name: str) -> str:
        """What the query says under a name, or nothing."""
        return self.query.get(name, [""])[0]


@dataclass(frozen=True)
class Told:
    """One answer."""

    status: int
    kind: str = "text/plain"
    body: bytes = b""


class Protocolled(Protocol):
    """A protocol: how a store is opened, and what a request comes to."""

    url: str

    def options(self, where: str) -> dict[str, str]:
        """What the settings say to speak with a server at `host:port`."""
        ...

    def answer(self, kept: dict[str, tuple[bytes, str]], asked: Asked) -> Told:
        """What becomes of one request; objects are kept by `/bucket/key`."""
        ...


class Bucket:
    """A server around a protocol."""

    def __init__(self, protocol: Protocolled) -> None:
        self.protocol = protocol
        self.kept: dict[str, tuple[bytes, str]] = {}
        self.fault: Fault | None = None

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        told = self._told(await _read(reader))
        if self.fault is Fault.IS_SILENT:
            await reader.read()
        if self.fault is Fault.HANGS_UP:
            return
        # What is cut off must not be taken for the whole.
        length = len(told.body) + (9 if self.fault is Fault.CUTS_SHORT else 0)
        writer.write(
            f"HTTP/1.1 {told.status} -\r\ncontent-length: {length}\r\n"
            f"content-type: {told.kind}\r\n"
            'etag: "1"\r\nx-goog-generation: 1\r\nlast-modified: Wed, 25 Nov 2026 10:00:00 GMT\r\n'
            "connection: close\r\n\r\n".encode()
            + told.body
        )
        await writer.drain()

    def _told(self, asked: Asked) -> Told:
        if self.fault is Fault.REFUSES:
            return Told(403)
        if self.fault is Fault.FAILS:
            return Told(500)
        return self.protocol.answer(self.kept, asked)


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    method, target, _ = head.split(" ", 2)
    lines = (line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
    headers = {name.lower(): value for name, value in lines}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    split = urlsplit(target)
    return Asked(method, split.path, parse_qs(split.query), headers, body)


class S3:
    """Amazon's: objects by path, deleted several at a time by a document."""

    url = "s3://gifts/here"

    def options(self, where: str) -> dict[str, str]:
        return {
            "access_key_id": "us",
            "secret_access_key": "secret",
            "region": "r",
            "endpoint": f"http://{where}",
        }

    def answer(self, kept: dict[str, tuple[bytes, str]], asked: Asked) -> Told:
        is_signed = asked.one("X-Amz-Signature") and asked.one("X-Amz-Expires") == "60"
        if not is_signed and not asked.headers.get("authorization", "").startswith("AWS4-HMAC"):
            return Told(403)
        if asked.method == "PUT":
            kept[asked.path] = (asked.body, asked.headers["content-type"])
            return Told(200)
        if asked.method == "POST":
            keys = re.findall(r"<Key>(.*?)</Key>", asked.body.decode())
            for key in keys:
                kept.pop(f"{asked.path}/{key}", None)
            gone = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
            return Told(200, "application/xml", f"<DeleteResult>{gone}</DeleteResult>".encode())
        if asked.path not in kept:
            return Told(404, "application/xml", b"<Error><Code>NoSuchKey</Code></Error>")
        body, kind = kept[asked.path]
        return Told(200, kind, body)


class Gcs:
    """Google's: the XML interface; who asks shows a signed token, or an address signed by RSA."""

    url = "gs://gifts/here"

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def options(self, where: str) -> dict[str, str]:
        pem = self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        account = {
            "client_email": "us@example.com",
            "private_key": pem.decode(),
            "private_key_id": "1",
        }
        return {"base_url": f"http://{where}", "service_account_key": json.dumps(account)}

    def answer(self, kept: dict[str, tuple[bytes, str]], asked: Asked) -> Told:
        shown = asked.headers.get("authorization", "")
        if not _BEARER.match(shown) and not self._is_signed(asked):
            return Told(403)
        path = unquote(asked.path)
        if asked.method == "PUT":
            kept[path] = (asked.body, asked.headers["content-type"])
            return Told(200)
        if path not in kept:
            return Told(404, "application/xml", b"<Error><Code>NoSuchKey</Code></Error>")
        body, kind = kept[path]
        if asked.method == "DELETE":
            del kept[path]
            return Told(204)
        return Told(200, kind, body)

    def _is_signed(self, asked: Asked) -> bool:
        """By what the documentation calls V4 signing with an RSA key."""
        signed = sorted(
            f"{name}={quote(values[0], safe='')}"
            for name, values in asked.query.items()
            if name != "X-Goog-Signature"
        )
        # Addresses are signed for Google's own host, wherever `base_url` leads.
        request = (asked.method, asked.path, "&".join(signed), f"host:{_GOOGLE}")
        canonical = "\n".join((*request, "", "host", "UNSIGNED-PAYLOAD"))
        at = asked.one("X-Goog-Date")
        scope = f"{at[:8]}/auto/storage/goog4_request"
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        text = "\n".join(("GOOG4-RSA-SHA256", at, scope, digest))
        signature = bytes.fromhex(asked.one("X-Goog-Signature"))
        try:
            self._key.public_key().verify(signature, text.encode(), PKCS1v15(), SHA256())
        except InvalidSignature:
            return False
        return asked.one("X-Goog-Expires") == "60"


class Azure:
    """Microsoft's: blobs in a container, deleted by a batch; addresses are signed with its key."""

    url = "az://gifts/here"

    def options(self, where: str) -> dict[str, str]:
        return {
            "account_name": "us",
            "account_key": base64.b64encode(_SECRET).decode(),
            "endpoint": f"http://{where}/us",
        }

    def answer(self, kept: dict[str, tuple[bytes, str]], asked: Asked) -> Told:
        is_known = asked.headers.get("authorization", "").startswith("SharedKey us:")
        # Where a host does not name the account, as an emulator's does not, the path does.
        path = asked.path.removeprefix("/us")
        if not is_known and not self._is_signed(asked):
            return Told(403)
        if asked.method == "PUT":
            assert asked.headers["x-ms-blob-type"] == "BlockBlob"
            kept[path] = (asked.body, asked.headers["x-ms-blob-content-type"])
            return Told(201)
        if asked.one("comp") == "batch":
            paths = re.findall(r"DELETE /us(\S+) HTTP", asked.body.decode())
            lines = [_deleted(at, kept.pop(one, None)) for at, one in enumerate(paths)]
            told = "".join(lines) + f"--{_BATCH}--\r\n"
            return Told(202, f"multipart/mixed; boundary={_BATCH}", told.encode())
        if path not in kept:
            return Told(404, "application/xml", b"<Error><Code>BlobNotFound</Code></Error>")
        body, kind = kept[path]
        return Told(200, kind, body)

    def _is_signed(self, asked: Asked) -> bool:
        """A service's shared access signature, as of version 2020-12-06."""
        told = [asked.one(name) for name in ("sp", "st", "se")]
        told += [f"/blob{asked.path}", "", "", "", asked.one("sv"), asked.one("sr"), "", ""]
        text = "\n".join([*told, *[""] * 5])
        made = hmac.new(_SECRET, text.encode(), hashlib.sha256).digest()
        return asked.one("sp") == "r" and asked.one("sig") == base64.b64encode(made).decode()


def _deleted(at: int, gone: object) -> str:
    status = "404 -\r\nx-ms-error-code: BlobNotFound" if gone is None else "202 Accepted"
    return (
        f"--{_BATCH}\r\nContent-Type: application/http\r\nContent-ID: {at}\r\n\r\n"
        f"HTTP/1.1 {status}\r\nx-ms-request-id: 1\r\n\r\n"
    )
