"""What clients were told, held against the service and its history afterwards, from outside."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final

from actors.chance import SystemChance
from simulations.app_socket import Socket
from simulations.chaos.stored import stored_otherwise
from simulations.chaos.talked import talked_otherwise
from simulations.checks import not_in_history
from simulations.diary import Diary, OrderPage
from simulations.rest import Account
from simulations.witness import Answered, Chronicle, Said
from storage.settings import DatabaseSettings

if TYPE_CHECKING:
    from simulations.small_talk import SmallTalk

# Commands that always change something when they succeed: their answers are stored with the change.
_ALWAYS_CHANGE: Final = frozenset({"accept", "progress", "message"})
_AT_ONCE: Final = 8


class Audit:
    """Looks after a day whether every word of the service was kept.

    `calm` returns when nothing is harmed any more. Whatever happens it comes to its end: a part
    that cannot be looked at, or takes longer than `part_s` seconds, is itself a violation, beside
    what was found until then.
    """

    def __init__(
        self,
        chronicle: Chronicle,
        database: DatabaseSettings | None = None,
        *,
        calm: Callable[[], None] = lambda: None,
        part_s: float = 300.0,
    ) -> None:
        self.witness = chronicle
        self.talks: list[SmallTalk] = []
        self._database = database
        self._calm = calm
        self._part_s = part_s
        self._found: list[str] = []
        self.asked_again = 0
        self.histories_read = 0

    async def violations(
        self, operator: Account, people: Iterable[Account], diary: Diary
    ) -> list[str]:
        """What was acknowledged and is not known, and what was shown and never was."""
        await asyncio.to_thread(self._calm)
        accounts = {one.phone: one for one in people}
        pages = [one for one in diary.orders.values() if one.order_id]
        await self._in_time("the histories", self._told_otherwise(operator, pages))
        await self._in_time("the conversations", self._talked_otherwise(operator))
        await self._in_time("the answers", self._unkept(accounts))
        await self._in_time("the database", self._stored_otherwise(operator, accounts, pages))
        return self._found

    async def _in_time(self, name: str, looking: Awaitable[None]) -> None:
        try:
            async with asyncio.timeout(self._part_s):
                await looking
        except TimeoutError:
            self._found.append(f"{name} could not be looked at within {self._part_s:.0f} s")
        except Exception as error:  # noqa: BLE001 - whatever it is, the other parts are looked at
            self._found.append(f"{name} could not be looked at: {error!r}")

    async def _told_otherwise(self, operator: Account, pages: Iterable[OrderPage]) -> None:
        self._found += not_in_history(pages, await self._histories(operator, pages))

    async def _talked_otherwise(self, operator: Account) -> None:
        self._found += await talked_otherwise(operator, self.talks, self.witness.answers)

    async def _stored_otherwise(
        self, operator: Account, accounts: Mapping[str, Account], pages: Iterable[OrderPage]
    ) -> None:
        """What only the database knows, if its address was given."""
        if self._database is None:
            return
        self._found += await stored_otherwise(
            self._database,
            operator.edge.clock,
            answers=self.witness.answers,
            users={phone: one.user_id for phone, one in accounts.items()},
            order_ids=[one.order_id for one in pages],
        )

    async def _histories(
        self, operator: Account, pages: Iterable[OrderPage]
    ) -> Mapping[str, list[tuple[int, str]]]:
        gate = asyncio.Semaphore(_AT_ONCE)
        found: dict[str, list[tuple[int, str]]] = {}

        async def read(order_id: str) -> None:
            async with gate:
                found[order_id] = [
                    (one["version"], one["type"])
                    async for one in operator.pages(f"/v1/orders/{order_id}/timeline", "events")
                ]
            self.histories_read += 1

        await asyncio.gather(*(read(page.order_id) for page in pages))
        return found

    async def _unkept(self, accounts: Mapping[str, Account]) -> None:
        """Commands that were done, and are answered otherwise when they are sent again."""
        by_person: dict[str, list[Answered]] = defaultdict(list)
        for one in self.witness.answers:
            if _is_lasting(one) and one.phone in accounts:
                by_person[one.phone].append(one)
        gate = asyncio.Semaphore(_AT_ONCE)

        async def ask_again(phone: str, answers: list[Answered]) -> None:
            async with gate:
                await self._ask_again(accounts[phone], answers)

        await asyncio.gather(*(ask_again(*one) for one in by_person.items()))

    async def _ask_again(self, account: Account, answers: list[Answered]) -> None:
        socket = Socket(account, Diary(), SystemChance())
        if any(isinstance(one.asked, Said) for one in answers):
            await socket.open()
        try:
            for one in answers:
                if isinstance(one.asked, Said):
                    kind, command_id, fields = one.asked
                    told = await socket.tell_as(command_id, kind, fields)
                else:
                    method, path, body, key = one.asked
                    told = await account.request(method, path, body, key=key)
                self.asked_again += 1
                if told != one.told:
                    self._found.append(
                        f"{one.phone} was told {one.told} to {one.asked}, now {told}"
                    )
        finally:
            await socket.close()


def _is_lasting(one: Answered) -> bool:
    """What changed nothing, because it had been done before, is answered by how things stand."""
    if one.told.refused or one.told.body.get("repeated"):
        return False
    if isinstance(one.asked, Said):
        return one.asked.kind in _ALWAYS_CHANGE
    return one.asked.path.startswith("/v1/orders")
