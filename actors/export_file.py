"""The file in which somebody gets all that is known of him: JSON, one file for each place."""

import io
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from engine.kernel.timing import SECOND_MS, Instant
from engine.privacy.places import PLACES

_README: Final = """\
كل ما نعرفه عنك لدى هديتي. لكل ملف اسم المكان الذي حُفظت فيه البيانات، والأوقات بالمللي ثانية
منذ ١٩٧٠ بالتوقيت العالمي. في about.json ما يبقى بعد حذف الحساب ولماذا.

All that Hadiyati knows about you. Each file is named after the place in which the data is kept;
times are milliseconds since 1970 in UTC. about.json says what stays after an erasure, and why.
"""


def export_file(told: Mapping[str, list[Any]], *, person: str, at: Instant) -> bytes:
    """A zip; the same data of the same instant gives the same bytes."""
    about = {
        "person": person,
        "made_at": at,
        "files": {name: len(rows) for name, rows in told.items() if rows},
        "places": [
            {"name": one.name, "on_erasure": one.fate.value, "why": one.why} for one in PLACES
        ],
    }
    date = datetime.fromtimestamp(at / SECOND_MS, UTC).timetuple()[:6]
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:

        def add(name: str, data: bytes | str) -> None:
            packed.writestr(zipfile.ZipInfo(name, date), data, zipfile.ZIP_DEFLATED)

        add("README.txt", _README)
        add("about.json", _json(about))
        for name, rows in told.items():
            if rows:
                add(f"{name}.json", _json(rows))
    return made.getvalue()


def _json(told: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(told), indent=2)
