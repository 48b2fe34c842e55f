"""What every connection of this process shares."""

from dataclasses import dataclass, field

from actors.conversations import Conversations
from actors.refused_tries import RefusedTries
from api.gate import Gate
from api.parts import Parts
from api.sockets.channels import Channels
from api.sockets.hub import Hub
from api.sockets.presence import Presence
from api.sockets.talks import Talks
from api.sockets.writing import Departures


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The live stream, conversations, presence, the gate, and when what is said leaves."""

    parts: Parts
    gate: Gate
    hub: Hub
    talks: Talks
    conversations: Conversations
    presence: Presence
    departures: Departures
    refused: RefusedTries
    channels: Channels = field(default_factory=Channels)
