"""Files over the wire: sent, seen by whom they should be, and refused."""

import asyncio
from pathlib import Path

import httpx2
import pytest

from actors.gateways.clamd import ScannerUnavailable
from actors.gateways.settings import ScannerSettings
from actors.settings import UploadSettings
from tests.api.town import Person, Town, a_town
from tests.builders import new_id
from tests.files import SCRIPT, SECRET, a_document, a_drawing, a_photo


class TestScanner:
    """Says what it is told to say."""

    __test__ = False

    def __init__(self, *, finds: bool = False, is_away: bool = False) -> None:
        self.finds, self.is_away = finds, is_away

    async def is_clean(self, content: bytes) -> bool:
        if self.is_away:
            raise ScannerUnavailable("away")
        return not self.finds


async def send(
    person: Person, content: bytes, *, key: str | None = None, **query: str
) -> httpx2.Response:
    headers = {
        **person.headers,
        "Idempotency-Key": key or person.town.key(),
        "Content-Type": "image/png",
    }
    return await person.town.client.post(
        "/v1/uploads",
        params={"purpose": "chat_attachment", **query},
        content=content,
        headers=headers,
    )


async def test_a_photo_is_sent_and_seen_by_its_signed_address(town: Town) -> None:
    customer, stranger = await town.log_in("customer"), await town.log_in("customer")
    sent = await send(customer, a_photo())
    assert sent.status_code == 201, sent.text
    told = sent.json()
    assert (told["media_type"], told["width"], told["is_scanned"]) == ("image/jpeg", 64, False)
    seen = await town.client.get(told["url"])
    assert (seen.status_code, seen.headers["content-type"]) == (200, "image/jpeg")
    assert seen.headers["content-disposition"].startswith("inline")
    assert "sandbox" in seen.headers["content-security-policy"]
    assert seen.headers["x-content-type-options"] == "nosniff"
    assert SECRET.encode() not in seen.content
    shown = f"/v1/uploads/{told['upload_id']}"
    assert (await customer.get(shown)).json()["upload_id"] == told["upload_id"]
    assert (await stranger.get(shown)).json()["code"] == "unknown_upload"
    assert (await (await town.operator()).get(shown)).status_code == 200


async def test_a_document_is_kept_and_not_shown_by_a_browser(town: Town) -> None:
    courier = await town.log_in("courier")
    told = (await send(courier, a_document(), purpose="document")).json()
    seen = await town.client.get(told["url"])
    assert seen.headers["content-disposition"].startswith("attachment")
    assert b"JavaScript" not in seen.content


async def test_the_same_file_with_the_same_key_is_the_same(town: Town) -> None:
    customer, key = await town.log_in("customer"), town.key()
    first = (await send(customer, a_drawing(), key=key)).json()
    again = (await send(customer, a_drawing(), key=key)).json()
    assert again["upload_id"] == first["upload_id"]
    other = await send(customer, a_photo(), key=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_who_may_send_what_about_which_order(town: Town) -> None:
    customer, stranger = await town.log_in("customer"), await town.log_in("customer")
    courier = await town.log_in("courier")
    order_id = await customer.order()
    refused = [
        (await send(customer, a_photo(), purpose="document"), 403, "not_allowed"),
        (await send(stranger, a_photo(), order_id=order_id), 404, "unknown_order"),
        (
            await send(courier, a_photo(), purpose="proof_photo", order_id=order_id),
            404,
            "unknown_order",
        ),
        (await send(courier, a_photo(), purpose="signature"), 404, "unknown_order"),
        (await send(customer, SCRIPT), 422, "not_a_file_for_this"),
        (await send(customer, a_photo(), purpose="../../etc"), 422, "invalid_request"),
    ]
    for answer, status, code in refused:
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await send(customer, a_photo(), order_id=order_id)).status_code == 201


@pytest.mark.parametrize("token", ["..%2F..%2Fetc%2Fpasswd", "AAAA", "%00", "x" * 64])
async def test_no_address_of_a_file_can_be_made_up(town: Town, token: str) -> None:
    assert (await town.client.get(f"/v1/files/{token}")).status_code == 404


async def test_an_address_of_a_file_expires_and_cannot_be_changed(town: Town) -> None:
    customer = await town.log_in("customer")
    url = (await send(customer, a_drawing())).json()["url"]
    changed = url[:-1] + ("A" if url[-1] != "A" else "B")
    assert (await town.client.get(changed[:-3] + "xyz")).json()["code"] == "unknown_link"
    assert (await town.client.get(f"/v1/uploads/{new_id()}")).status_code == 401


async def test_a_file_has_its_own_limits(tmp_path: Path) -> None:
    limits = UploadSettings(bytes_max=64 * 1024, body_s_max=0.3)
    async with a_town(tmp_path, uploads=limits, is_open=False, body_bytes_max=1024) as town:
        customer = await town.log_in("customer")
        noise = a_photo(600, 400) + bytes(30_000)
        assert (await send(customer, noise)).status_code == 201
        assert (await send(customer, a_photo() + bytes(64 * 1024))).status_code == 413

        host, _, port = town.url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            b"POST /v1/uploads?purpose=chat_attachment HTTP/1.1\r\nhost: town\r\n"
            b"idempotency-key: slow-file\r\ncontent-length: 4000\r\n"
            + f"authorization: Bearer {customer.token}\r\n\r\n".encode()
            + a_photo()[:100]
        )
        assert (await reader.readline()).split()[1] == b"408"
        writer.close()
        await writer.wait_closed()


async def test_what_the_scanner_finds_is_not_kept(tmp_path: Path) -> None:
    scanner = TestScanner()
    async with a_town(tmp_path, scanner=scanner, is_open=False) as town:
        customer = await town.log_in("customer")
        assert (await send(customer, a_drawing())).json()["is_scanned"] is True
        scanner.finds = True
        refused = await send(customer, a_drawing())
        assert (refused.status_code, refused.json()["code"]) == (422, "infected_file")


async def test_while_a_required_scanner_is_away_nothing_is_taken(tmp_path: Path) -> None:
    scanner = TestScanner(is_away=True)
    required = ScannerSettings(address="127.0.0.1:9", is_required=True)
    async with a_town(tmp_path, scanner=scanner, scanning=required, is_open=False) as town:
        customer = await town.log_in("customer")
        assert (await send(customer, a_drawing())).status_code == 503
        scanner.is_away = False
        assert (await send(customer, a_drawing())).status_code == 201
