"""What a city is made of for the generator, and what all its cities have in common."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from engine.geo.travel import TravelProfile
from engine.kernel.place import Point


class District(NamedTuple):
    """A round part of the city.

    `homes` weighs doors in the morning (6 to 12), afternoon (to 17), evening (to 23) and night;
    `shops` weighs shops.
    """

    name_en: str
    name_ar: str
    lat: float
    lng: float
    radius_m: int
    homes: tuple[int, int, int, int]
    shops: int


class ShopKind(NamedTuple):
    """What a shop sells: `ready_min` is its preparation in minutes, least and most."""

    name_en: str
    name_ar: str
    gifts: tuple[str, ...]
    ready_min: tuple[int, int]
    size_units: int
    weight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CityData:
    """A city: `demand` weighs the orders of each local hour against the busiest of a plain day.

    `travel` is what its people believe about its roads.
    """

    name_en: str
    name_ar: str
    middle: Point
    districts: tuple[District, ...]
    demand: tuple[float, ...]
    travel: TravelProfile


SHOP_KINDS: Final = (
    ShopKind(
        "Flowers", "ورد", ("Two dozen roses", "Tulips in a vase", "White orchid"), (8, 20), 2, 8
    ),
    ShopKind("Chocolate", "شوكولاتة", ("Box of truffles", "Filled dates"), (1, 6), 1, 7),
    ShopKind("Cakes", "كيك", ("Birthday cake", "Cheesecake"), (10, 30), 3, 5),
    ShopKind("Perfume", "عطور", ("Oud perfume", "Rose perfume"), (1, 5), 1, 5),
    ShopKind("Incense", "بخور", ("Oud and a burner", "Box of bakhoor"), (3, 8), 1, 3),
    ShopKind("Toys", "ألعاب", ("Building bricks", "Teddy bear"), (4, 12), 2, 3),
    ShopKind("Books", "كتب", ("Novel, wrapped", "Notebook and pen"), (3, 10), 1, 2),
    ShopKind("Gift boxes", "صناديق هدايا", ("New baby box", "Coffee box"), (5, 15), 2, 4),
)

OCCASIONS: Final = ("birthday", "wedding", "new baby", "graduation", "thanks", "get well", "")
FIRST_NAMES: Final = (
    "Abdullah", "Fahad", "Khalid", "Mohammed", "Omar", "Saad", "Sultan", "Turki", "Yousef",
    "Faisal", "Hind", "Lama", "Maha", "Noura", "Reem", "Sara", "Haya", "Amal", "Dana", "Jawaher",
)  # fmt: skip
FAMILY_NAMES: Final = (
    "Al Qahtani", "Al Otaibi", "Al Harbi", "Al Shehri", "Al Ghamdi", "Al Dosari", "Al Zahrani",
    "Al Mutairi", "Al Anazi", "Al Subaie",
)  # fmt: skip
