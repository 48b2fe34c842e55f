"""Bugs to be planted in conversations: each is a mistake that somebody could make there."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest
from msgspec.structs import replace

import actors.conversations
import api.sockets.talks
import engine.chat.conversation
from actors.conversations import Conversations
from api.sockets.speaking import Speaking
from engine.chat.conversation import Conversation, Standing
from engine.kernel.ids import OrderId
from engine.kernel.messages import Caller, Decision
from simulations.faults.chat.truth import CheckedChat
from storage.chat import Asked, Decide

Plant = Callable[[pytest.MonkeyPatch], None]


def _answered_before_the_commit(patch: pytest.MonkeyPatch) -> None:
    """An author is answered by what was decided, whether or not it was stored."""
    turn = Conversations._turn

    async def hasty(self: Conversations, asked: Asked, decide: Decide, now: int) -> Any:
        decided: list[Any] = []

        def deciding(standing: Standing) -> Any:
            decided.append(decide(standing))
            return decided[-1]

        chat: Any = self._chat
        talk = await chat._store.read(asked.order_id, since=None, courier_id=None)
        deciding(Standing(order=talk.order, conversation=talk.conversation))
        await turn(self, asked, decide, now)
        return decided[-1]

    patch.setattr(Conversations, "_turn", hasty)


def _not_told_again(patch: pytest.MonkeyPatch) -> None:
    """Whoever died before he told is told for by nobody."""
    on_effect = Conversations.on_effect

    async def nothing(*_: object) -> None:
        return None

    async def silent(self: Conversations, effect: Any) -> None:
        self._tell = nothing  # type: ignore[assignment,method-assign]
        await on_effect(self, effect)

    patch.setattr(Conversations, "on_effect", silent)


def _receipts_forgotten(patch: pytest.MonkeyPatch) -> None:
    """What a phone confirms while the database is away is not stored when it is back."""

    async def once(self: Speaking, caller: Caller, order_id: OrderId) -> None:
        number = self._had.pop(order_id)
        await self._conversations.mark(caller, order_id, delivered=number)

    patch.setattr(Speaking, "_deliver", once)


def _ids_forgotten(patch: pytest.MonkeyPatch) -> None:
    """The same message said again is another one."""
    turn = CheckedChat.turn

    async def forgetful(self: CheckedChat, asked: Asked, decide: Decide, *, due_at: int) -> Any:
        return await turn(self, replace(asked, message_id=None), decide, due_at=due_at)

    patch.setattr(CheckedChat, "turn", forgetful)


def _markers_go_back(patch: pytest.MonkeyPatch) -> None:
    """Who says that he has read less has read less."""

    def mark(
        conversation: Conversation, reader: Any, *, delivered: int = 0, read: int = 0, now: int
    ) -> Decision:
        before = conversation.marker(reader)
        version = conversation.version + 1
        read, delivered = read or before.read, delivered or max(before.delivered, read)
        if (delivered, read) == (before.delivered, before.read):
            return Decision()
        moved = replace(before, delivered=delivered, read=read, version=version)
        return engine.chat.conversation._with_marker(conversation, moved, now)

    patch.setattr(actors.conversations, "mark", mark)


def _every_part_for_every_courier(patch: pytest.MonkeyPatch) -> None:
    """Who carries an order now reads what its former courier was told."""
    patch.setattr(api.sockets.talks, "leg_of", lambda _: None)


def _texts_not_counted(patch: pytest.MonkeyPatch) -> None:
    """Of each message that is not confirmed a text message leaves."""
    patch.setattr(engine.chat.conversation, "NOTICES_APART_MS", 0)


PLANTED_IN_CHAT: Final[Mapping[str, Plant]] = {
    "message answered before its commit": _answered_before_the_commit,
    "message not told again after a death": _not_told_again,
    "receipt forgotten while the database is away": _receipts_forgotten,
    "message stored twice under one id": _ids_forgotten,
    "read marker goes back": _markers_go_back,
    "courier hears another's part": _every_part_for_every_courier,
    "a text message for each message": _texts_not_counted,
}
