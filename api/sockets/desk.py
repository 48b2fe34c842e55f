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


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The live stream, conversations, presence and the gate."""

    parts: Parts
    gate: Gate
    hub: Hub
    talks: Talks
    conversations: Conversations
    presence: Presence
    refused: RefusedTries
    channels: Channels = field(default_factory=Channels)
