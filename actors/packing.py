"""What goes from one process of ours to another, as bytes."""

import pickle
from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any, Final

import msgspec

from engine.couriers.messages import (
    AcceptOffer,
    AcknowledgeOffer,
    BeginBreak,
    BeginShift,
    DeclineOffer,
    EndBreak,
    EndLoan,
    EndShift,
    EndWayToWait,
    ExpireOffer,
    FinishBreak,
    GoOffDuty,
    GoOnDuty,
    HandOver,
    LendCouriers,
    ReachWaitingPoint,
    ReportProgress,
    TakeBreak,
    Welcome,
)
from engine.geo.moving import MoveZone, TakeOverZone
from engine.geo.zone import (
    ChangeZoneParameters,
    CreateZone,
    PutParametersInForce,
    RevertZoneParameters,
)
from engine.kernel.messages import Command, Envelope
from engine.money.cash import DepositCash, KeepBackCash
from engine.orders.messages import (
    CancelOrder,
    ChangeOrder,
    PlaceOrder,
    PlaceOrders,
    ReleaseOrder,
    UnassignOrder,
)
from storage.store import Answer

# Every command that the engine has; its tag says which one it is.
COMMANDS: Final[tuple[type[Command], ...]] = (
    PlaceOrder,
    PlaceOrders,
    ReleaseOrder,
    CancelOrder,
    ChangeOrder,
    UnassignOrder,
    GoOnDuty,
    HandOver,
    LendCouriers,
    EndLoan,
    Welcome,
    GoOffDuty,
    BeginShift,
    EndShift,
    TakeBreak,
    EndBreak,
    BeginBreak,
    FinishBreak,
    ReportProgress,
    ReachWaitingPoint,
    EndWayToWait,
    DepositCash,
    KeepBackCash,
    AcknowledgeOffer,
    AcceptOffer,
    DeclineOffer,
    ExpireOffer,
    CreateZone,
    ChangeZoneParameters,
    PutParametersInForce,
    RevertZoneParameters,
    MoveZone,
    TakeOverZone,
)
_AnyCommand: Any = reduce(or_, COMMANDS)


class _Received(Envelope, frozen=True, kw_only=True):
    """An envelope as its decoder reads it, which has to know what may be inside."""

    command: _AnyCommand


_encode: Final = msgspec.msgpack.Encoder().encode
_decode_answers: Final = msgspec.msgpack.Decoder(list[Answer]).decode
_decode_envelopes: Final = msgspec.msgpack.Decoder(list[_Received]).decode


def pack(thing: object) -> bytes:
    """Pickle it as Python does: Ray's own way asks a function in Python for every object in it."""
    return pickle.dumps(thing, pickle.HIGHEST_PROTOCOL)


def unpack(packed: bytes) -> Any:  # noqa: ANN401 - whatever was packed
    """What another process of ours packed."""
    return pickle.loads(packed)  # noqa: S301 - Ray would do the same with it


def pack_plainly(told: Sequence[Envelope] | Sequence[Answer]) -> bytes:
    """They hold what JSON can say, and to pickle them takes seven times as long."""
    return _encode(told)


def unpack_envelopes(packed: bytes) -> Sequence[Envelope]:
    """The commands that another process of ours packed."""
    return _decode_envelopes(packed)


def unpack_answers(packed: bytes) -> list[Answer]:
    """The answers that another process of ours packed."""
    return _decode_answers(packed)
