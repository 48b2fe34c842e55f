"""The command that lives a recorded day while everything is hurt: `hadiyati chaos`."""

import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.running import OPERATOR_PHONE, running
from api.commands.understandable import Understandable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from api.up import System
    from simulations.chaos.elsewhere import Service

_DAY = Path(__file__).parents[3] / "shared" / "mdrp" / "instances" / "0o50t100s2p125"
_DISK_SIZE = "1536m"


def chaos(
    instance: Annotated[Path, typer.Option(help="Folder of a recorded day.")] = _DAY,
    *,
    minutes: Annotated[float, typer.Option(min=1, max=240, help="How long the day takes.")] = 30.0,
    seed: Annotated[int, typer.Option(help="Chance of what is hurt, and when.")] = 1,
    nodes: Annotated[int, typer.Option(min=1, max=8, help="Ray nodes, to lose one of.")] = 3,
    towns: Annotated[
        int, typer.Option(min=1, max=8, help="How often the day is lived side by side.")
    ] = 1,
    only: Annotated[str, typer.Option(help="Only kinds of harm with this in their names.")] = "",
    out: Annotated[Path, typer.Option(help="Folder for what was told and found.")] = Path(
        ".hadiyati/chaos"
    ),
) -> None:
    """Live a recorded day through the running service while its parts are killed and stopped.

    Ends with 1 when anything was lost, doubled, or told and not true.
    """
    from simulations.chaos.harm import kinds_of_harm
    from simulations.chaos.run import Harming, live_through, speed_of

    with Understandable():
        speed = speed_of(instance, minutes=minutes)
    with (
        _small_disk() as disk,
        running(
            port=0, workers=None, speed=speed, simulated=True, folder=disk, nodes=nodes
        ) as system,
    ):
        every = kinds_of_harm(
            victims(system),
            redis_url=system.servers.redis_url,
            disk=disk,
            machines=machines(system),
            restarted={"postgresql": victims(system)["postgresql"]},
            rolled={"edge workers": system.workers.roll, "actors": lambda: _renew(system)},
        )
        is_clean = live_through(
            instance,
            service=reached(system),
            speed=speed,
            harming=Harming(
                kinds={name: harm for name, harm in every.items() if only in name},
                seed=seed,
                is_whole=lambda: system.nodes.are_up,
            ),
            out=out,
            towns=towns,
        )
    if not is_clean:
        raise typer.Exit(1)


def reached(system: "System") -> "Service":
    """Where a running system is reached, by its people and by who looks into its database."""
    from simulations.chaos.elsewhere import Service

    return Service(
        url=system.url,
        sms_log=system.sms_log,
        operator_phone=OPERATOR_PHONE,
        database=system.settings.database,
    )


def victims(system: "System") -> "dict[str, Callable[[], int]]":
    """The processes of a running system, by what they are."""
    from simulations.processes import descendant

    return {
        "cell": lambda: descendant("ray::CellHost"),
        "solver": lambda: descendant("ray::SolverHost"),
        "edge": lambda: system.workers.pids[0],
        "valkey": lambda: system.servers.valkey_pid or descendant("valkey-server"),
        "postgresql": lambda: system.servers.postgres_pid or descendant("postgres"),
    }


def machines(system: "System") -> "dict[str, Callable[[], int]]":
    """What stands for a machine of a cluster: a Ray node beside the first, where cells live."""
    from simulations.processes import called, descendants

    def node() -> int:
        pids = system.nodes.pids
        if not pids:
            raise LookupError("every Ray node is being started")
        lived_in = (one for one in pids if any(called("ray::CellHost", descendants(one))))
        return next(lived_in, pids[0])

    return {"ray node": node} if system.settings.runtime.ray_nodes > 1 else {}


def _renew(system: "System") -> None:
    for _ in system.renew_actors():
        pass


@contextmanager
def _small_disk() -> "Iterator[Path | None]":
    """A file system of our own that can be filled; None, said aloud, where none may be made."""
    with tempfile.TemporaryDirectory(prefix="hadiyati-chaos-") as folder:
        # Root's servers run as somebody else, who must come through.
        Path(folder).chmod(0o711)
        mount = ["mount", "-t", "tmpfs", "-o", f"size={_DISK_SIZE},mode=711", "tmpfs", folder]
        made = subprocess.run(mount, check=False, capture_output=True, text=True)
        if made.returncode != 0:
            typer.echo(f"The disk will not be filled: {made.stderr.strip()}", err=True)
            yield None
            return
        try:
            yield Path(folder)
        finally:
            unmount = ["umount", "--lazy", folder]
            subprocess.run(unmount, check=False)
