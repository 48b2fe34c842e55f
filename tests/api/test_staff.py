"""How operators and admins get in: invited by e-mail, by password and authenticator."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pyotp
import pytest

from actors.gateways.mail import SentMail
from tests.api.town import Person, Town, a_town
from tests.builders import new_id

if TYPE_CHECKING:
    from actors.staff_login import StaffLogIn

PASSWORD = "a bird in the palm grove"
ANOTHER = "forty camels wait outside"
WRONG = {"password": ANOTHER, "code": "000000"}
_PATIENCE_S = 60.0


@dataclass
class Member:
    """Somebody with an account, and what he keeps of it."""

    person: Person
    email: str
    secret: str
    told: dict[str, Any]

    def shown(self) -> str:
        """What his authenticator shows next: what it showed at the enrolment is used up."""
        return pyotp.TOTP(self.secret).at(self.person.town.parts.wall.now() // 1000 + 30)

    def code(self) -> str:
        """A second factor that was not used yet, without a wait for the next step."""
        return str(self.told["recovery_codes"].pop())


def linked(town: Town) -> list[SentMail]:
    return [one for one in town.mails() if "#" in one.text]


async def mailed(town: Town, email: str, count: int = 1) -> str:
    """The token in the last of so many e-mails with a link to somebody."""
    async with asyncio.timeout(_PATIENCE_S):
        while len(found := [one for one in linked(town) if one.to == email]) < count:
            await town.parts.wall.sleep(20)
    return found[-1].text.partition("#")[2].split()[0]


async def invited(
    town: Town, admin: Person, email: str, role: str = "operator", **more: Any
) -> str:
    made = await admin.post("/v1/staff/invitations", {"email": email, "role": role, **more})
    assert made.status_code == 201, made.text
    return str(made.json()["invitation_id"])


async def enrolled(town: Town, role: str = "operator", **more: Any) -> Member:
    email = f"{town.key()}@example.com"
    await invited(town, await town.admin(), email, role, **more)
    return await accepted(town, email, await mailed(town, email))


async def accepted(town: Town, email: str, token: str) -> Member:
    shown = (await town.client.post("/v1/auth/enrolment", json={"token": token})).json()
    assert pyotp.parse_uri(shown["otpauth_uri"]).secret == shown["secret"]
    code = pyotp.TOTP(shown["secret"]).at(town.parts.wall.now() // 1000)
    wish = {"token": token, "password": PASSWORD, "code": code}
    told = await town.client.post("/v1/auth/enrolment/accept", json=wish)
    assert told.status_code == 200, told.text
    return Member(Person(town, "", told.json()), email, shown["secret"], told.json())


async def tried(town: Town, member: Member, **changes: str) -> httpx2.Response:
    wish = {
        "email": member.email,
        "password": PASSWORD,
        "code": changes.get("code") or member.code(),
        "role": "operator",
        **changes,
    }
    return await town.client.post("/v1/auth/password", json=wish)


def code_of(answer: httpx2.Response) -> str:
    return str(answer.json()["code"])


async def test_who_is_invited_chooses_a_password_and_is_an_operator(town: Town) -> None:
    member = await enrolled(town, zones=[town.zone_id])
    me = (await member.person.get("/v1/me")).json()
    assert (me["email"], me["role"]) == (member.email, "operator")
    zones = (await member.person.get("/v1/zones")).json()["zones"]
    assert [one["zone_id"] for one in zones] == [town.zone_id]
    told = await tried(town, member, code=member.shown())
    assert told.status_code == 200, told.text
    again = Person(town, "", told.json())
    assert again.user_id == member.person.user_id
    assert (await again.get("/v1/zones")).status_code == 200


async def test_an_admin_is_invited_like_an_operator_and_invites_others(town: Town) -> None:
    admin = await enrolled(town, "admin")
    await invited(town, admin.person, "next@example.com")
    listed = (await admin.person.get("/v1/staff/invitations")).json()["invitations"]
    assert "next@example.com" in {one["email"] for one in listed}
    assert (await admin.person.get("/v1/zones")).status_code == 403


@pytest.mark.parametrize(("language", "words"), [("ar", "مشغّلًا"), ("en", "an operator")])
async def test_the_invitation_is_in_the_language_of_whom_it_is_for(
    town: Town, language: str, words: str
) -> None:
    await invited(town, await town.admin(), "n@example.com", language=language)
    await mailed(town, "n@example.com")
    (mail,) = town.mails()
    assert words in mail.text
    assert "https://console.hadiyati.example/invitation#hl1." in mail.text


async def test_a_link_is_good_once_and_not_after_it_was_sent_again_or_revoked(town: Town) -> None:
    admin, email = await town.admin(), "noura@example.com"
    invitation_id = await invited(town, admin, email)
    first = await mailed(town, email)
    again = await admin.post(f"/v1/staff/invitations/{invitation_id}/resend")
    assert (again.status_code, again.json()["sends"]) == (200, 2)
    second = await mailed(town, email, 2)
    refused = await town.client.post("/v1/auth/enrolment", json={"token": first})
    assert (refused.status_code, code_of(refused)) == (410, "bad_link")
    await accepted(town, email, second)
    for path in ("/v1/auth/enrolment", "/v1/auth/enrolment/accept"):
        wish = {"token": second, "password": PASSWORD, "code": "000000"}
        sent = wish if path.endswith("accept") else {"token": second}
        assert code_of(await town.client.post(path, json=sent)) == "bad_link"
    third = await invited(town, admin, "late@example.com")
    token = await mailed(town, "late@example.com")
    path = f"/v1/staff/invitations/{third}"
    assert (await town.client.delete(path, headers=admin.headers)).status_code == 200
    refused = await town.client.post("/v1/auth/enrolment", json={"token": token})
    assert code_of(refused) == "bad_link"
    gone = await town.client.delete(path, headers=admin.headers)
    assert (gone.status_code, code_of(gone)) == (404, "unknown_invitation")


@pytest.mark.parametrize("token", ["x", "hl1.", "hl1." + "A" * 64, "hl1.%", "é"])
async def test_a_made_up_link_opens_nothing(town: Town, token: str) -> None:
    for path, more in (
        ("enrolment", {}),
        ("enrolment/accept", {"password": PASSWORD, "code": "000000"}),
        ("password/reset", {"password": PASSWORD}),
    ):
        refused = await town.client.post(f"/v1/auth/{path}", json={"token": token, **more})
        assert (refused.status_code, code_of(refused)) == (410, "bad_link")


async def test_a_weak_password_or_a_wrong_code_leaves_the_link_good(town: Town) -> None:
    email = "hala@example.com"
    await invited(town, await town.admin(), email)
    token = await mailed(town, email)
    for password, code, answer in (
        ("short", "000000", "weak_password"),
        ("Password1234!", "000000", "weak_password"),
        (PASSWORD, "000000", "wrong_credentials"),
    ):
        wish = {"token": token, "password": password, "code": code}
        refused = await town.client.post("/v1/auth/enrolment/accept", json=wish)
        assert code_of(refused) == answer
    await accepted(town, email, token)


async def test_a_stolen_password_is_refused_wherever_one_is_chosen(tmp_path: Path) -> None:
    class Known:
        async def holds(self, password: str) -> bool:
            return password == ANOTHER

    async with a_town(tmp_path, breaches=Known()) as town:
        member = await enrolled(town)
        change = {"current_password": PASSWORD, "code": member.code(), "password": ANOTHER}
        refused = await member.person.post("/v1/auth/password/change", change)
        assert (refused.status_code, code_of(refused)) == (422, "stolen_password")
        await town.client.post("/v1/auth/password/forgotten", json={"email": member.email})
        reset = {"token": await mailed(town, member.email, 2), "password": ANOTHER}
        refused = await town.client.post("/v1/auth/password/reset", json=reset)
        assert (refused.status_code, code_of(refused)) == (422, "stolen_password")


async def test_every_wrong_log_in_gets_the_same_no(town: Town) -> None:
    member = await enrolled(town)
    answers = [
        await tried(town, member, **wrong)
        for wrong in (
            {"password": ANOTHER},
            {"code": "000000"},
            {"code": "no-such-recovery-code"},
            {"email": "nobody@example.com"},
        )
    ]
    told = [{**one.json(), "request_id": ""} for one in answers]
    assert [one.status_code for one in answers] == [401] * 4
    assert all(one == told[0] for one in told)
    assert told[0]["code"] == "wrong_credentials"


async def test_a_password_is_hashed_for_nobody_as_for_somebody(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = await enrolled(town)
    host: StaffLogIn = town.app.state.staff_login
    hashed: list[str] = []
    verify = host._passwords._verify

    def counting(stored: str, password: str) -> bool:
        hashed.append(stored.rpartition("$")[0].rpartition("$")[0])
        return verify(stored, password)

    monkeypatch.setattr(host._passwords, "_verify", counting)
    for email in (member.email, "nobody@example.com"):
        await tried(town, member, email=email, password=ANOTHER)
    somebody, nobody = hashed
    assert somebody == nobody
    assert "argon2id" in nobody


async def test_a_code_is_good_once_also_for_tries_at_once(town: Town) -> None:
    member = await enrolled(town)
    code = member.shown()
    answers = await asyncio.gather(*(tried(town, member, code=code) for _ in range(4)))
    assert sorted(one.status_code for one in answers) == [200, 401, 401, 401]
    assert (await tried(town, member, code=code)).status_code == 401


async def test_a_recovery_code_is_good_once(town: Town) -> None:
    member = await enrolled(town)
    codes = member.told["recovery_codes"]
    assert len(set(codes)) == 10
    assert (await tried(town, member, code=codes[3].upper())).status_code == 200
    assert (await tried(town, member, code=codes[3])).status_code == 401
    assert (await tried(town, member, code=codes[4])).status_code == 200


async def test_guessing_ends_and_does_not_lock_out_a_device_that_was_here(town: Town) -> None:
    member = await enrolled(town)
    guesses = await asyncio.gather(*(tried(town, member, **WRONG) for _ in range(12)))
    statuses = sorted(one.status_code for one in guesses)
    assert statuses == [401] * 5 + [429] * 7
    limited = next(one for one in guesses if one.status_code == 429)
    assert code_of(limited) == "too_many_tries"
    assert 0 < int(limited.headers["retry-after"]) <= 900
    # Also the right one is not looked at, or guessing could go on.
    assert (await tried(town, member)).status_code == 429
    known = await tried(town, member, device_token=member.told["device_token"])
    assert known.status_code == 200, known.text


async def test_who_is_nobody_is_limited_like_somebody(town: Town) -> None:
    member = await enrolled(town)
    nobody = "nobody@example.com"
    answers = [(await tried(town, member, email=nobody, **WRONG)).status_code for _ in range(6)]
    assert answers == [401] * 5 + [429]


async def test_a_device_token_is_of_one_account_and_has_tries_of_its_own(town: Town) -> None:
    one, other = await enrolled(town), await enrolled(town)
    token = one.told["device_token"]
    answers = [(await tried(town, one, **WRONG, device_token=token)).status_code for _ in range(11)]
    assert answers == [401] * 10 + [429]
    # Strangers' tries were not touched, nor is this token worth anything elsewhere.
    assert (await tried(town, one)).status_code == 200
    for made_up in (token, token[:-2] + "AA", "hd1.x", "x"):
        await tried(town, other, **WRONG, device_token=made_up)
    assert [(await tried(town, other, **WRONG)).status_code for _ in range(2)] == [
        401,
        429,
    ]


async def test_a_forgotten_password_is_chosen_anew_and_all_sessions_end(town: Town) -> None:
    member = await enrolled(town)
    socket = await member.person.socket()
    for email in (member.email, "nobody@example.com"):
        asked = await town.client.post("/v1/auth/password/forgotten", json={"email": email})
        assert (asked.status_code, asked.json()) == (202, {"expires_in_s": 1800})
    token = await mailed(town, member.email, 2)
    assert "nobody@example.com" not in {one.to for one in town.mails()}
    weak = {"token": token, "password": "password1234"}
    refused = await town.client.post("/v1/auth/password/reset", json=weak)
    assert code_of(refused) == "weak_password"
    wish = {"token": token, "password": ANOTHER}
    changed = await town.client.post("/v1/auth/password/reset", json=wish)
    assert changed.status_code == 200
    assert await socket.closed() == 4410
    assert code_of(await member.person.get("/v1/me")) == "session_ended"
    assert code_of(await town.client.post("/v1/auth/password/reset", json=wish)) == "bad_link"
    assert (await tried(town, member)).status_code == 401
    device = changed.json()["device_token"]
    let_in = await tried(town, member, password=ANOTHER, device_token=device)
    assert let_in.status_code == 200


async def test_mails_that_anybody_may_ask_for_are_few(town: Town) -> None:
    for email in ("nobody@example.com", (await enrolled(town)).email):
        answers = [
            await town.client.post("/v1/auth/password/forgotten", json={"email": email})
            for _ in range(4)
        ]
        assert [one.status_code for one in answers] == [202] * 3 + [429]


async def test_the_link_of_an_invitation_resets_no_password(town: Town) -> None:
    await invited(town, await town.admin(), "x@example.com")
    token = await mailed(town, "x@example.com")
    wish = {"token": token, "password": PASSWORD}
    assert code_of(await town.client.post("/v1/auth/password/reset", json=wish)) == "bad_link"


async def test_who_is_suspended_is_out_at_once_and_stays_out(town: Town) -> None:
    member, admin = await enrolled(town), await enrolled(town, "admin")
    socket = await member.person.socket()
    path = f"/v1/staff/{member.person.user_id}/status"
    judged = {"role": "operator", "status": "suspended", "reason": "left us"}
    assert (await admin.person.put(path, judged)).status_code == 200
    assert await socket.closed() == 4410
    assert code_of(await member.person.get("/v1/me")) == "session_ended"
    refused = await tried(town, member)
    assert (refused.status_code, code_of(refused)) == (403, "not_allowed")
    own = f"/v1/staff/{admin.person.user_id}/status"
    assert (await admin.person.put(own, {**judged, "role": "admin"})).status_code == 403
    unknown = await admin.person.put(f"/v1/staff/{new_id()}/status", judged)
    assert code_of(unknown) == "unknown_profile"


async def test_an_operator_is_no_admin_until_he_is_invited(town: Town) -> None:
    member = await enrolled(town)
    assert code_of(await tried(town, member, role="admin")) == "not_allowed"
    await invited(town, await town.admin(), member.email, "admin")
    both = await accepted(town, member.email, await mailed(town, member.email, 2))
    assert both.person.user_id == member.person.user_id
    # The factors are new ones: what was opened with the old ones has ended.
    assert code_of(await member.person.get("/v1/me")) == "session_ended"
    assert (await tried(town, member)).status_code == 401
    assert (await tried(town, both)).status_code == 200


async def changed(member: Member, **wish: str) -> httpx2.Response:
    code = wish.get("code") or member.code()
    asked = {"current_password": PASSWORD, "password": ANOTHER, **wish, "code": code}
    return await member.person.post("/v1/auth/password/change", asked)


async def test_a_password_is_changed_by_the_old_one_and_a_code(town: Town) -> None:
    member = await enrolled(town)
    socket = await member.person.socket()
    elsewhere = Person(town, "", (await tried(town, member)).json())
    code = member.shown()
    told = await changed(member, code=code)
    assert told.status_code == 200, told.text
    assert told.json()["session_ids"] == [elsewhere.session_id]
    assert code_of(await elsewhere.get("/v1/me")) == "session_ended"
    # Who changed it is still there, on his socket, too.
    assert (await member.person.get("/v1/me")).status_code == 200
    await socket.send({"type": "ping"})
    await socket.next("pong")
    assert (await tried(town, member)).status_code == 401
    assert (await tried(town, member, password=ANOTHER, code=code)).status_code == 401
    assert (await tried(town, member, password=ANOTHER)).status_code == 200
    await mailed_about(town, member.email, "تغيّرت كلمة مرورك")
    admin = await enrolled(town, "admin")
    listed = (await admin.person.get(f"/v1/audit-log?actor={member.person.user_id}")).json()
    assert "change_password" in {one["action"] for one in listed["records"]}


async def mailed_about(town: Town, email: str, subject: str) -> None:
    async with asyncio.timeout(_PATIENCE_S):
        while not any(one.to == email and subject in one.subject for one in town.mails()):
            await town.parts.wall.sleep(20)


@pytest.mark.parametrize(
    ("wish", "answer"),
    [
        ({"current_password": ANOTHER}, (403, "wrong_proof")),
        ({"code": "000000"}, (403, "wrong_proof")),
        ({"password": "password1234"}, (422, "weak_password")),
    ],
)
async def test_a_password_stays_when_the_proof_or_the_new_one_is_wrong(
    town: Town, wish: dict[str, str], answer: tuple[int, str]
) -> None:
    member = await enrolled(town)
    told = await changed(member, **wish)
    assert (told.status_code, code_of(told)) == answer
    assert (await tried(town, member)).status_code == 200
    assert (await member.person.get("/v1/me")).status_code == 200


async def test_who_found_an_open_session_cannot_guess_the_password_there(town: Town) -> None:
    member = await enrolled(town)
    answers = await asyncio.gather(
        *(changed(member, current_password=ANOTHER, code="000000") for _ in range(12))
    )
    assert sorted(one.status_code for one in answers) == [403] * 10 + [429] * 2
    limited = next(one for one in answers if one.status_code == 429)
    assert code_of(limited) == "too_many_tries"
    # Not even the right one is looked at, and the way through the front door stays open.
    assert (await changed(member)).status_code == 429
    assert (await tried(town, member)).status_code == 200


async def test_a_log_in_from_a_new_device_is_told_by_mail_and_from_a_known_one_is_not(
    town: Town,
) -> None:
    member = await enrolled(town)
    known = await tried(town, member, device_token=member.told["device_token"])
    assert known.status_code == 200, known.text
    assert (await tried(town, member)).status_code == 200
    await mailed_about(town, member.email, "من جهاز جديد")
    about = [one for one in town.mails() if "من جهاز جديد" in one.subject]
    assert len(about) == 1


async def test_new_factors_are_told_by_mail(town: Town) -> None:
    member = await enrolled(town)
    await invited(town, await town.admin(), member.email, "admin", language="en")
    await accepted(town, member.email, await mailed(town, member.email, 2))
    await mailed_about(town, member.email, "new factors")
    await town.client.post("/v1/auth/password/forgotten", json={"email": member.email})
    token = await mailed(town, member.email, 3)
    wish = {"token": token, "password": ANOTHER}
    assert (await town.client.post("/v1/auth/password/reset", json=wish)).status_code == 200
    await mailed_about(town, member.email, "تغيّرت كلمة مرورك")
