"""What all sockets of this process share."""

from actors.conversations import Conversations
from actors.refused_tries import RefusedTries
from api.gate import Gate
from api.parts import Parts
from api.sockets.channels import Channels
from api.sockets.desk import Desk
from api.sockets.histories import Histories
from api.sockets.hub import Hub
from api.sockets.listening import Sources
from api.sockets.presence import Presence
from api.sockets.talks import Talks
from api.sockets.writing import Departures
from storage.live import Publication


def open_desk(parts: Parts, gate: Gate, refused: RefusedTries) -> Desk:
    """What every socket needs: the stream, presence, the gate."""
    edge = parts.settings.edge
    presence = Presence(
        parts.live,
        parts.wall,
        sockets_max=edge.sockets_max,
        sockets_of_one_max=edge.sockets_of_one_max,
    )
    talks = Talks(parts.chat, parts.clock, parts.wall, at_once=edge.conversations_at_once)

    def hear(notice: Publication) -> None:
        presence.hear(notice)
        talks.hear(notice)

    hub = Hub(
        parts.bus,
        parts.live,
        wall=parts.wall,
        snapshots_at_once=edge.snapshots_at_once,
        on_notice=hear,
        on_told=talks.follow,
        on_miss=talks.look_again,
        on_look=presence.miss,
        histories=Histories(frames=edge.history_frames, bytes_max=edge.history_bytes_max),
    )
    return Desk(
        parts=parts,
        gate=gate,
        sources=Sources(
            hub=hub,
            talks=talks,
            channels=Channels(),
            store=parts.store,
            clock=parts.clock,
            wall=parts.wall,
            channels_max=edge.channels_max,
        ),
        conversations=Conversations(
            parts.chat,
            parts.store,
            parts.identity,
            live=parts.live,
            sms=parts.sms,
            clock=parts.clock,
        ),
        presence=presence,
        departures=Departures(parts.admission),
        refused=refused,
    )
