"""What clients were told, held against the service and its history afterwards, from outside."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from actors.chance import SystemChance
from simulations.chaos.stored import stored_otherwise
from simulations.checks import not_in_history
from simulations.diary import Diary, OrderPage
from simulations.door_socket import Socket
from simulations.rest import Account
from simulations.witness import Answered, Chronicle, Said
from storage.settings import DatabaseSettings

# Commands that always change something when they succeed: their answers are stored with the change.
_ALWAYS_CHANGE: Final = frozenset({"accept", "progress"})
_AT_ONCE: Final = 8


class Audit:
    """Looks after a day whether every word of the service was kept."""

    def __init__(self, chronicle: Chronicle, database: DatabaseSettings | None = None) -> None:
        self.witness = chronicle
        self._database = database
        self.asked_again = 0
        self.histories_read = 0

    async def violations(
        self, operator: Account, people: Iterable[Account], diary: Diary
    ) -> list[str]:
        """What was acknowledged and is not known, and what was shown and never was."""
        accounts = {one.phone: one for one in people}
        pages = [one for one in diary.orders.values() if one.order_id]
        history = await self._histories(operator, pages)
        return [
            *not_in_history(pages, history),
            *await self._unkept(accounts),
            *await self._stored_otherwise(operator, accounts, pages),
        ]

    async def _stored_otherwise(
        self, operator: Account, accounts: Mapping[str, Account], pages: Iterable[OrderPage]
    ) -> list[str]:
        """What only the database knows, if its address was given."""
        if self._database is None:
            return []
        return await stored_otherwise(
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

    async def _unkept(self, accounts: Mapping[str, Account]) -> list[str]:
        """Commands that were done, and are answered otherwise when they are sent again."""
        by_person: dict[str, list[Answered]] = defaultdict(list)
        for one in self.witness.answers:
            if _is_lasting(one) and one.phone in accounts:
                by_person[one.phone].append(one)
        gate = asyncio.Semaphore(_AT_ONCE)

        async def ask_again(phone: str, answers: list[Answered]) -> list[str]:
            async with gate:
                return await self._ask_again(accounts[phone], answers)

        found = await asyncio.gather(*(ask_again(*one) for one in by_person.items()))
        return [one for of_person in found for one in of_person]

    async def _ask_again(self, account: Account, answers: list[Answered]) -> list[str]:
        found = []
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
                    found.append(f"{one.phone} was told {one.told} to {one.asked}, now {told}")
        finally:
            await socket.close()
        return found


def _is_lasting(one: Answered) -> bool:
    """What changed nothing, because it had been done before, is answered by how things stand."""
    if one.told.refused or one.told.body.get("repeated"):
        return False
    if isinstance(one.asked, Said):
        return one.asked.kind in _ALWAYS_CHANGE
    return one.asked.path.startswith("/v1/orders")
