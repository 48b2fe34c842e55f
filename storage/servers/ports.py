"""Free ports on the loopback address."""

import random
import socket
from pathlib import Path

from storage.servers.errors import ServersError

LOOPBACK = "127.0.0.1"
_LOWEST = 20_000
_ATTEMPTS = 200


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def choose_port(wanted: int | None, *, last: int | None, chance: random.Random) -> int:
    """The wanted port, else the one used last time if it is free, else any free one.

    Ports that the kernel gives to outgoing connections are avoided: while a server restarts, a
    client that retries could be given the server's own port, connect to itself, and keep it.

    Raises:
        ServersError: the wanted port is in use, or no free one was found.
    """
    if wanted is not None:
        if is_free(wanted):
            return wanted
        raise ServersError(f"port {wanted} on {LOOPBACK} is in use by another program.")
    if last is not None and is_free(last):
        return last
    first, end = _quiet_range()
    for _ in range(_ATTEMPTS):
        port = chance.randrange(first, end)
        if is_free(port):
            return port
    raise ServersError(f"no free port between {first} and {end} on {LOOPBACK}.")


def _quiet_range() -> tuple[int, int]:
    try:
        low, high = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    except (OSError, ValueError):
        return _LOWEST, 32_768
    if int(low) > _LOWEST + 1_000:
        return _LOWEST, int(low)
    if int(high) < 64_000:
        return int(high) + 1, 65_535
    return 10_000, 65_535
