"""What is logged names nobody: no phone, name, address, code or token stands in a line."""

import io
import sys
from typing import Any

import pytest
import structlog

from api.logs import write_logs
from tests.api.town import Town, order_body


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """The log of this process, as it is written in production."""
    lines = io.StringIO()
    monkeypatch.setattr(sys, "stderr", lines)
    write_logs()
    return lines


async def test_a_day_with_its_faults_leaves_nothing_personal_in_the_log(
    written: io.StringIO, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    structlog.get_logger("test").warning("the_log_is_heard")
    customer = await town.log_in("customer")
    told = {"name_en": "Nouraxyz", "email": "nouraxyz@example.com", "birth_date": "1990-02-28"}
    await town.client.patch(
        "/v1/profile", json=told, headers={**customer.headers, "If-Match": '"1"'}
    )
    quote_id = await customer.quote()
    await customer.post("/v1/orders", order_body(quote_id))
    socket = await customer.socket()
    await socket.send({"type": "subscribe", "channel": "Nouraxyz", "token": customer.token})
    await socket.closed()
    for phone in (customer.phone, "+971501234567"):
        for code in ("000000", "Nouraxyz"):
            wish = {"phone": phone, "code": code, "role": "customer"}
            await town.client.post("/v1/auth/token", json=wish)
    for _ in range(40):
        await town.client.post("/v1/auth/otp", json={"phone": town.phone()})

    async def breaks(*_: Any, **__: Any) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(town.parts.sms, "_append", lambda _: (_ for _ in ()).throw(OSError("full")))
    await town.client.post("/v1/auth/otp", json={"phone": "+966500000999"})
    monkeypatch.setattr(town.parts.identity, "find_profile", breaks)
    assert (await customer.get("/v1/profile")).status_code == 500
    log = written.getvalue()
    for event in ("the_log_is_heard", "malformed_frame", "internal_error", "codes_budget_spent"):
        assert event in log, event
    secrets = [town.code(customer.phone), customer.token, str(customer.told["refresh_token"])]
    personal = [customer.phone[4:], "501234567", "500000999", "Noura", "nouraxyz", "Building 7"]
    for text in (*secrets, *personal, "1990-02-28"):
        assert text not in log, text
