"""Effects that still have to happen: taken on lease, finished or put off."""

from functools import reduce
from operator import or_
from typing import Any, Final

import msgspec

from engine.chat.conversation import TellOfMessage
from engine.identity.access_changes import TellAccessChange
from engine.identity.links import SendLink
from engine.invoices.invoice import CreditRefund, IssueInvoice
from engine.kernel.ids import EffectId
from engine.kernel.messages import Effect
from engine.kernel.ownership import TellOwner
from engine.kernel.timing import Instant
from engine.money.transfers import EnterTransfer
from engine.orders.messages import SendSms
from engine.payments.messages import FollowOrder, ReleaseWallet, TakePointsBack
from storage.database import Database
from storage.queries import queries
from storage.store import OutboxRow

# Every effect that the engine has; the tag in the row says which one it is.
EFFECTS: Final[tuple[type[Effect], ...]] = (
    SendSms,
    SendLink,
    TellAccessChange,
    IssueInvoice,
    CreditRefund,
    EnterTransfer,
    FollowOrder,
    TakePointsBack,
    ReleaseWallet,
    TellOwner,
    TellOfMessage,
)
_effect: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder(reduce(or_, EFFECTS))


async def lease(
    database: Database, *, limit: int, now: Instant, lease_until: Instant
) -> tuple[OutboxRow, ...]:
    found = await database.rows(
        queries.lease_effects, limit=limit, now=now, lease_until=lease_until
    )
    return tuple(
        OutboxRow(effect=_effect.decode(row["effect"]), attempts=row["attempts"]) for row in found
    )


async def finish(database: Database, effect_id: EffectId, *, now: Instant) -> None:
    await database.run(queries.finish_effect, effect_id=effect_id, now=now)


async def count_left(database: Database, *, due_before: Instant) -> int:
    (row,) = await database.rows(queries.count_effects_left, due_before=due_before)
    return int(row["left"])


async def postpone(database: Database, effect_id: EffectId, *, until: Instant, error: str) -> None:
    await database.run(queries.postpone_effect, effect_id=effect_id, until=until, error=error)
