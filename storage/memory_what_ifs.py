"""The in-memory twin of what operators asked about other parameters."""

from engine.kernel.ids import ZoneId
from engine.kernel.pages import Page, Wanted
from engine.listings import WHAT_IFS
from engine.what_if import WhatIf, WhatIfId


class MemoryWhatIfs:
    """Satisfies `WhatIfStore`; nothing in it waits."""

    def __init__(self) -> None:
        self._kept: dict[WhatIfId, WhatIf] = {}

    async def save(self, what_if: WhatIf) -> bool:
        last = self._kept.get(what_if.id)
        if what_if.version != (last.version if last else 0) + 1:
            return False
        self._kept[what_if.id] = what_if
        return True

    async def find(self, what_if_id: WhatIfId) -> WhatIf | None:
        return self._kept.get(what_if_id)

    async def list_of(self, zone_id: ZoneId, wanted: Wanted) -> Page[WhatIf]:
        mine = (one for one in self._kept.values() if one.asked.zone_id == zone_id)
        return WHAT_IFS.page(mine, wanted)
