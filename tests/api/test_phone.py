"""Changing one's phone needs both numbers, and is undone by the old one within a day."""

from tests.api.town import Person, Town


async def codes_for(town: Town, person: Person, new: str) -> dict[str, str]:
    asked = await town.client.post("/v1/phone/codes", json={"phone": new}, headers=person.headers)
    assert asked.status_code == 202, asked.text
    return {"phone": new, "old_code": town.code(person.phone), "new_code": town.code(new)}


async def move(town: Town, person: Person, new: str) -> None:
    moved = await person.put("/v1/phone", await codes_for(town, person, new))
    assert (moved.status_code, moved.json()["phone"]) == (200, new)


async def undo(town: Town, phone: str) -> tuple[int, str]:
    asked = await town.client.post("/v1/phone/undo/code", json={"phone": phone})
    assert asked.status_code == 202
    told = await town.client.post("/v1/phone/undo", json={"phone": phone, "code": town.code(phone)})
    return told.status_code, str(told.json().get("code", told.json().get("phone")))


async def test_the_code_of_one_phone_does_not_prove_the_other(town: Town) -> None:
    person = await town.log_in("customer")
    new = town.phone()
    right = await codes_for(town, person, new)
    for wrong in ({"old_code": right["new_code"]}, {"new_code": "x"}):
        refused = await person.put("/v1/phone", {**right, **wrong})
        assert (refused.status_code, refused.json()["code"]) == (422, "wrong_code")
    assert (await person.get("/v1/me")).json()["phone"] == person.phone


async def test_a_moved_account_keeps_this_session_ends_the_others_and_tells_the_old_phone(
    town: Town,
) -> None:
    person = await town.log_in("customer")
    elsewhere = await town.log_in("courier", person.phone)
    new = town.phone()
    await move(town, person, new)
    assert (await person.get("/v1/me")).json()["phone"] == new
    assert (await elsewhere.get("/v1/me")).json()["code"] == "session_ended"
    last = [one.text for one in town.texts() if one.phone == person.phone][-1]
    assert "was changed" in last
    assert (await town.log_in("customer", new)).user_id == person.user_id


async def test_the_old_phone_takes_the_account_back_and_the_thief_is_out(town: Town) -> None:
    person = await town.log_in("customer")
    new = town.phone()
    await move(town, person, new)
    await town.client.post("/v1/auth/otp", json={"phone": person.phone})
    wish = {"phone": person.phone, "code": town.code(person.phone), "role": "customer"}
    told = await town.client.post("/v1/auth/token", json=wish)
    assert (told.status_code, told.json()["code"]) == (409, "phone_was_changed")
    assert await undo(town, person.phone) == (200, person.phone)
    assert (await person.get("/v1/me")).json()["code"] == "session_ended"
    assert (await town.log_in("customer", person.phone)).user_id == person.user_id
    assert (await town.log_in("customer", new)).user_id != person.user_id
    other = town.phone()
    assert await undo(town, other) == (410, "nothing_to_undo")


async def test_a_phone_that_belongs_to_somebody_is_not_taken(town: Town) -> None:
    person, other = await town.log_in("customer"), await town.log_in("customer")
    wish = await codes_for(town, person, other.phone)
    refused = await person.put("/v1/phone", wish)
    assert (refused.status_code, refused.json()["code"]) == (409, "phone_taken")
    assert (await person.get("/v1/me")).json()["phone"] == person.phone


async def test_while_a_change_can_be_undone_there_is_no_second_one(town: Town) -> None:
    person = await town.log_in("customer")
    await move(town, person, town.phone())
    moved = Person(town, town.texts()[-2].phone, person.told)
    refused = await moved.put(
        "/v1/phone", {"phone": town.phone(), "old_code": "x", "new_code": "x"}
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "phone_was_changed")
