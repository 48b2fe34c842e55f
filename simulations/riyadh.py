"""Riyadh as the generator knows it: districts, and the hours in which people order and drive.

Places are right to a few hundred metres, everything else is plausible; nothing here is a record.
"""

from typing import Final

from engine.geo.travel import Speeds, TravelProfile
from engine.kernel.place import Point
from simulations.atlas import CityData, District

_DISTRICTS: Final = (
    District("Al Olaya", "العليا", 24.6953, 46.6850, 1800, (9, 8, 5, 3), 10),
    District("As Sulimaniyah", "السليمانية", 24.7040, 46.7030, 1500, (6, 6, 6, 4), 7),
    District("Al Wurud", "الورود", 24.7220, 46.6720, 1100, (4, 5, 6, 4), 4),
    District("King Fahd", "الملك فهد", 24.7390, 46.6760, 1400, (4, 5, 6, 4), 4),
    District("Al Murooj", "المروج", 24.7560, 46.6620, 1200, (3, 4, 5, 4), 4),
    District("Al Aqiq", "العقيق", 24.7740, 46.6290, 1700, (9, 7, 5, 3), 6),
    District("Al Ghadir", "الغدير", 24.7730, 46.6560, 1100, (3, 4, 5, 4), 2),
    District("Ar Rabi", "الربيع", 24.7940, 46.6600, 1200, (2, 4, 6, 5), 3),
    District("An Nafal", "النفل", 24.7790, 46.6770, 1100, (2, 3, 4, 3), 2),
    District("As Sahafah", "الصحافة", 24.8050, 46.6380, 1600, (3, 5, 7, 5), 5),
    District("Al Yasmin", "الياسمين", 24.8210, 46.6460, 1900, (3, 5, 9, 6), 7),
    District("An Narjis", "النرجس", 24.8560, 46.6680, 2300, (3, 5, 9, 6), 5),
    District("Al Malqa", "الملقا", 24.8080, 46.6080, 1900, (4, 6, 9, 6), 8),
    District("Hittin", "حطين", 24.7640, 46.6000, 1800, (4, 6, 8, 6), 7),
    District("An Nakheel", "النخيل", 24.7470, 46.6350, 1500, (4, 4, 5, 3), 5),
    District("Diplomatic Quarter", "السفارات", 24.6800, 46.6230, 1500, (5, 4, 4, 2), 2),
    District("Irqah", "عرقة", 24.6920, 46.5820, 1600, (1, 2, 4, 3), 2),
    District("Al Izdihar", "الازدهار", 24.7820, 46.7130, 1100, (2, 3, 5, 3), 2),
    District("Al Mughrizat", "المغرزات", 24.7650, 46.7230, 1100, (2, 3, 5, 3), 3),
    District("Qurtubah", "قرطبة", 24.8120, 46.7420, 1800, (3, 5, 8, 5), 5),
    District("Ghirnatah", "غرناطة", 24.7900, 46.7510, 1500, (4, 5, 7, 4), 6),
    District("Al Hamra", "الحمراء", 24.7770, 46.7570, 1300, (2, 4, 6, 4), 4),
    District("Al Quds", "القدس", 24.7590, 46.7520, 1100, (2, 3, 5, 3), 2),
    District("Ishbiliyah", "إشبيلية", 24.7930, 46.7960, 1700, (2, 4, 7, 5), 4),
    District("Ar Rawdah", "الروضة", 24.7350, 46.7680, 2000, (3, 5, 8, 5), 5),
    District("Ar Rayyan", "الريان", 24.7070, 46.7720, 1700, (3, 4, 6, 4), 4),
    District("An Nasim", "النسيم", 24.7400, 46.8300, 2300, (3, 5, 8, 6), 4),
    District("Al Malaz", "الملز", 24.6680, 46.7330, 1800, (6, 6, 6, 4), 6),
    District("Al Murabba", "المربع", 24.6570, 46.7090, 1200, (5, 4, 3, 2), 3),
    District("Al Batha", "البطحاء", 24.6400, 46.7160, 1100, (4, 4, 4, 3), 3),
    District("Al Jazirah", "الجزيرة", 24.6770, 46.7900, 1600, (2, 4, 5, 4), 2),
    District("Al Uraija", "العريجاء", 24.6170, 46.6450, 2100, (2, 4, 7, 5), 3),
    District("As Suwaidi", "السويدي", 24.5900, 46.6680, 1900, (3, 5, 7, 5), 4),
    District("Ash Shifa", "الشفا", 24.5560, 46.6950, 2200, (2, 4, 7, 5), 3),
    District("Al Aziziyah", "العزيزية", 24.5850, 46.7620, 2200, (2, 4, 7, 5), 3),
    District("Tuwaiq", "طويق", 24.5850, 46.5420, 2200, (2, 4, 7, 5), 3),
)

# Orders in each local hour, against the busiest.
_DEMAND: Final = (
    0.30, 0.15, 0.08, 0.04, 0.03, 0.04, 0.06, 0.10, 0.20, 0.32, 0.42, 0.48,
    0.50, 0.52, 0.50, 0.52, 0.62, 0.72, 0.82, 0.92, 1.00, 0.95, 0.75, 0.50,
)  # fmt: skip
# Speed in each local hour, against the daily mean.
_PACE: Final = (
    1.25, 1.30, 1.30, 1.30, 1.30, 1.20, 1.00, 0.80, 0.80, 0.90, 0.95, 0.95,
    0.90, 0.90, 0.85, 0.80, 0.75, 0.70, 0.75, 0.80, 0.85, 0.90, 1.00, 1.10,
)  # fmt: skip

RIYADH: Final = CityData(
    name_en="Riyadh",
    name_ar="الرياض",
    middle=Point(lat=24.7136, lng=46.6753),
    districts=_DISTRICTS,
    demand=_DEMAND,
    travel=TravelProfile(
        detour=1.35,
        speeds_kmh=Speeds(car=38.0, motorcycle=42.0, bicycle=15.0, foot=5.0),
        hour_factors=_PACE,
        utc_offset_h=3,
    ),
)
