"""Every operation once, as its example asks it, in one town; the answers are kept.

`python -m tests.api.walk` writes them into the examples, with other ids, times and secrets.
"""

import asyncio
import re
import tempfile
from pathlib import Path
from typing import Any, Final

import httpx2
import msgspec
import pyotp
from jsonschema import Draft202012Validator
from msgspec.structs import replace

from api.description import document
from api.examples import FILE, JSON, examples
from api.versions import HEADER, NEWEST
from engine.kernel.ids import CourierId, UserId
from engine.kernel.pages import LAST_INSTANT
from engine.money import feeds
from engine.money.accounts import AccountKind, account
from storage.store import TrailFix
from tests.api.test_invoices import invoices_of
from tests.api.test_staff import mailed
from tests.api.test_wallet import enter
from tests.api.town import Person, Town, a_town
from tests.builders import CORNER, NOON
from tests.engine.test_sheets import a_sheet

_NEW_PHONE: Final = "+966557654321"
_EMAIL: Final = "huda@example.com"
_CHANGED: Final = "forty camels wait outside"


# What cannot be asked in a town alone; its examples of requests are held against their schemas.
ELSEWHERE: Final = {
    "pay": "a gateway takes the money: tests/api/test_payments.py",
    "pay_gift_link": "as above",
    "pay_group": "tests/api/test_groups.py",
    "get_payment": "as above",
    "come_back": "as above",
    "hear_gateway": "as above",
    "ask_refund": "as above",
    "judge_refund": "as above",
    "pay_change": "what was paid for grows dearer first: tests/api/test_dues.py",
    "pay_due": "as above",
    "write_off_due": "as above",
    "forget_saved_method": "as above",
    "redeem_points": "points are spendable after a fortnight: tests/api/test_points.py",
    "request_payout": "a bank pays it out: tests/api/test_payouts.py",
    "record_deposit": "a courier takes cash first: tests/api/test_cash.py",
    "send_file": "its body is a file: tests/api/test_uploads.py",
    "show_upload": "as above",
    "get_file": "as above",
}


