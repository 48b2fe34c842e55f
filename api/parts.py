"""What the edge is made of: everything that its routes and sockets are handed."""

from dataclasses import dataclass

from actors.bus import Bus
from actors.chance import Chance
from actors.clock import Clock
from actors.gateways.sms import SmsGateway
from api.keys import KeyRing
from api.settings import Settings
from storage.identity import IdentityStore
from storage.ledger import LedgerStore
from storage.live import LiveStream
from storage.sessions import SessionStore
from storage.store import Store
from storage.what_ifs import WhatIfStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """`wall` is the real clock, by which log-in codes and tokens live; `clock` may be replayed."""

    bus: Bus
    store: Store
    live: LiveStream
    identity: IdentityStore
    sessions: SessionStore
    what_ifs: WhatIfStore
    ledger: LedgerStore
    sms: SmsGateway
    clock: Clock
    wall: Clock
    chance: Chance
    keys: KeyRing
    settings: Settings
