"""The command that moves zones of a running system to other processes: `hadiyati move-zone`."""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import quote

import typer

from actors.chance import SystemChance, new_id
from actors.clock import SystemClock
from api.commands.understandable import Understandable

if TYPE_CHECKING:
    import httpx2

_ASK_TIMEOUT_S: Final = 30.0
_AGAIN_S: Final = 0.5
_PATIENCE_S: Final = 60.0
_OK: Final = 200
# The service cannot do it at this moment, and does it once when the same is asked again.
_LATER: Final = frozenset({429, 503})


class NotMoved(Exception):
    """The text says which zone, and what the service said."""


def move_zone(
    zone_ids: Annotated[list[str], typer.Argument(help="Ids of the zones, moved in turn.")],
    *,
    token: Annotated[
        str,
        typer.Option(envvar="HADIYATI_TOKEN", help="Token of an admin, or operator of all zones."),
    ],
    own: Annotated[
        bool, typer.Option("--own/--together", help="A process of its own, or its neighbours'.")
    ] = True,
    url: Annotated[str, typer.Option(help="Where the service is reached.")] = (
        "http://127.0.0.1:8000"
    ),
) -> None:
    """Give zones processes of their own, or let them share one again, while they are served.

    Ends with 1 when one was not moved; those before it were, and asking again moves the rest.
    """
    from rich.progress import Progress

    with Understandable(), Progress(transient=True) as bars:
        bar = bars.add_task("moving zones", total=len(zone_ids))
        try:
            for told in move(zone_ids, own=own, url=url, token=token, pause=_pause):
                typer.echo(told)
                bars.advance(bar)
        except NotMoved as error:
            typer.echo(f"hadiyati: {error}", err=True)
            raise typer.Exit(1) from None


def move(
    zone_ids: Sequence[str],
    *,
    own: bool,
    url: str,
    token: str,
    pause: Callable[[float], object],
    patience_s: float = _PATIENCE_S,
) -> Iterator[str]:
    """Move one zone after the other; a sentence for each once its new cell serves.

    Raises NotMoved.
    """
    import httpx2

    headers = {"authorization": f"Bearer {token}"}
    with httpx2.Client(
        base_url=url, headers=headers, timeout=_ASK_TIMEOUT_S, trust_env=False
    ) as client:
        for zone_id in zone_ids:
            mover = _Mover(client, zone_id, pause=pause, tries=int(patience_s / _AGAIN_S))
            yield mover.move(own=own)


class _Mover:
    """Moves one zone."""

    def __init__(
        self,
        client: "httpx2.Client",
        zone_id: str,
        *,
        pause: Callable[[float], object],
        tries: int,
    ) -> None:
        self._client, self._zone_id = client, zone_id
        self._pause, self._tries = pause, tries

    def move(self, *, own: bool) -> str:
        """What came of it; the same wish under one key, however often it has to be asked."""
        key = new_id(SystemClock(), SystemChance())
        path = f"/v1/zones/{quote(self._zone_id, safe='')}/move"
        moved = self._answer(
            "the move",
            lambda: self._client.post(path, json={"own": own}, headers={"idempotency-key": key}),
            _is_final,
        )
        if moved.status_code != _OK:
            raise NotMoved(f"zone {self._zone_id} was not moved: {_reason(moved)}")
        cell, before = moved.json()["cell"], moved.json()["before"]
        self._answer(
            f"cell {cell}",
            lambda: self._client.get("/readyz"),
            lambda told: _state(told, cell) == "ok",
        )
        if cell == before:
            return f"{self._zone_id} is served by {cell}, as it was"
        return f"{self._zone_id} is served by {cell}, and no more by {before}"

    def _answer(
        self,
        what: str,
        ask: Callable[[], "httpx2.Response"],
        is_good: Callable[["httpx2.Response"], bool],
    ) -> "httpx2.Response":
        import httpx2

        last = "no answer"
        for _ in range(self._tries):
            try:
                told = ask()
            except httpx2.HTTPError as error:
                last = repr(error)
            else:
                if is_good(told):
                    return told
                last = _reason(told)
            self._pause(_AGAIN_S)
        raise NotMoved(f"zone {self._zone_id}: {what} takes too long, the last was: {last}")


def _is_final(told: "httpx2.Response") -> bool:
    return told.status_code not in _LATER


def _state(told: "httpx2.Response", cell: str) -> str:
    """How a cell is; empty when the answer does not say."""
    try:
        found: Any = told.json()["cells"].get(cell, "")
    except (ValueError, KeyError, AttributeError, TypeError):
        return ""
    return str(found)


def _reason(told: "httpx2.Response") -> str:
    try:
        return f"{told.status_code} {told.json()['code']}"
    except (ValueError, KeyError, TypeError):
        return str(told.status_code)


def _pause(seconds: float) -> None:
    threading.Event().wait(seconds)
