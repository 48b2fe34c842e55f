"""How many files, and so how many sockets, a process may have open."""

import resource
from collections.abc import Callable
from typing import Final

# Beside its phones a worker holds connections to servers and actors, logs, and the code it loads.
_BESIDE_SOCKETS: Final = 500


def raise_open_files(sockets: int, on_step: Callable[[str], None]) -> None:
    """Let this process and its children open as many files as the hard limit lets them.

    If `sockets` sockets do not fit even so, `on_step` gets a sentence that says what to do.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    needed = sockets + _BESIDE_SOCKETS
    if hard not in {resource.RLIM_INFINITY, -1} and hard < needed:
        on_step(
            f"A process may open {hard} files, and edge.sockets_max = {sockets} needs {needed}: "
            "raise the hard limit (`ulimit -Hn` in the shell, LimitNOFILE= of a systemd unit, "
            f"`ulimits` of a container), or set HADIYATI_EDGE__SOCKETS_MAX to "
            f"{max(1, hard - _BESIDE_SOCKETS)}"
        )
