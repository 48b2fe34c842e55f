"""What must hold of the shops that a zone knows."""

from hypothesis import given
from hypothesis import strategies as st

from engine.geo.shops import ChangeZoneShops, ZoneShopsChanged, change_shops
from engine.geo.zone import Zone
from engine.kernel.ids import UserId
from engine.kernel.place import Point
from engine.kernel.refusals import Refusal
from tests.builders import DOOR, NOON, SHOP, a_zone, must, new_id

NEAR = st.sampled_from([SHOP, DOOR, Point(lat=SHOP.lat + 0.001, lng=SHOP.lng)])
FAR = Point(lat=21.54, lng=39.17)


def telling(zone: Zone, *shops: Point) -> ChangeZoneShops:
    return ChangeZoneShops(zone_id=zone.id, shops=shops, author=UserId(new_id()))


@given(st.lists(NEAR, max_size=10), st.lists(NEAR, max_size=10))
def test_a_zone_knows_the_last_list_each_place_once_and_by_place(
    first: list[Point], last: list[Point]
) -> None:
    zone = a_zone()
    for shops in (first, last):
        before = zone
        decision = must(change_shops(zone, telling(zone, *shops), now=NOON))
        for change in decision.changes:
            assert isinstance(change.thing, Zone)
            zone = change.thing
        assert zone.shops == tuple(sorted(set(shops), key=lambda one: (one.lat, one.lng)))
        assert zone.version == before.version + (zone.shops != before.shops)
        told = {"zone_id": zone.id, "shops": len(zone.shops), "before": len(before.shops)}
        assert decision.reply == told


def test_the_history_says_how_many_and_by_whom() -> None:
    command = telling(a_zone(), SHOP, DOOR)
    (change,) = must(change_shops(a_zone(), command, now=NOON)).changes
    assert change.events == (ZoneShopsChanged(at=NOON, count=2, author=command.author),)


def test_a_shop_outside_the_zone_is_named_and_nothing_changes() -> None:
    zone = a_zone()
    refused = change_shops(zone, telling(zone, SHOP, *[FAR] * 12), now=NOON)
    assert isinstance(refused, Refusal)
    assert refused.code == "shops_outside_zone"
    assert refused.detail["shops"] == ["21.54, 39.17"] * 10
    assert refused.detail["count"] == 12
