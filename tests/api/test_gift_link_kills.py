"""Wherever its keeper dies, however many keep it, a paid link ends once: ordered, or given back."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from actors.clock import SystemClock
from api.errors import Refused
from api.gift_links import GiftLinks
from api.hosts.money import open_payments
from engine.kernel.place import Place, Point
from engine.kernel.timing import DAY_MS, SECOND_MS
from engine.orders.gift_link import GiftLink, GiftLinkId, GiftLinkStatus
from engine.payments.payment import PaymentStatus
from tests.actors.kills import Killed, Life, Mortal
from tests.api.test_paid_gift_links import a_paid_link, aged
from tests.api.test_payments import MADA, VISA, Shop, a_shop
from tests.api.town import Person
from tests.builders import DOOR

Ends = tuple[GiftLinkStatus, PaymentStatus, int, bool]
TIMES = 100
PROCESSES = 4
HOME = Place(point=Point(lat=DOOR.lat, lng=DOOR.lng), address="Building 7")


class LaterClock(SystemClock):
    """The real one, some time from now: by it gateways are looked at again at once."""

    def __init__(self, by_ms: int) -> None:
        super().__init__()
        self._later_ms = by_ms

    def now(self) -> int:
        return super().now() + self._later_ms


def keeper(shop: Shop, *, life: Life | None = None, later_ms: int = 0) -> GiftLinks:
    """That of another process, which dies when its life ends."""

    def mortal(inner: object) -> Any:
        return inner if life is None else Mortal(inner, life)

    parts = shop.town.parts
    own = replace(
        parts,
        gift_links=mortal(parts.gift_links),
        payments=mortal(parts.payments),
        store=mortal(parts.store),
        bus=mortal(parts.bus),
        identity=mortal(parts.identity),
        gateways={name: mortal(one) for name, one in parts.gateways.items()},
        wall=LaterClock(later_ms),
    )
    return GiftLinks(own, shop.town.app.state.quoted_zones, open_payments(own))


async def answered(links: GiftLinks, link: GiftLink) -> None:
    placed = await links.answer(link, HOME, None)
    assert placed.status is GiftLinkStatus.PLACED
    await links.look()


async def expired(links: GiftLinks, link: GiftLink) -> None:
    del link
    await links.look()


Tale = Callable[[GiftLinks, GiftLink], Awaitable[None]]


async def told(
    shop: Shop, sara: Person, number: str, tale: Tale, dies_at: int | None
) -> tuple[Life, Ends]:
    """One link to its end, by a process that dies at a point, and by those after it."""
    town, life = shop.town, Life(dies_at)
    made, _ = await a_paid_link(shop, sara, number)
    if tale is expired:
        await aged(shop, made, 15 * DAY_MS)
    found = await town.parts.gift_links.find(GiftLinkId(made["gift_link_id"]))
    assert found is not None
    mortal = keeper(shop, life=life)
    try:
        await life.during(cast("Any", tale(mortal, found)))
    except Killed:
        life.leave(mortal._payments._under_way)
        await life.bury()
    link = await town.parts.gift_links.find(found.id)
    assert link is not None
    if tale is answered and link.status is GiftLinkStatus.OPEN:
        # Its recipient has heard nothing, and asks again.
        await answered(keeper(shop), link)
    for look in range(1, 4):
        after = keeper(shop, later_ms=look * 200 * SECOND_MS)
        await after.look()
        await after._payments.look()
    return life, await ends(shop, found.id)


async def ends(shop: Shop, gift_link_id: GiftLinkId) -> Ends:
    parts = shop.town.parts
    link = await parts.gift_links.find(gift_link_id)
    assert link is not None
    assert link.payment_id is not None
    payment = await parts.payments.find(link.payment_id)
    assert payment is not None
    assert payment.operation is None, "nobody would ever know"
    assert link.is_refunded, "its payment would keep everything for ever"
    moves = Counter(verb for verb, charge, _ in shop.protocol.till.moves if charge == payment.id)
    assert max(moves.values()) == 1, "moved twice"
    order = await parts.store.find_order(payment.order_id)
    kept = payment.captured_halalas - payment.refunded_halalas
    assert kept == (0 if order is None else order.total_halalas)
    charge = shop.protocol.till.charges[payment.id]
    assert kept == charge.captured - charge.refunded
    return link.status, payment.status, kept, order is not None


ENDINGS = [
    (VISA, answered, GiftLinkStatus.PLACED),
    (MADA, answered, GiftLinkStatus.PLACED),
    (MADA, expired, GiftLinkStatus.EXPIRED),
    (VISA, expired, GiftLinkStatus.EXPIRED),
]


@pytest.mark.parametrize(("number", "tale", "status"), ENDINGS)
async def test_a_hundred_at_once_are_one_end(
    tmp_path: Path, number: str, tale: Tale, status: GiftLinkStatus
) -> None:
    async with a_shop(tmp_path) as shop:
        sara = await shop.town.log_in("customer")
        _, wanted = await told(shop, sara, number, tale, None)
        made, _ = await a_paid_link(shop, sara, number)
        if tale is expired:
            await aged(shop, made, 15 * DAY_MS)
        link = await shop.town.parts.gift_links.find(GiftLinkId(made["gift_link_id"]))
        assert link is not None
        keepers = [keeper(shop) for _ in range(PROCESSES)]
        found = await asyncio.gather(
            *(tale(keepers[one % PROCESSES], link) for one in range(TIMES)),
            return_exceptions=True,
        )
        # Of those who answer one is first; the others hear that it is answered.
        refused = [one.refusal.code for one in found if isinstance(one, Refused)]
        assert set(refused) <= {"gift_link_closed"}
        assert len(refused) == (TIMES - 1 if tale is answered else 0)
        assert all(one is None or isinstance(one, Refused) for one in found)
        for look in range(1, 4):
            after = keeper(shop, later_ms=look * 200 * SECOND_MS)
            await after.look()
            await after._payments.look()
        assert wanted[0] is status
        assert await ends(shop, link.id) == wanted


@pytest.mark.parametrize(("number", "tale", "status"), ENDINGS)
async def test_wherever_the_keeper_dies_the_end_is_the_same(
    tmp_path: Path, number: str, tale: Tale, status: GiftLinkStatus
) -> None:
    async with a_shop(tmp_path) as shop:
        sara = await shop.town.log_in("customer")
        alive, wanted = await told(shop, sara, number, tale, None)
        assert wanted[0] is status
        points = len(alive.points)
        assert points > 15
        for dies_at in range(points):
            life, end = await told(shop, sara, number, tale, dies_at)
            where = life.points[-1]
            assert end == wanted, where
