"""Why a socket ends, in two hundreds: after 44xx an app must not just connect again."""

from enum import IntEnum


class Close(IntEnum):
    """The codes of the protocol; what is not among them (1001, 1006, 1011 …) is like 45xx."""

    MALFORMED = 4400
    NOT_AUTHENTICATED = 4401
    FORBIDDEN = 4403
    REPLACED = 4409
    SESSION_ENDED = 4410
    TOO_LARGE = 4413
    GOING_AWAY = 4503
    TOO_SLOW = 4504
    SILENT = 4508
    TOO_MANY = 4529

    @property
    def is_final(self) -> bool:
        """Whether connecting again as before would end the same way."""
        return self < 4500


MEANINGS: dict[Close, str] = {
    Close.MALFORMED: "a malformed frame: the app has a fault",
    Close.NOT_AUTHENTICATED: "no token in time, a wrong one, or an expired one: get a newer one",
    Close.FORBIDDEN: "a frame that this role may not send: the app has a fault",
    Close.REPLACED: "the person has opened a newer socket: that one goes on",
    Close.SESSION_ENDED: "the session has ended: log in again",
    Close.TOO_LARGE: "a frame that is too large: the app has a fault",
    Close.GOING_AWAY: "the server is full or stops",
    Close.TOO_SLOW: "too much waits to be read, or states were not confirmed",
    Close.SILENT: "nothing was heard for too long",
    Close.TOO_MANY: "too many frames in too short a time: wait longer",
}