class Walk:
    """Says each example to the edge of a town; `answers` are what came, by operation."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.answers: dict[str, Any] = {}
        self.document = document()
        self._known = {
            operation["operationId"]: (method.upper(), path, operation)
            for path, methods in self.document["paths"].items()
            for method, operation in methods.items()
        }

    @property
    def operations(self) -> set[str]:
        return set(self._known)

    async def say(
        self,
        operation_id: str,
        person: Person | None = None,
        *,
        path: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        **changes: Any,
    ) -> dict[str, Any]:
        """Send the example with what only this town knows (`changes`); the answer is checked."""
        method, shape, operation = self._known[operation_id]
        body = self._body(operation_id, changes)
        sent = {HEADER: NEWEST, "Idempotency-Key": self.town.key(), **(headers or {})}
        answer = await self.town.client.request(
            method,
            shape.format(**(path or {})),
            json=body,
            headers={**sent, **(person.headers if person else {})},
        )
        status, described = _good(operation)
        assert answer.status_code == status, (operation_id, answer.text)
        await self._check_tag(operation_id, answer)
        if JSON not in described:
            self.answers[operation_id] = None
            return {}
        told: dict[str, Any] = answer.json()
        assert self.faults_of_answer(operation_id, told) == [], operation_id
        self.answers[operation_id] = told
        return told

    async def _check_tag(self, operation_id: str, answer: httpx2.Response) -> None:
        """An ETag is told where one is described, and heeded where 304 is."""
        method, _, operation = self._known[operation_id]
        described = operation["responses"][str(answer.status_code)].get("headers", {})
        assert ("ETag" in described) == ("etag" in answer.headers), operation_id
        if "304" in operation["responses"]:
            asked = {**answer.request.headers, "If-None-Match": answer.headers["etag"]}
            again = await self.town.client.request(method, str(answer.request.url), headers=asked)
            assert (again.status_code, again.content) == (304, b""), operation_id

    def _body(self, operation_id: str, changes: dict[str, Any]) -> dict[str, Any] | None:
        if not self.takes_body(operation_id):
            return None
        example = self._known[operation_id][2]["requestBody"]["content"][JSON]["example"]
        assert changes.keys() <= example.keys(), operation_id
        return {**example, **changes}

    def takes_body(self, operation_id: str) -> bool:
        """In JSON; a file has no example."""
        return JSON in self._known[operation_id][2].get("requestBody", {}).get("content", {})

    def faults_of_request(self, operation_id: str, body: object) -> list[str]:
        """What the description has against a body."""
        content = self._known[operation_id][2]["requestBody"]["content"]
        return self.faults(content[JSON]["schema"], body)

    def faults_of_answer(self, operation_id: str, told: object) -> list[str]:
        """What the description has against an answer that says yes."""
        _, described = _good(self._known[operation_id][2])
        return self.faults(described[JSON]["schema"], told)

    def faults(self, schema: dict[str, Any], value: object) -> list[str]:
        """What a schema of the description has against a value."""
        whole = {"components": self.document["components"], **schema}
        return [error.message for error in Draft202012Validator(whole).iter_errors(value)]


async def walk(town: Town) -> Walk:
    """From the first code to the last log-out."""
    one = Walk(town)
    for open_to_all in ("get_clock", "list_keys", "list_cards", "is_alive", "is_ready"):
        await one.say(open_to_all)
    customer = await _customer(one)
    admin = await town.admin()
    operator = await _staff(one, admin)
    zone_id = await _zone(one, operator)
    courier = await town.log_in("courier")
    order_id = await _order(one, customer, operator, courier)
    await one.say("show_handover", customer, path={"order_id": order_id})
    await _money(one, customer, operator, order_id)
    await _pay(one, operator, courier, order_id)
    await _drafts(one, customer)
    await _gift_links(one, customer)
    await _group(one, customer)
    await _again(one, customer, order_id)
    await _books(one, admin, operator, customer)
    await _privacy(one, admin, customer)
    await _zone_changes(one, operator, zone_id)
    await _sheets(one, customer, operator, courier)
    await _sessions(one, admin, operator, courier)
    await _phone(one, customer)
    return one


async def _customer(one: Walk) -> Person:
    town = one.town
    phone = examples()["send_code"]["request"]["phone"]
    await one.say("send_code")
    told = await one.say("issue_token", code=town.code(phone))
    told = await one.say("refresh_token", refresh_token=told["refresh_token"])
    customer = Person(town, phone, told)
    await one.say("get_me", customer)
    profile = await one.say("get_profile", customer)
    await one.say("edit_profile", customer, headers={"If-Match": str(profile["version"])})
    await one.say("ask_email_verification", customer)
    await one.say("verify_email", token=await mailed(town, "noura@example.com"))
    await one.say("list_sessions", customer)
    await one.say("send_step_up_code", customer)
    await one.say("step_up", customer, code=town.code(customer.phone))
    return customer


async def _staff(one: Walk, admin: Person) -> Person:
    """Somebody who was invited as an operator, lost his password, and got in again."""
    town = one.town
    made = await one.say("invite", admin)
    path = {"invitation_id": made["invitation_id"]}
    await one.say("list_invitations", admin)
    await mailed(town, _EMAIL)
    await one.say("resend", admin, path=path)
    token = await mailed(town, _EMAIL, 2)
    shown = await one.say("begin_enrolment", token=token)
    totp = pyotp.TOTP(shown["secret"])
    now_s = town.parts.wall.now() // 1000
    told = await one.say("accept_invitation", token=token, code=totp.at(now_s))
    operator, told_codes = Person(town, "", told), told["recovery_codes"]
    await one.say("forget_password")
    await one.say("reset_password", token=await mailed(town, _EMAIL, 3))
    told = await one.say("log_in", password=_CHANGED, code=totp.at(now_s + 30))
    operator = Person(town, "", {**operator.told, **told})
    code = told_codes.pop()
    await one.say("change_password", operator, current_password=_CHANGED, code=code)
    other = await admin.post("/v1/staff/invitations", {"email": "n@example.com", "role": "admin"})
    await one.say("revoke", admin, path={"invitation_id": other.json()["invitation_id"]})
    return operator


async def _zone(one: Walk, operator: Person) -> str:
    made = await one.say("create_zone", operator)
    one.town.zone_id = made["zone_id"]
    await one.say("list_zones", operator)
    await one.say("get_zone", operator, path={"zone_id": made["zone_id"]})
    return str(made["zone_id"])


async def _order(one: Walk, customer: Person, operator: Person, courier: Person) -> str:
    """One is cancelled, one taken back, one declined, and one carried to the door."""
    await one.say("make_quote", customer)
    cancelled = {"order_id": await _placed(one, customer)}
    await one.say("show_cancellation", customer, path=cancelled)
    await one.say("cancel_order", customer, path=cancelled)
    order = {"order_id": await _placed(one, customer)}
    quoted = await one.say("quote_change", customer, path=order)
    await one.say("change_order", customer, path=order, quote_id=quoted["quote_id"])
    await one.say("list_orders", customer)
    await one.say("export_orders", customer)
    for name in ("search_orders", "export_found_orders"):
        await one.say(name, operator)
    for name in ("list_past_work", "export_past_work"):
        await one.say(name, courier)
    await one.say("get_order", customer, path=order)
    await one.say("change_duty", courier)
    await one.say("reach_waiting_point", courier)
    offer = await _offer(one, courier)
    await one.say("get_work", courier)
    await one.say("acknowledge_offer", courier, path=offer)
    await one.say("accept_offer", courier, path=offer)
    await one.say("write_message", customer, path=order)
    await one.say("list_messages", courier, path=order)
    await one.say("mark_read", courier, path=order)
    await one.say("show_conversation", customer, path=order)
    await one.say("unassign_order", operator, path=order)
    await _placed(one, customer)
    await one.say("decline_offer", courier, path=await _offer(one, courier))
    await _placed(one, customer)
    carried = await _offer(one, courier)
    await courier.post(f"/v1/courier/offers/{carried['offer_id']}/accept")
    (order_id,) = (await courier.get("/v1/courier")).json()["route"][0]["orders"]
    await _carried(one, customer, courier, order_id)
    for question in ("get_timeline", "get_offers", "get_decisions"):
        await one.say(question, operator, path={"order_id": order_id})
    return str(order_id)


async def _sheets(one: Walk, customer: Person, operator: Person, courier: Person) -> None:
    await one.say("write_found_orders", operator)
    await one.say("write_past_work", courier)
    await one.say("write_found_payments", await one.town.admin())
    for name in ("write_payments", "write_payment_history"):
        await one.say(name, customer)
    asked = await one.say("write_orders", customer)
    path, file = {"sheet_id": asked["sheet_id"]}, ""
    while not file:
        file = (await one.say("get_sheet", customer, path=path))["file"] or ""
        await one.town.parts.wall.sleep(20)
    await one.say("get_sheet_file", path={"token": _last(file)})
    await one.say("list_sheets", customer)
    waiting = replace(a_sheet(customer.user_id), due_at=LAST_INSTANT)
    assert await one.town.parts.sheets.begin(waiting)
    await one.say("cancel_sheet", customer, path={"sheet_id": waiting.id})


async def _placed(one: Walk, customer: Person) -> str:
    quoted = (await customer.post("/v1/quotes", examples()["make_quote"]["request"])).json()
    told = await one.say("place_order", customer, quote_id=quoted["quote_id"])
    return str(told["order_id"])


async def _offer(one: Walk, courier: Person) -> dict[str, str]:
    async with asyncio.timeout(60):
        while (offer := (await courier.get("/v1/courier")).json()["offer"]) is None:
            await one.town.parts.wall.sleep(20)
    return {"offer_id": offer["offer_id"]}


async def _carried(one: Walk, customer: Person, courier: Person, order_id: str) -> None:
    await one.say("report_progress", courier, order_id=order_id)
    pin = (await customer.get(f"/v1/orders/{order_id}")).json()["pin"]
    for step in ("picked_up", "reached_door", "delivered"):
        body = {"order_id": order_id, "step": step, "pin": pin if step == "delivered" else ""}
        told = await courier.post("/v1/courier/progress", body)
        assert told.status_code == 200, told.text
    now = one.town.parts.clock.now()
    courier_id = CourierId(UserId(courier.user_id))
    fix = TrailFix(courier_id=courier_id, at=now, lat=CORNER.lat, lng=CORNER.lng, accuracy_m=5.0)
    await one.town.parts.store.save_trail([fix])
    operator = await one.town.operator()
    await one.say("get_trail", operator, path={"courier_id": courier_id})
    await one.say("judge_courier", operator, path={"courier_id": courier_id})


async def _money(one: Walk, customer: Person, operator: Person, order_id: str) -> None:
    link = await one.say("make_link", customer, path={"order_id": order_id})
    await one.say("show_shared", path={"token": _last(link["path"])})
    (invoice,) = await invoices_of(customer, order_id, count=1)
    await one.say("list_invoices", customer, path={"order_id": order_id})
    await one.say("get_invoice_file", path={"token": _last(invoice["pdf"])})
    await one.say("correct_invoice", operator, path={"invoice_id": invoice["invoice_id"]})
    await enter(one.town, account(AccountKind.CUSTOMER_WALLET, customer.user_id), 1000)
    await one.say("tip_courier", customer, path={"order_id": order_id})
    await one.say("get_order_money", operator, path={"order_id": order_id})
    await one.say("show_order_quote", operator, path={"order_id": order_id})
    await one.say("get_due", customer, path={"order_id": order_id})
    await one.say("list_payment_methods")
    await one.say("list_payments", customer)
    await one.say("export_payments", customer)
    for name in ("search_payments", "export_found_payments"):
        await one.say(name, await one.town.admin())
    whose = {"customer_id": customer.user_id}
    for name in ("get_payment_history", "export_payment_history"):
        await one.say(name, customer)
    for name in ("get_customer_payment_history", "export_customer_payment_history"):
        await one.say(name, await one.town.admin(), path=whose)
    await one.say("list_saved_methods", customer)
    for name in ("put_company", "get_company", "forget_company"):
        await one.say(name, customer)
    await one.say("get_points", customer)
    await one.say("get_wallet", customer)
    await one.say("get_statement", customer)


async def _pay(one: Walk, operator: Person, courier: Person, order_id: str) -> None:
    await enter(one.town, account(AccountKind.COURIER_WALLET, courier.user_id), 5000)
    await one.say("put_bank_account", courier)
    await one.say("get_bank_account", courier)
    await one.say("list_payouts", courier)
    await one.say("show_cash", operator, path={"courier_id": courier.user_id})
    whose: dict[str, Any] = {"courier_id": courier.user_id, "order_id": order_id}
    made = await one.say("open_dispute", operator, **whose)
    await one.say("list_disputes", operator)
    await one.say("close_dispute", operator, path={"dispute_id": made["dispute_id"]})


async def _drafts(one: Walk, customer: Person) -> None:
    begun = await one.say("begin_draft", customer)
    path = {"draft_id": begun["draft_id"]}
    await one.say("get_draft", customer, path=path)
    seen = {"If-Match": str(begun["version"])}
    await one.say("change_draft", customer, path=path, headers=seen)
    await one.say("quote_draft", customer, path=path)
    await one.say("list_drafts", customer)
    await one.say("delete_draft", customer, path=path)


async def _gift_links(one: Walk, customer: Person) -> None:
    answered = await one.say("make_gift_link", customer)
    token = {"token": _last(answered["path"])}
    await one.say("show_gift", path=token)
    await one.say("answer_gift", path=token)
    other = await one.say("make_gift_link", customer)
    await one.say("withdraw_gift_link", customer, path={"gift_link_id": other["gift_link_id"]})
    await one.say("price_gift_link", customer)
    declined = await one.say("make_gift_link", customer)
    await one.say("decline_gift", path={"token": _last(declined["path"])})
    await one.say("list_gift_links", customer)


async def _group(one: Walk, customer: Person) -> None:
    quoted = await one.say("quote_group", customer)
    example = examples()["place_group"]["request"]["orders"]
    orders = [
        {**order, "quote_id": each["quote_id"]}
        for order, each in zip(example, quoted["quotes"], strict=True)
    ]
    placed = await one.say("place_group", customer, orders=orders)
    path = {"order_id": placed["orders"][0]["order_id"]}
    await one.say("show_group", customer, path=path)
    await one.say("show_group_cancellation", customer, path=path)
    await one.say("cancel_group", customer, path=path)


async def _again(one: Walk, customer: Person, order_id: str) -> None:
    await one.say("reorder", customer, path={"order_id": order_id})


async def _books(one: Walk, admin: Person, operator: Person, customer: Person) -> None:
    given = await one.say("give_credit", operator, path={"customer_id": customer.user_id})
    await one.say("reverse_transfer", admin, path={"transfer_id": given["transfer_id"]})
    month = {"period": "2026-01"}
    await one.say("get_trial_balance", admin, path=month)
    await one.say("get_vat_return", admin, path=month)
    for name in ("export_trial_balance", "export_vat_return"):
        await one.say(name, admin, path=month)
    await one.say("close_period", admin, path=month)
    await one.say("list_jobs", admin)


async def _privacy(one: Walk, admin: Person, customer: Person) -> None:
    terms = {"purpose": "marketing"}
    await one.say("give_consent", customer, path=terms)
    await one.say("list_consents", customer)
    await one.say("withdraw_consent", customer, path=terms)
    await one.say("ask_export", customer)
    file = ""
    while not file:
        told = await one.say("list_privacy_requests", customer)
        file = told["requests"][0]["file"] or ""
        await one.town.parts.wall.sleep(20)
    await one.say("get_privacy_file", path={"token": _last(file)})
    await one.say("ask_erasure", customer)
    await one.say("withdraw_erasure", customer)
    asked = await one.say("ask_for_somebody", admin)
    await one.say("list_open_privacy_requests", admin)
    await one.say("get_privacy_request", admin, path={"request_id": asked["request_id"]})


async def _zone_changes(one: Walk, operator: Person, zone_id: str) -> None:
    zone = {"zone_id": zone_id}
    await one.say("change_shops", operator, path=zone)
    await one.say("get_shops", operator, path=zone)
    await one.say("move_zone", operator, path=zone)
    await one.say("get_metrics", operator, path=zone)
    asked = await one.say("ask", operator, path=zone)
    which = {**zone, "what_if_id": asked["what_if_id"]}
    await one.say("cancel", operator, path=which)
    await one.say("get_what_if", operator, path=which)
    await one.say("list_what_ifs", operator, path=zone)
    changed = await one.say("change_parameters", operator, path=zone, headers={"If-Match": '"1"'})
    tag = {"If-Match": f'"{changed["parameters_version"]}"'}
    await one.say("restore_parameters", operator, path={**zone, "version": "1"}, headers=tag)
    await one.say("list_parameters", operator, path=zone)


async def _settlements(one: Walk, admin: Person, operator: Person) -> None:
    await one.say("run_settlement", operator)
    await one.say("list_settlement_runs", operator)
    fetched = feeds.caught_up(feeds.begin("moyasar", NOON), now=NOON)
    assert await one.town.parts.settlements.save_feed(fetched)
    await one.say("list_settlement_feeds", operator)
    breaks = (await one.say("list_settlement_breaks", operator))["breaks"]
    larger, smaller = (one["break_id"] for one in sorted(breaks, key=_apart))
    await one.say("decide_settlement_break", operator, path={"break_id": smaller})
    await one.say("get_settlement_break", operator, path={"break_id": smaller})
    await one.say("decide_settlement_break", operator, path={"break_id": larger})
    await one.say("judge_write_off", admin, path={"break_id": larger})


async def _sessions(one: Walk, admin: Person, operator: Person, courier: Person) -> None:
    await _settlements(one, admin, operator)
    zones = [one.town.zone_id]
    await one.say("limit_operator", admin, path={"operator_id": operator.user_id}, zones=zones)
    await one.say("judge_staff", admin, path={"user_id": operator.user_id})
    await one.say("list_audit_log", admin)
    await one.say("list_refused_tries", admin)
    await one.say("list_submissions", admin)
    other = await one.town.log_in("courier", courier.phone)
    await one.say("end_session", courier, path={"session_id": other.session_id})
    await one.say("log_out", courier)


def _apart(told: dict[str, Any]) -> int:
    """The largest first."""
    return -abs(int(told["file_halalas"]) - int(told["ledger_halalas"]))


async def _phone(one: Walk, customer: Person) -> None:
    town = one.town
    await one.say("send_codes", customer)
    codes: dict[str, Any] = {
        "old_code": town.code(customer.phone),
        "new_code": town.code(_NEW_PHONE),
    }
    await one.say("change_phone", customer, **codes)
    await one.say("send_undo_code")
    await one.say("undo_change", code=town.code(customer.phone))


def _good(operation: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    (status,) = [one for one in operation["responses"] if 200 <= int(one) < 300]
    return int(status), operation["responses"][status]["content"]


def _last(path: str) -> str:
    return path.rpartition("/")[2]


_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SECRET: Final = re.compile(r"[\w.=+/-]{44,}")
_LISTED_MAX: Final = 2
_TOLD_AT: Final = 1_793_523_600_000


class Tidied:
    """The same answers with ids that are counted, times of one day, and secrets cut short."""

    def __init__(self, now: int) -> None:
        self._now = now
        self._ids: dict[str, str] = {}

    def value(self, told: Any) -> Any:
        if isinstance(told, dict):
            return {self.value(name): self.value(one) for name, one in told.items()}
        if isinstance(told, list):
            return [self.value(one) for one in told[:_LISTED_MAX]]
        if isinstance(told, str):
            named = _UUID.sub(lambda found: self._id(found[0]), told)
            return _SECRET.sub(lambda found: found[0][:24], named)
        if isinstance(told, int) and not isinstance(told, bool) and told > 10**12:
            return _TOLD_AT + (told - self._now) // 1000 * 1000
        return told

    def _id(self, real: str) -> str:
        number = self._ids.setdefault(real, f"{len(self._ids) + 1:012d}")
        return f"0198a3c4-8f4e-7d10-9c53-{number}"


async def record() -> None:
    """Write the answers of a walk beside the requests."""
    with tempfile.TemporaryDirectory() as folder:
        async with a_town(Path(folder), is_open=False) as town:
            tidied = Tidied(town.parts.wall.now())
            one = await walk(town)
    written = {
        name: {
            **({"request": found} if (found := examples().get(name, {}).get("request")) else {}),
            **({} if answer is None else {"answer": tidied.value(answer)}),
        }
        for name, answer in sorted({**dict.fromkeys(ELSEWHERE), **one.answers}.items())
    }
    FILE.write_bytes(msgspec.json.format(msgspec.json.encode(written), indent=1) + b"\n")


if __name__ == "__main__":
    asyncio.run(record())
