"""What can go wrong with the embedded servers, as errors an operator can read."""


class ServersError(Exception):
    """The embedded servers cannot do what was asked; the text says why and what to do."""


class FolderInUseError(ServersError):
    """Another process keeps the servers of this data folder."""


class ServerStartError(ServersError):
    """A server ended or stayed silent while it was started; the text has the end of its log."""
