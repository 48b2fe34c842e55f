"""Positions with an acknowledgement, as many as a server takes, beside the bare server."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Final

from simulations.realtime.bare import Bare, running
from simulations.realtime.courier import PING, PONG, CourierPhone
from simulations.realtime.phone import Phone
from simulations.realtime.processes import cpu_s, usage
from simulations.realtime.rows import Row
from simulations.realtime.site import Site

_RATIO: Final = 0.85
_SILENT_MS: Final = 200


@dataclass(frozen=True, slots=True)
class Pace:
    """Acknowledged frames in a second, and in a second of the server's processor time."""

    per_s: float
    per_cpu_s: float


async def saturated(site: Site) -> list[Row]:
    """Everybody sends the next position when the last was acknowledged, here and there in turn."""
    couriers = site.couriers[: site.sizes.saturating]
    ours: list[Pace] = []
    bare: list[Pace] = []
    with running(site.place.bare_edge) as server:
        others = [Phone(server.socket_url, lambda _: None) for _ in couriers]
        for phone in others:
            await phone.open(server.host, server.port)
        for _ in site.progress.track(range(site.sizes.runs), description="positions, saturated"):
            bare.append(await _bare_pace(site, couriers, others, server))
            ours.append(await _our_pace(site, couriers))
        for phone in others:
            phone.drop()
    title = f"positions acknowledged, {len(couriers)} sockets saturating"
    return [
        Row(
            what=title,
            unit="per CPU-s of the edge",
            ours=tuple(one.per_cpu_s for one in ours),
            bare=tuple(one.per_cpu_s for one in bare),
            ratio_at_least=_RATIO,
        ),
        Row(
            what=f"{title}: by the clock",
            unit="per s",
            ours=tuple(one.per_s for one in ours),
            bare=tuple(one.per_s for one in bare),
        ),
    ]


async def _bare_pace(
    site: Site, couriers: Sequence[CourierPhone], phones: Sequence[Phone], server: Bare
) -> Pace:
    """The couriers' positions, sent to the bare server."""
    before = cpu_s(server.pid)
    per_s, count = await _rounds(site, couriers, phones)
    return Pace(per_s, count / max(cpu_s(server.pid) - before, 0.01))


async def _our_pace(site: Site, couriers: Sequence[CourierPhone]) -> Pace:
    phones = [one.phone for one in couriers if one.phone is not None]
    before = usage()
    per_s, count = await _rounds(site, couriers, phones)
    return Pace(per_s, count / max(usage().since(before)["edge"], 0.01))


async def _rounds(
    site: Site, couriers: Sequence[CourierPhone], phones: Sequence[Phone]
) -> tuple[float, int]:
    """Answers in a second, and how many there were."""
    ends_at = perf_counter() + site.sizes.run_s
    answered = 0

    def say(courier: CourierPhone, phone: Phone) -> None:
        phone.say_both(courier.record(site.clock.now()), PING)

    def again(courier: CourierPhone, phone: Phone, message: bytes) -> None:
        nonlocal answered
        if PONG in message:
            answered += 1
            if perf_counter() < ends_at:
                say(courier, phone)

    heard = [phone.heard for phone in phones]
    began = perf_counter()
    for courier, phone in zip(couriers, phones, strict=True):
        phone.heard = partial(again, courier, phone)
        say(courier, phone)
    await site.clock.sleep(1000 * site.sizes.run_s)
    took, count = perf_counter() - began, answered
    await site.clock.sleep(_SILENT_MS)
    for phone, before in zip(phones, heard, strict=True):
        phone.heard = before
    return count / took, count
