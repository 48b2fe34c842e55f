"""What the words of a gift are worth: what each viewer is told at each stage, by HTTP and SMS."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

import pytest

from engine.orders.messages import SendSms
from tests.api.test_handovers import digest
from tests.api.test_uploads import send
from tests.api.town import ON_DUTY, QUOTE, Socket, Town, order_body
from tests.files import a_photo

if TYPE_CHECKING:
    from storage.memory import MemoryStore

RECIPIENT_PHONE: Final = "+966509999999"
NEIGHBOUR: Final = "Abu-Fahd-of-flat-3"
GIFT: Final[dict[str, Any]] = {
    "description": "Oud-of-Taif",
    "message": "Written-on-the-card 👨‍👩‍👧‍👦",
    "occasion": "eid_al_adha",
    "card": "eid_lantern",
    "sender_name": "Huda-who-gives",
    "neighbour": NEIGHBOUR,
    "photo_consent": True,
    "size_units": 37,
    "weight_g": 4321,
    "skills": ["cold", "fragile", "upright"],
}
LINK: Final[dict[str, Any]] = {
    "recipient": {"name": "Noura-who-receives", "phone": RECIPIENT_PHONE},
    "shop": {**QUOTE["shop"], "name": "Perfumes"},
    "preparation_s": 0,
    "goods": [{"name": "x", "unit_halalas": 50_000}],
    "limit_halalas": 90_000,
}
DOOR: Final = {"door": {**QUOTE["door"], "address": "Building-7"}}
# Each word with what gives it away in an answer; the rest is whole numbers and texts by themselves.
TELLTALES: Final[dict[str, object]] = {
    "description": "Oud-of-Taif",
    "message": "Written-on-the-card",
    "occasion": "eid_al_adha",
    "card": "eid_lantern",
    "sender": "Huda-who-gives",
    "recipient": "Noura-who-receives",
    "phone": RECIPIENT_PHONE,
    "neighbour": NEIGHBOUR,
    "address": "Building-7",
    "size": 37,
    "weight": 4321,
    "cold": "cold",
    "fragile": "fragile",
    "upright": "upright",
}
HANDLING: Final = {"size", "weight", "cold", "fragile", "upright"}
ASKED: Final = {"description", *HANDLING}
BRINGS: Final = {*ASKED, "recipient", "phone", "neighbour", "address"}
EVERYTHING: Final = {*TELLTALES, "pin", "price"}
OPENED: Final = {"description", "occasion", "sender", "message", "card"}
# Of each kind of gift: its wishes; what its recipient's link tells on the way, and what it tells
# when it was delivered (to the neighbour); from where on it shows that anything comes at all.
KINDS: Final[dict[str, tuple[dict[str, bool], set[str], set[str], bool]]] = {
    "open": ({}, {"description", "occasion", "sender"}, OPENED, True),
    "with its price": (
        {"hide_price": False},
        {"description", "occasion", "sender", "price"},
        {*OPENED, "price"},
        True,
    ),
    "from a hidden sender": ({"hide_sender": True}, {"description", "occasion"}, OPENED, True),
    "surprise": ({"surprise": True}, set(), OPENED, False),
    "surprise with its price": (
        {"surprise": True, "hide_price": False, "hide_sender": True},
        set(),
        {*OPENED, "price"},
        False,
    ),
}
ON_THE_WAY: Final = ("reached_shop", "picked_up", "reached_door", "attempt_failed", "reached_door")


def leaves(body: object) -> Iterator[object]:
    """Every value that is somewhere in an answer."""
    inner = body.values() if isinstance(body, dict) else body
    if isinstance(inner, str) or not hasattr(inner, "__iter__"):
        yield inner
        return
    for one in cast("list[object]", inner):
        yield from leaves(one)


def said(body: object, telltales: Mapping[str, object]) -> set[str]:
    """Which words an answer gives away."""
    found = list(leaves(body))
    texts = [one for one in found if isinstance(one, str)]

    def is_said(word: str, telltale: object) -> bool:
        if word in {"pin", "price"} or not isinstance(telltale, str):
            return telltale in found
        return any(telltale in text for text in texts)

    return {word for word, telltale in telltales.items() if is_said(word, telltale)}


class Given:
    """A gift on its way, and everybody who looks at it."""

    def __init__(self, town: Town, kind: str) -> None:
        self.town = town
        wishes, self.expected, self.opened, self.is_announced = KINDS[kind]
        self.gift = {**GIFT, **wishes}
        self.is_surprise = bool(self.gift.get("surprise"))
        self.telltales = dict(TELLTALES)
        self.order: dict[str, Any] = {}
        self.paths: dict[str, str] = {}

    async def place(self) -> None:
        """By a gift link, so that there is a holder of one who looks, too."""
        self.sara, self.operator = await self.town.log_in("customer"), await self.town.operator()
        made = await self.sara.post("/v1/gift-links", {**LINK, "gift": self.gift})
        assert made.status_code == 201, made.text
        self.paths["gift link"] = made.json()["path"]
        answered = await self.town.client.post(self.paths["gift link"], json=DOOR)
        assert answered.json()["status"] == "placed", answered.text
        (self.order,) = (await self.sara.get("/v1/orders")).json()["orders"]
        assert self.order["gift"] == {
            "hide_price": True,
            "hide_sender": False,
            "surprise": False,
            "vehicles": [],
            **self.gift,
        }
        self.telltales["pin"] = self.order["pin"]
        for viewer in ("recipient", "link"):
            wish = {"viewer": viewer}
            link = await self.sara.post(f"/v1/orders/{self.order['order_id']}/links", wish)
            self.paths[viewer] = link.json()["path"]

    async def offer(self) -> None:
        """Somebody who can carry such a gift is asked."""
        self.courier = await self.town.log_in("courier")
        self.phone: Socket = await self.courier.socket()
        able = {"capacity_units": 100, "skills": ["cold", "fragile", "heavy", "upright"]}
        await self.phone.tell("duty", **{**ON_DUTY, **able})
        self.offer_id = (await self.phone.offer(self.courier))["offer_id"]

    async def step(self, step: str) -> None:
        more = {"reason": "nobody_home"} if step == "attempt_failed" else {}
        told = await self.phone.tell("progress", order_id=self.order["order_id"], step=step, **more)
        assert told["type"] == "reply", told

    async def told(self, viewer: str) -> Any:
        """What a viewer is answered."""
        own = f"/v1/orders/{self.order['order_id']}"
        match viewer:
            case "sender":
                return (await self.sara.get(own)).json()
            case "operator":
                return (await self.operator.get(own)).json()
            case "courier":
                return (await self.courier.get("/v1/courier")).json()
            case _:
                return (await self.town.client.get(self.paths[viewer])).json()

    async def texts(self) -> list[str]:
        """Every SMS to the recipient so far, once no other is on its way."""
        outbox = cast("MemoryStore", self.town.parts.store).outbox
        async with asyncio.timeout(30):
            while any(isinstance(one.effect, SendSms) for one in outbox._waiting.values()):
                await self.town.parts.wall.sleep(5)
        return [one.text for one in self.town.texts() if one.phone == RECIPIENT_PHONE]

    async def must_tell(self, stage: str, **words: set[str]) -> None:
        """At this stage these viewers, and those who always see the same, are told just that."""
        named = not (self.is_surprise or self.gift.get("hide_sender"))
        always = {
            "sender": EVERYTHING,
            "operator": EVERYTHING,
            "link": set[str](),
            "gift link": {"recipient", *(["sender"] if named else [])},
        }
        # Whoever comes again costs a fee, and that is in the price.
        self.telltales["price"] = (await self.told("sender"))["total_halalas"]
        for viewer, wanted in {**always, **words}.items():
            found = said(await self.told(viewer), self.telltales)
            assert found == wanted, f"{viewer} at {stage}"
        is_near = stage in {"reached_door", "attempt_failed", "delivered"}
        for viewer in ("recipient", "link"):
            is_told = "public_status" in await self.told(viewer)
            assert is_told is (self.is_announced or is_near), f"{viewer} at {stage}"


@pytest.mark.parametrize("kind", KINDS)
async def test_each_viewer_is_told_his_words_at_each_stage_and_no_others(
    town: Town, kind: str
) -> None:
    given = Given(town, kind)
    await given.place()
    await given.must_tell("waiting", recipient=given.expected)
    assert await given.texts() == []

    await given.offer()
    await given.must_tell("offered", recipient=given.expected, courier=ASKED)
    gift = (await given.told("courier"))["offer"]["orders"][0]["gift"]
    assert {gift["surprise"], gift["photo_consent"]} == {False}

    accepted = await given.phone.tell("accept", offer_id=given.offer_id)
    assert accepted["type"] == "reply", accepted
    brings = BRINGS - {"phone"} if given.is_surprise else BRINGS
    await given.must_tell("accepted", recipient=given.expected, courier=brings)
    (carried,) = (await given.told("courier"))["orders"]
    assert (carried["gift"]["surprise"], carried["gift"]["photo_consent"]) == (
        given.is_surprise,
        True,
    )

    # How many texts the recipient has had after each step.
    announced = [0, 0, 1, 1, 2] if given.is_surprise else [0, 1, 1, 1, 1]
    for step, count in zip(ON_THE_WAY, announced, strict=True):
        await given.step(step)
        await given.must_tell(step, recipient=given.expected, courier=brings)
        assert len(await given.texts()) == count, step

    photo = a_photo()
    about = {"purpose": "proof_photo", "order_id": given.order["order_id"]}
    kept = await send(given.courier, photo, **about)
    assert kept.status_code == 201, kept.text
    handover = {"to": "neighbour", "taken_by": NEIGHBOUR, "photo": digest(photo)}
    delivered = {"order_id": given.order["order_id"], "step": "delivered", "handover": handover}
    done = await given.courier.post("/v1/courier/progress", delivered)
    assert done.json()["status"] == "delivered", done.text
    opened = {*given.opened, "neighbour"}
    await given.must_tell("delivered", recipient=opened, courier=set())
    past = (await given.courier.get("/v1/past-work")).json()
    assert said(past, given.telltales) == {"description", "recipient"}

    *texts, last = await given.texts()
    assert all(text.count(given.order["pin"]) == 2 for text in texts)
    secrets = {name: tell for name, tell in TELLTALES.items() if isinstance(tell, str)}
    assert said(texts, secrets) == set()
    assert said(last, secrets) == {"neighbour"}


# Letters with shadda and vowel are three code points, a flag of a region seven, a kiss ten.
CHARACTERS: Final = {
    "a letter": "م",
    "letters with diacritics": "رَّ",
    "an emoji with a skin": "👋🏽",
    "a family": "👨‍👩‍👧‍👦",
    "a flag": "🇸🇦",
    "a flag of a region": "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "a kiss with skins": "👩🏽‍❤️‍💋‍👨🏿",
}


def bodies(gift: dict[str, Any], quote_id: str) -> dict[str, tuple[dict[str, Any], str]]:
    """Every way to write a card: what is sent, and where in it the message stands."""
    order = order_body(quote_id, gift=gift)
    return {
        "/v1/orders": (order, "/gift/message"),
        "/v1/gift-links": ({**LINK, "gift": gift}, "/gift/message"),
        "/v1/group-orders": ({"orders": [order, order]}, "/orders/0/gift/message"),
        "/v1/group-payments": ({"orders": [order, order]}, "/orders/0/gift/message"),
        "/v1/payments": ({"order": order}, "/order/gift/message"),
    }


async def test_a_card_has_room_for_five_hundred_characters_and_not_one_more(town: Town) -> None:
    sara = await town.log_in("customer")
    for name, character in CHARACTERS.items():
        full = {"description": "x", "message": character * 500}
        placed = await sara.post("/v1/orders", order_body(await sara.quote(), gift=full))
        assert placed.status_code == 201, (name, placed.text)
        shown = await sara.get(f"/v1/orders/{placed.json()['order_id']}")
        assert shown.json()["gift"]["message"] == full["message"], name
        assert (await sara.post("/v1/gift-links", {**LINK, "gift": full})).status_code == 201
        over = {**full, "message": character * 501}
        for path, (body, pointer) in bodies(over, await sara.quote()).items():
            refused = await sara.post(path, body)
            assert refused.json()["code"] == "invalid_request", (name, path)
            assert pointer in [one["pointer"] for one in refused.json()["errors"]], (name, path)


NO_WORDS: Final[tuple[tuple[str, object], ...]] = (
    ("card", "none_of_ours"),
    ("skills", ["juggling"]),
    ("size_units", 0),
    ("size_units", 101),
    ("weight_g", -1),
    ("weight_g", 100_001),
    ("neighbour", "x" * 301),
    ("sender_name", "x" * 121),
    ("occasion", "x" * 61),
    ("surprise", "yes"),
    ("hide_price", 1),
    ("wrapping", "gold"),
)


async def test_a_word_that_is_none_is_pointed_at(town: Town) -> None:
    sara = await town.log_in("customer")
    quote_id = await sara.quote()
    for field, value in NO_WORDS:
        body = order_body(quote_id, gift={"description": "x", field: value})
        refused = await sara.post("/v1/orders", body)
        assert refused.json()["code"] == "invalid_request", field
        (fault,) = refused.json()["errors"]
        assert fault["pointer"].startswith(f"/gift/{field}"), field
