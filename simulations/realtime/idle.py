"""What a socket costs that says nothing, beside a bare server's."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from simulations.realtime.bare import BARE_SOCKETS, running
from simulations.realtime.courier import CourierPhone
from simulations.realtime.phone import Phone
from simulations.realtime.processes import resident, usage
from simulations.realtime.rows import Row
from simulations.realtime.site import Site

KB_MAX: Final = 30.0
_SHARES: Final = 5


async def idle(site: Site) -> list[Row]:
    """Connect everybody, a share at a time, and see by how much the edge has grown each time."""
    shares = [site.couriers[at::_SHARES] for at in range(_SHARES)]
    with running(BARE_SOCKETS) as server:
        phones: list[Phone] = []

        async def open_bare(share: Sequence[CourierPhone]) -> None:
            for _ in share:
                phone = Phone(server.socket_url, lambda _: None)
                await phone.open(server.host, server.port)
                phones.append(phone)

        bare = await _growth(site, shares, open_bare, lambda: resident(server.pid))
        for phone in phones:
            phone.drop()
    # Only now, for a process may have no more files open than its limit.
    ours = await _growth(site, shares, site.connect, _edge)
    what = f"idle sockets, {len(site.couriers)}: memory of each"
    return [Row(what=what, unit="KB", ours=tuple(ours), bare=tuple(bare), at_most=KB_MAX)]


def _edge() -> int:
    return usage().memory["edge"]


async def _growth(
    site: Site,
    shares: Sequence[Sequence[CourierPhone]],
    open_all: Callable[[Sequence[CourierPhone]], Awaitable[None]],
    look: Callable[[], int],
) -> list[float]:
    found = []
    for share in shares:
        before = look()
        await open_all(share)
        await site.clock.sleep(500)
        found.append((look() - before) / 1024 / len(share))
    return found
