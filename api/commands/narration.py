"""What the command line says while the system starts, and when it serves."""

from collections.abc import Sequence

from rich.console import Console, RenderableType
from rich.table import Table

from api.up import System
from storage.servers.doctor import Finding
from storage.servers.patience import Stopwatch

_COLOURS = {"good": "green", "note": "yellow", "problem": "red"}


class Narrator:
    """Prints each step with the seconds since the start; callable from any thread."""

    def __init__(self) -> None:
        self._console = Console(highlight=False)
        self._watch = Stopwatch()

    def tell(self, sentence: str) -> None:
        """One step."""
        self._console.print(f"[dim]{self._watch.elapsed_s:6.1f} s[/]  {_plain(sentence)}")

    def show(self, thing: RenderableType) -> None:
        """A table or a text."""
        self._console.print(thing)


def summary(system: System) -> Table:
    """Where everything is."""
    table = Table(show_header=False, box=None, padding=(0, 2))
    socket_url = system.url.replace("http", "ws", 1)
    for name, value in (
        ("API", f"{system.url}/v1"),
        ("socket", f"{socket_url}/v1/socket"),
        ("description", f"{system.url}/docs"),
        ("readiness", f"{system.url}/readyz"),
        ("text messages", str(system.sms_log)),
        ("log of the API", str(system.api_log)),
    ):
        table.add_row(name, value)
    table.add_row("", "Ctrl-C stops everything.")
    return table


def findings_table(findings: Sequence[Finding]) -> Table:
    """What was found, and what to do about it."""
    table = Table(box=None, padding=(0, 2))
    for heading in ("", "", "found", "to do"):
        table.add_column(heading, overflow="fold")
    for one in findings:
        colour = _COLOURS[one.state]
        table.add_row(
            one.topic, f"[{colour}]{one.state}[/]", _plain(one.text), _plain(one.advice or "")
        )
    return table


def _plain(text: str) -> str:
    """Brackets are not markup."""
    return text.replace("[", "\\[")
