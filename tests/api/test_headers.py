"""What every answer says besides its body, and what a body and its sender may not do."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pydantic import TypeAdapter, ValidationError

from api.bodies import Label, Line
from api.logs import write_logs
from api.trace import trace_of
from tests.api.town import Town, a_town, order_body

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OF_ALL = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-site",
    "referrer-policy": "no-referrer",
    "strict-transport-security": "max-age=63072000; includeSubDomains",
    "x-content-type-options": "nosniff",
}


async def test_every_answer_has_the_same_headers_of_safety(town: Town) -> None:
    customer = await town.log_in("customer")
    for told in (
        await customer.get("/v1/me"),
        await customer.get("/v1/nothing"),
        await customer.post("/v1/quotes", {}),
        await town.client.get("/v1/me"),
        await town.client.get("/healthz"),
        await town.client.delete("/v1/orders"),
    ):
        assert {name: told.headers[name] for name in OF_ALL} == OF_ALL, told.url
    page = await town.client.get("/docs")
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; frame-ancestors 'none'; connect-src 'self'")


async def test_an_answer_goes_on_with_the_trace_of_its_question(town: Town) -> None:
    told = await town.client.get("/v1/clock", headers={"traceparent": PARENT})
    version, trace_id, span_id, flags = told.headers["traceparent"].split("-")
    assert (version, trace_id, flags) == ("00", PARENT.split("-")[1], "01")
    assert span_id != PARENT.split("-")[2]
    begun = [(await town.client.get("/v1/clock")).headers["traceparent"] for _ in range(2)]
    assert begun[0] != begun[1]


async def test_a_log_line_names_the_request_and_its_trace(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    write_logs()
    town.app.state.login = None
    told = await town.client.post(
        "/v1/auth/otp", json={"phone": town.phone()}, headers={"traceparent": PARENT}
    )
    assert told.status_code == 500
    lines = capsys.readouterr().err.splitlines()
    line = next((one for one in lines if "internal_error" in one), "")
    assert f'"trace_id":"{PARENT.split("-")[1]}"' in line
    assert f'"request_id":"{told.headers["x-request-id"]}"' in line


@pytest.mark.parametrize(
    "told",
    [
        "",
        "x",
        PARENT.upper(),
        PARENT.replace("00-", "ff-", 1),
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-0af7651916cd43dd8448eb211c80319c-{'0' * 16}-01",
        PARENT + "-more",
    ],
)
def test_a_malformed_trace_is_begun_anew(told: str) -> None:
    assert trace_of(told).trace_id not in {"0" * 32, PARENT.split("-")[1]}
    assert trace_of(trace_of(told).header).trace_id != "0" * 32


async def test_browsers_are_let_in_from_named_origins_only(tmp_path: Path, town: Town) -> None:
    asked = {"origin": "https://shop.example", "access-control-request-method": "POST"}
    closed = await town.client.options("/v1/quotes", headers=asked)
    assert "access-control-allow-origin" not in closed.headers
    origins = ("https://shop.example",)
    async with a_town(tmp_path, cors_origins=origins, is_open=False) as opened:
        for origin, allowed in (("https://shop.example", True), ("https://evil.example", False)):
            preflight = await opened.client.options(
                "/v1/quotes", headers={**asked, "origin": origin}
            )
            told = await opened.client.get("/v1/clock", headers={"origin": origin})
            for one in (preflight, told):
                assert (one.headers.get("access-control-allow-origin") == origin) is allowed
                assert "access-control-allow-credentials" not in one.headers


async def test_a_long_answer_is_compressed_when_that_is_wanted(town: Town) -> None:
    operator = await town.operator()
    plain = await operator.get("/v1/zones", **{"accept-encoding": "identity"})
    packed = await operator.get("/v1/zones", **{"accept-encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.json() == plain.json()
    assert int(packed.headers["content-length"]) < len(plain.content)


async def test_a_body_that_trickles_in_is_given_up(tmp_path: Path) -> None:
    async with a_town(tmp_path, body_s_max=0.2, is_open=False) as town:
        place = urlsplit(town.url)
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        writer.write(
            b"POST /v1/auth/otp HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
            b"content-length: 100\r\n\r\n{"
        )
        async with asyncio.timeout(30):
            assert (await reader.readline()).startswith(b"HTTP/1.1 408")
        writer.close()


async def test_a_request_with_two_lengths_is_refused(town: Town) -> None:
    place = urlsplit(town.url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    writer.write(
        b"POST /v1/auth/otp HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n"
        b"transfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"
    )
    async with asyncio.timeout(30):
        told = await reader.read()
    assert told.startswith(b"HTTP/1.1 400")
    assert told.count(b"HTTP/1.1") == 1
    writer.close()


@pytest.mark.parametrize(
    ("trusted", "place"), [("127.0.0.1", "203.0.113.9"), ("192.0.2.1", "127.0.0.1")]
)
async def test_only_a_trusted_proxy_says_where_somebody_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trusted: str, place: str
) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", trusted)
    async with a_town(tmp_path, is_open=False) as town:
        town.client.headers["X-Forwarded-For"] = "203.0.113.9"
        customer = await town.log_in("customer")
        (told,) = (await customer.get("/v1/sessions")).json()["sessions"]
    assert told["place"] == place


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("نُورَة", "نُورَة"),
        ("e\u0301", "é"),
        ("\u202eabc\u202c", "abc"),
        ("\u2066a\u2069\u200f\u061c", "a"),
        ("a\x07b\x1b[31m", "ab[31m"),
        ("سطر\nآخر", "سطر\nآخر"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("می\u200cخواهم", "می\u200cخواهم"),
    ],
)
def test_a_text_is_kept_in_one_form_without_what_turns_or_hides(sent: str, kept: str) -> None:
    assert TypeAdapter(Line).validate_python(sent) == kept


@pytest.mark.parametrize("sent", ["", "\u202e", "\x01", "a\x00b", 7, None, ["a"]])
def test_a_name_of_nothing_that_is_seen_is_none(sent: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Label).validate_python(sent, strict=True)


async def test_a_gift_message_cannot_turn_the_courier_s_screen(town: Town) -> None:
    customer = await town.log_in("customer")
    body = order_body(await customer.quote())
    body["gift"]["message"] = "\u202eمبروك\u202c"
    placed = (await customer.post("/v1/orders", body)).json()
    shown = (await customer.get(f"/v1/orders/{placed['order_id']}")).json()
    assert shown["gift"]["message"] == "مبروك"
