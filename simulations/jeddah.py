"""Jeddah as the generator knows it: districts, and the hours in which people order and drive.

Places are right to a few hundred metres, everything else is plausible; nothing here is a record.
"""

from typing import Final

from engine.geo.travel import Speeds, TravelProfile
from engine.kernel.place import Point
from simulations.atlas import CityData, District

_DISTRICTS: Final = (
    District("Al Balad", "البلد", 21.4840, 39.1870, 1300, (5, 5, 6, 4), 6),
    District("Al Hamra", "الحمراء", 21.5240, 39.1600, 1500, (6, 6, 7, 5), 8),
    District("Ar Ruwais", "الرويس", 21.5110, 39.1720, 1200, (4, 4, 5, 4), 4),
    District("Al Andalus", "الأندلس", 21.5390, 39.1480, 1500, (7, 6, 7, 5), 8),
    District("Ar Rawdah", "الروضة", 21.5650, 39.1500, 1600, (5, 6, 8, 5), 9),
    District("Al Khalidiyah", "الخالدية", 21.5560, 39.1320, 1300, (4, 5, 7, 5), 6),
    District("Az Zahra", "الزهراء", 21.5880, 39.1290, 1500, (4, 5, 8, 6), 6),
    District("As Salamah", "السلامة", 21.5880, 39.1530, 1700, (5, 6, 8, 6), 8),
    District("Ash Shati", "الشاطئ", 21.6030, 39.1100, 1700, (3, 5, 8, 7), 7),
    District("An Nahdah", "النهضة", 21.6130, 39.1300, 1400, (4, 5, 7, 5), 5),
    District("Al Muhammadiyah", "المحمدية", 21.6500, 39.1250, 1900, (3, 5, 8, 6), 6),
    District("Al Murjan", "المرجان", 21.6780, 39.1080, 1600, (2, 4, 6, 5), 3),
    District("Al Basatin", "البساتين", 21.6830, 39.1310, 1500, (3, 4, 7, 5), 3),
    District("Obhur Al Janubiyah", "أبحر الجنوبية", 21.7080, 39.1190, 2100, (2, 3, 7, 6), 4),
    District("Obhur Ash Shamaliyah", "أبحر الشمالية", 21.7560, 39.1220, 2300, (1, 3, 6, 6), 3),
    District("Al Faisaliyah", "الفيصلية", 21.5700, 39.1760, 1400, (4, 5, 7, 5), 5),
    District("Ar Rabwah", "الربوة", 21.5960, 39.1780, 1500, (3, 5, 8, 5), 5),
    District("As Safa", "الصفا", 21.5870, 39.2080, 1800, (4, 6, 9, 6), 6),
    District("Al Marwah", "المروة", 21.6200, 39.2060, 1700, (3, 5, 8, 6), 5),
    District("An Naim", "النعيم", 21.6190, 39.1570, 1400, (3, 4, 7, 5), 4),
    District("Al Bawadi", "البوادي", 21.6030, 39.1680, 1300, (3, 4, 6, 4), 3),
    District("Al Hamdaniyah", "الحمدانية", 21.7540, 39.1930, 2400, (2, 4, 8, 6), 4),
    District("Ar Rahmaniyah", "الرحمانية", 21.7210, 39.2300, 1900, (1, 3, 5, 4), 2),
    District("Al Aziziyah", "العزيزية", 21.5480, 39.1890, 1500, (4, 5, 7, 5), 5),
    District("Mishrifah", "مشرفة", 21.5370, 39.1900, 1300, (3, 4, 6, 4), 4),
    District("As Sulaymaniyah", "السليمانية", 21.4980, 39.2420, 1700, (5, 5, 5, 3), 3),
    District("Al Jamiah", "الجامعة", 21.4820, 39.2380, 1800, (4, 5, 7, 5), 4),
    District("Al Fayha", "الفيحاء", 21.4960, 39.2260, 1400, (3, 4, 6, 4), 3),
    District("Bani Malik", "بني مالك", 21.5250, 39.2030, 1200, (3, 4, 6, 4), 3),
    District("Al Ajwad", "الأجواد", 21.6030, 39.2570, 2000, (2, 4, 7, 5), 3),
    District("Al Wazirayah", "الوزيرية", 21.4480, 39.2220, 1500, (2, 4, 6, 4), 2),
    District("An Nuzhah", "النزهة", 21.6260, 39.1800, 1500, (3, 4, 7, 5), 4),
)

# Orders in each local hour, against the busiest: evenings by the sea are long.
_DEMAND: Final = (
    0.42, 0.24, 0.12, 0.06, 0.03, 0.03, 0.05, 0.08, 0.16, 0.27, 0.38, 0.45,
    0.48, 0.50, 0.49, 0.50, 0.58, 0.70, 0.82, 0.92, 1.00, 0.98, 0.85, 0.62,
)  # fmt: skip
# Speed in each local hour, against the daily mean.
_PACE: Final = (
    1.15, 1.25, 1.30, 1.30, 1.30, 1.20, 1.00, 0.85, 0.85, 0.90, 0.95, 0.95,
    0.90, 0.85, 0.85, 0.85, 0.80, 0.75, 0.75, 0.75, 0.80, 0.85, 0.95, 1.05,
)  # fmt: skip

JEDDAH: Final = CityData(
    name_en="Jeddah",
    name_ar="جدة",
    middle=Point(lat=21.5433, lng=39.1728),
    districts=_DISTRICTS,
    demand=_DEMAND,
    travel=TravelProfile(
        detour=1.40,
        speeds_kmh=Speeds(car=34.0, motorcycle=40.0, bicycle=15.0, foot=5.0),
        hour_factors=_PACE,
        utc_offset_h=3,
    ),
)
