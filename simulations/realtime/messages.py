"""A chat message until it is stored and the other phone shows it."""

import asyncio
from time import perf_counter
from typing import Final

import msgspec

from simulations.realtime.bare_commits import BareCommits
from simulations.realtime.commands import percentile
from simulations.realtime.courier import CourierPhone
from simulations.realtime.orders import STEPS, Customers, Errands
from simulations.realtime.rows import Row
from simulations.realtime.site import Site
from simulations.realtime.steady import streaming
from simulations.realtime.steady_rate import SteadyRate
from simulations.talk_page import TalkShown
from simulations.views import Frame

# As many as one author may write about one order in a minute, halved: runs follow each other.
_OF_ONE_ORDER: Final = 10
_TAIL_MS: Final = 2_000
# Many digits in a row may be a phone number, which no reader is shown.
_AS_LETTERS: Final = str.maketrans("0123456789", "ghijklmnop")

Carried = tuple[CourierPhone, str]


async def messages(site: Site, customers: Customers) -> list[Row]:
    """Couriers write at a steady rate while positions come, each until the customer's phone shows.

    Beside it a commit and a word on the stream, of nothing else.
    """
    sizes = site.sizes
    count = max(2, int(sizes.messages_per_s * sizes.run_s))
    carried = await _carried(site, customers, -(-count * sizes.runs // _OF_ONE_ORDER))
    bare = await BareCommits.begin(site, 1)
    ours: list[list[float]] = []
    theirs: list[list[float]] = []
    async with streaming(site, site.couriers):
        for number in range(sizes.runs):
            bar = site.progress.add_task(f"messages, run {number + 1}", total=None)
            ours.append(await _written(site, customers, carried, count))
            theirs.append(await bare.shown(count, per_s=sizes.messages_per_s))
            site.progress.remove_task(bar)
    await bare.end()
    title = f"{sizes.messages_per_s} messages/s under that load"
    return [
        *(
            Row(
                what=f"{title}: sent to shown on the other phone, p{percent}",
                unit="ms",
                ours=tuple(percentile(run, percent) for run in ours),
                bare=tuple(percentile(run, percent) for run in theirs),
            )
            for percent in (50, 99)
        ),
        Row(
            what=f"{title}: lost, of 1,000",
            unit="",
            ours=tuple(1000 * (1 - len(run) / count) for run in ours),
            at_most=0.0,
        ),
    ]


async def _carried(site: Site, customers: Customers, count: int) -> list[Carried]:
    """So many orders that are carried, whose customers listen to what is said about them."""
    await customers.place_many(count)
    errands = Errands(site)
    await errands.gather(count * len(STEPS))
    taken = [errands.take() for _ in range(count)]
    carried = [(one.courier, one.order_id) for one in taken if one is not None]
    await asyncio.gather(*(customers.converse(order_id) for _, order_id in carried))
    return carried


async def _written(
    site: Site, customers: Customers, carried: list[Carried], count: int
) -> list[float]:
    """Milliseconds of each message that was shown."""
    sent_at: dict[str, float] = {}
    found: list[float] = []

    def heard(frame: Frame) -> None:
        if frame.type == "update" and frame.kind == "state":
            for one in msgspec.json.decode(frame.body, type=TalkShown).messages:
                at = sent_at.pop(one.text, None)
                if at is not None:
                    found.append(1000 * (perf_counter() - at))

    customers.talked = heard
    rate = SteadyRate(site.clock, site.sizes.messages_per_s)
    async with asyncio.TaskGroup() as tasks:
        for number in range(count):
            await rate.turn_of(number)
            courier, order_id = carried[number % len(carried)]
            text = site.new_id().translate(_AS_LETTERS)
            sent_at[text] = perf_counter()
            tasks.create_task(courier.ask("message", order_id=order_id, text=text))
    await site.clock.sleep(_TAIL_MS)
    return found
