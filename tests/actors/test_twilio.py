"""The text message provider, as a server on this machine that speaks its protocol."""

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import parse_qs

import msgspec
import pytest
from pydantic import SecretStr

from actors.clock import SystemClock
from actors.gateways.settings import SmsProvider, SmsSettings
from actors.gateways.sms import SmsFailed, SmsRejected, SmsUncertain
from actors.gateways.twilio import TwilioSms
from tests.listening import listening

PHONE: Final = "+966500000001"
QUICK: Final = SystemClock()
SILENCE, GONE = 0, -1


class Provider:
    """Answers with these statuses, one for each request, and 201 after that."""

    def __init__(self, *statuses: int) -> None:
        self._statuses: Iterator[int] = iter(statuses)
        self.requests: list[tuple[str, dict[str, str], dict[str, str]]] = []

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := (await reader.readuntil(b"\r\n\r\n")).decode():
            first, *lines = head.strip().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in lines if ": " in line)
            raw = dict(line.split(": ", 1) for line in lines if ": " in line)
            body = (await reader.readexactly(int(headers["content-length"]))).decode()
            form = {name: found[0] for name, found in parse_qs(body).items()}
            self.requests.append((first, raw, form))
            status = next(self._statuses, 201)
            if status == SILENCE:
                await reader.read()
            if status in (SILENCE, GONE):
                return
            writer.write(answer_of(status))
            await writer.drain()


def answer_of(status: int) -> bytes:
    body = msgspec.json.encode(
        {"sid": "SM1", "status": "queued", "to": PHONE}
        if status == 201
        else {"code": 21211, "message": f"Invalid 'To' {PHONE}", "status": status}
    )
    wait = "retry-after: 0\r\n" if status == 429 else ""
    head = f"HTTP/1.1 {status} X\r\ncontent-length: {len(body)}\r\n{wait}\r\n"
    return head.encode() + body


@asynccontextmanager
async def talking_to(provider: Provider, **fields: object) -> AsyncIterator[TwilioSms]:
    async with listening(provider.answer) as where:
        settings = SmsSettings.model_validate(
            {
                "provider": SmsProvider.TWILIO,
                "account": "AC1",
                "token": SecretStr("hush"),
                "url": f"http://{where}",
                "timeout_s": 0.3,
                **fields,
            }
        )
        async with TwilioSms(settings, QUICK) as sms:
            yield sms


async def test_a_message_is_sent_as_the_provider_wants_it() -> None:
    provider = Provider()
    async with talking_to(provider) as sms:
        await sms.send(PHONE, "رمز 012345 & more", "key-1")
    ((first, headers, form),) = provider.requests
    assert first == "POST /2010-04-01/Accounts/AC1/Messages.json HTTP/1.1"
    sent = {name.lower(): one for name, one in headers.items()}
    assert sent["authorization"] == "Basic " + base64.b64encode(b"AC1:hush").decode()
    assert sent["content-type"] == "application/x-www-form-urlencoded"
    assert form == {"To": PHONE, "From": "Hadiyati", "Body": "رمز 012345 & more"}


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_what_was_not_taken_is_offered_again(status: int) -> None:
    provider = Provider(status)
    async with talking_to(provider) as sms:
        await sms.send(PHONE, "x", "key-1")
    assert len(provider.requests) == 2


async def test_in_the_end_it_was_not_taken_and_may_be_sent_with_the_same_key() -> None:
    provider = Provider(503, 503)
    async with talking_to(provider, tries=2) as sms:
        with pytest.raises(SmsFailed) as failed:
            await sms.send(PHONE, "x", "key-1")
        assert not isinstance(failed.value, SmsUncertain)
        await sms.send(PHONE, "x", "key-1")
    assert len(provider.requests) == 3


async def test_a_refusal_is_final_and_says_nothing_of_the_phone() -> None:
    provider = Provider(400)
    async with talking_to(provider) as sms:
        with pytest.raises(SmsRejected, match="status 400, code 21211") as refused:
            await sms.send(PHONE, "x", "key-1")
    assert PHONE not in str(refused.value)
    assert len(provider.requests) == 1


@pytest.mark.parametrize("status", [SILENCE, GONE])
async def test_what_may_have_been_taken_is_never_sent_twice(status: int) -> None:
    provider = Provider(status)
    async with talking_to(provider) as sms:
        for _ in range(2):
            with pytest.raises(SmsUncertain):
                await sms.send(PHONE, "x", "key-1")
        assert len(provider.requests) == 1
        await sms.send(PHONE, "x", "key-2")


async def test_the_same_key_again_is_the_same_message() -> None:
    provider = Provider()
    async with talking_to(provider) as sms:
        await asyncio.gather(*(sms.send(PHONE, "x", "key-1") for _ in range(5)))
        await sms.send(PHONE, "x", "key-1")
        await sms.send(PHONE, "x", "key-2")
    assert len(provider.requests) == 2


async def test_a_provider_that_is_not_there_fails_for_certain() -> None:
    settings = SmsSettings(account="AC1", url="http://127.0.0.1:1", tries=2)
    async with TwilioSms(settings, QUICK) as sms:
        with pytest.raises(SmsFailed) as failed:
            await sms.send(PHONE, "x", "key-1")
    assert not isinstance(failed.value, SmsUncertain)
