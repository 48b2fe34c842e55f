"""PostgreSQL and Valkey as supervised children of this process, when no address is given."""

from storage.servers.embedded import Servers, embedded_servers, running_servers
from storage.servers.errors import FolderInUseError, ServersError, ServerStartError

__all__ = [
    "FolderInUseError",
    "ServerStartError",
    "Servers",
    "ServersError",
    "embedded_servers",
    "running_servers",
]
