"""What goes from one process of ours to another, as bytes."""

import pickle
from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any, Final

import msgspec

from engine.couriers.messages import (
    BeginBreak,
    BeginShift,
    EndLoan,
    EndShift,
    EndWayToWait,
    ExpireOffer,
    FinishBreak,
    HandOver,
    LendCouriers,
    Welcome,
)
from engine.geo.moving import TakeOverZone
from engine.geo.zone import PutParametersInForce, RevertZoneParameters
from engine.identity.access import SENDABLE
from engine.kernel.messages import Command, Envelope
from engine.money.cash import KeepBackCash
from engine.orders.messages import ReleaseOrder
from storage.live import Publication
from storage.store import Answer

# Every command that the engine has, those that nobody sends, too; its tag says which one it is.
COMMANDS: Final[frozenset[type[Command]]] = SENDABLE | {
    ReleaseOrder,
    HandOver,
    LendCouriers,
    EndLoan,
    Welcome,
    BeginShift,
    EndShift,
    BeginBreak,
    FinishBreak,
    EndWayToWait,
    KeepBackCash,
    ExpireOffer,
    PutParametersInForce,
    RevertZoneParameters,
    TakeOverZone,
}
_AnyCommand: Any = reduce(or_, COMMANDS)


class _Received(Envelope, frozen=True, kw_only=True):
    """An envelope as its decoder reads it, which has to know what may be inside."""

    command: _AnyCommand


_encode: Final = msgspec.msgpack.Encoder().encode
_decode_answers: Final = msgspec.msgpack.Decoder(list[Answer]).decode
_decode_envelopes: Final = msgspec.msgpack.Decoder(list[_Received]).decode
_decode_snapshots: Final = msgspec.msgpack.Decoder(list[Publication | None]).decode


def pack(thing: object) -> bytes:
    """Pickle it as Python does: Ray's own way asks a function in Python for every object in it."""
    return pickle.dumps(thing, pickle.HIGHEST_PROTOCOL)


def unpack(packed: bytes) -> Any:  # noqa: ANN401 - whatever was packed
    """What another process of ours packed."""
    return pickle.loads(packed)  # noqa: S301 - Ray would do the same with it


def pack_plainly(
    told: Sequence[Envelope] | Sequence[Answer] | Sequence[Publication | None],
) -> bytes:
    """They hold what JSON can say, and to pickle them takes seven times as long."""
    return _encode(told)


def unpack_envelopes(packed: bytes) -> Sequence[Envelope]:
    """The commands that another process of ours packed."""
    return _decode_envelopes(packed)


def unpack_answers(packed: bytes) -> list[Answer]:
    """The answers that another process of ours packed."""
    return _decode_answers(packed)


def unpack_snapshots(packed: bytes) -> list[Publication | None]:
    """The snapshots that another process of ours packed."""
    return _decode_snapshots(packed)
