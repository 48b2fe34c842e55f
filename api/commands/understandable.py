"""What a command's user can mend is told in words; a fault of ours keeps its trace."""

import signal
from types import FrameType

import typer

INTERRUPTED = 130


class Understandable:
    """Ends the program in words, if whoever called it can do something about it."""

    def __enter__(self) -> None:
        signal.signal(signal.SIGTERM, _as_interrupt)

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, KeyboardInterrupt):
            raise typer.Exit(INTERRUPTED)
        if isinstance(error, Exception) and isinstance(error, _mendable()):
            typer.echo(f"hadiyati: {error}", err=True)
            raise typer.Exit(1)


def _mendable() -> tuple[type[Exception], ...]:
    from api.up import CannotStart
    from simulations.bench_matching import NoSuchSize
    from simulations.finished import OtherSweep
    from simulations.mdrp import BadInstance
    from simulations.parallel import WorkerLost
    from simulations.parameter_files import BadParameters
    from simulations.people import DoorShut
    from simulations.recent import NothingHappened, TooManyOrders
    from simulations.routing.li_lim import BadFile
    from simulations.simulate import NoSuchCity, NoSuchTime
    from simulations.tables import BadTable
    from storage.migrate import NoSuchRole, SchemaIsOlder
    from storage.servers import ServersError
    from storage.store import StoreUnavailable

    days = (BadInstance, BadFile, BadTable, NothingHappened, TooManyOrders, NoSuchCity, NoSuchTime)
    trying = (BadParameters, OtherSweep, WorkerLost, NoSuchSize)
    ours = (CannotStart, ServersError, StoreUnavailable, NoSuchRole, SchemaIsOlder)
    return *ours, DoorShut, *days, *trying


def _as_interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
