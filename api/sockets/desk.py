"""What every connection of this process shares."""

from dataclasses import dataclass

from actors.conversations import Conversations
from actors.refused_tries import RefusedTries
from api.gate import Gate
from api.parts import Parts
from api.sockets.listening import Sources
from api.sockets.presence import Presence
from api.sockets.writing import Departures


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What is listened to, conversations, presence, the gate, and when what is said leaves."""

    parts: Parts
    gate: Gate
    sources: Sources
    conversations: Conversations
    presence: Presence
    departures: Departures
    refused: RefusedTries
