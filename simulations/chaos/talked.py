"""What is said of conversations after a day of chaos, held against what phones were told."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from actors.chance import SystemChance
from simulations.app_socket import Socket
from simulations.diary import Diary
from simulations.rest import Account
from simulations.small_talk import SmallTalk
from simulations.talk_page import MessageShown, TalkPage
from simulations.witness import Answered, Said

# Real seconds until who comes back must have heard all, and all that he has read must be known.
_PATIENCE_S: Final = 30.0
_LOOK_MS: Final = 200
_AT_ONCE: Final = 8

Stored = dict[str, Sequence[MessageShown]]


async def talked_otherwise(
    operator: Account, talks: Iterable[SmallTalk], answers: Iterable[Answered]
) -> list[str]:
    """What contradicts: every phone comes back from where it left off, and is told the rest."""
    talks = [one for one in talks if one.pages]
    order_ids = sorted({order_id for one in talks for order_id in one.pages})
    gate = asyncio.Semaphore(_AT_ONCE)

    async def read(order_id: str) -> Sequence[MessageShown]:
        async with gate:
            path = f"/v1/orders/{order_id}/messages"
            rows = [one async for one in operator.pages(path, "messages")]
            return msgspec.convert(rows[::-1], list[MessageShown])

    stored = dict(zip(order_ids, await asyncio.gather(*map(read, order_ids)), strict=True))
    found = [what for one in order_ids for what in _wrong_numbers(one, stored[one])]
    found += _unkept(stored, answers)
    for one in talks:
        async with gate:
            found += await _come_back(operator, one, stored)
    return found


def _wrong_numbers(order_id: str, messages: Sequence[MessageShown]) -> list[str]:
    numbers = [one.number for one in messages]
    if numbers == list(range(1, len(numbers) + 1)):
        return []
    return [f"conversation {order_id} has the messages {numbers}"]


def _unkept(stored: Stored, answers: Iterable[Answered]) -> list[str]:
    """Messages that their authors were told are written, and that are not, or otherwise."""
    found = []
    for one in answers:
        if not isinstance(one.asked, Said) or one.asked.kind != "message" or one.told.refused:
            continue
        order_id, text = one.asked.fields["order_id"], one.asked.fields["text"]
        told = (one.told.body["message_id"], one.told.body["number"], text)
        if told not in {(m.message_id, m.number, m.text) for m in stored.get(order_id, ())}:
            found.append(f"{one.phone} was told that {told} is written about {order_id}")
    return found


async def _come_back(operator: Account, talk: SmallTalk, stored: Stored) -> list[str]:
    socket = Socket(talk.account, Diary(), SystemChance())
    talk.use(socket)
    for order_id in talk.pages:
        await talk.listen(order_id)
    await socket.open()
    found: list[str] = []
    try:
        async with asyncio.timeout(_PATIENCE_S):
            while found := await _missing(operator, talk, stored):
                clock = operator.edge.clock
                await clock.sleep(_LOOK_MS * clock.speed)
    except TimeoutError:
        pass
    finally:
        await talk.end()
        await socket.close()
    return [*found, *(what for one in talk.pages.values() for what in _untrue(talk, one, stored))]


async def _missing(operator: Account, talk: SmallTalk, stored: Stored) -> list[str]:
    """What a customer has not been told, and what is not known that he has read.

    A courier may have lost the order, or come back after its conversation was closed.
    """
    if talk.side != "customer":
        return []
    found = []
    for order_id, page in talk.pages.items():
        shown = set(page.messages)
        lost = [one.number for one in stored[order_id] if one.message_id not in shown]
        if lost:
            found.append(f"{talk.account.phone} never heard the messages {lost} of {order_id}")
        told = await operator.request("GET", f"/v1/orders/{order_id}/conversation")
        if page.closes_at != told.body["closes_at"]:
            closing = (page.closes_at, told.body["closes_at"])
            found.append(f"{talk.account.phone} heard that {order_id} closes otherwise: {closing}")
        if order_id in talk.has_read:
            known = [one["read"] for one in told.body["markers"] if one["side"] == talk.side]
            if known != [talk.has_read[order_id]]:
                read = talk.has_read[order_id]
                found.append(
                    f"{talk.account.phone} has read {read} of {order_id}, known is {known}"
                )
    return found


def _untrue(talk: SmallTalk, page: TalkPage, stored: Stored) -> list[str]:
    known = {one.message_id: one for one in stored[page.order_id]}
    found = [f"{talk.account.phone}: {what}" for what in page.faults]
    for one in page.messages.values():
        if known.get(one.message_id) != one:
            found.append(f"{talk.account.phone} was shown {one}, stored is otherwise")
        if talk.side == "courier" and one.courier_id != talk.account.user_id:
            found.append(f"{talk.account.phone} was shown {one}, which is another courier's part")
    return found
