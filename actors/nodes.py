"""More Ray nodes on this machine, as children that are started again when they die.

They are what other machines are in a cluster: cells and the solver live on them, and each can be
lost without the others. The first has Ray's own book-keeping, and the edge is connected to it.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Final, Self

from actors.parent import end_with

_LOOK_EVERY_S: Final = 0.5
_END_PATIENCE_S: Final = 10.0
# A new node takes the processor that what was lost needs on the others to serve again.
_OTHERS_FIRST_S: Final = 6.0
# So many processes each has waiting that have loaded the code.
_CPUS: Final = 4
# Of the waiting processes Ray starts as many as there are processors, and never the others.
_RAY: Final = f"""
import multiprocessing
multiprocessing.cpu_count = lambda: {_CPUS}
from ray.scripts.scripts import main
main()
"""
# What these nodes have and the first has not, so that what asks for a share of it lives on them.
LIVING: Final = "living"
_SHARES: Final = 1_000


class Nodes:
    """`count` nodes of the cluster at `address`, from entering to leaving the block.

    They start one after the other, since Ray ends a node whose helpers are not up within 15 s;
    `count_up` says how many with `LIVING` the cluster knows.
    """

    def __init__(
        self,
        count: int,
        *,
        address: str,
        object_store_mb: int,
        count_up: Callable[[], int],
        on_step: Callable[[str], None],
    ) -> None:
        self._address, self._object_store_mb = address, object_store_mb
        self._count_up, self._on_step = count_up, on_step
        self._processes: list[subprocess.Popen[bytes] | None] = [None] * count
        self._ending = threading.Event()
        # The kernel ends them when the thread that started them ends.
        self._thread = threading.Thread(target=self._keep, name="ray nodes", daemon=True)

    @property
    def pids(self) -> list[int]:
        """The processes at the root of each node that runs."""
        return [one.pid for one in self._processes if one is not None and one.returncode is None]

    @property
    def are_up(self) -> bool:
        """Whether none is lost or on its way."""
        return self._count_up() >= len(self.pids) == len(self._processes)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()

    def _keep(self) -> None:
        while not self._ending.is_set():
            for number, process in enumerate(self._processes):
                if process is not None and process.poll() is not None:
                    self._processes[number] = None
                    self._on_step(f"Ray node {number + 2} was lost; another takes its place")
                    self._ending.wait(_OTHERS_FIRST_S if self.pids else 0)
            self._start_next()
            self._ending.wait(_LOOK_EVERY_S)
        self._end_all()

    def _start_next(self) -> None:
        missing = [number for number, one in enumerate(self._processes) if one is None]
        if missing and self._count_up() >= len(self.pids):
            self._start(missing[0])

    def _start(self, number: int) -> None:
        host = self._address.rpartition(":")[0]
        self._processes[number] = subprocess.Popen(
            [
                *(sys.executable, "-m", "actors.nodes", str(os.getpid())),
                *("start", "--block", f"--address={self._address}", f"--node-ip-address={host}"),
                *(f"--num-cpus={_CPUS}", "--include-log-monitor=false"),
                f'--resources={{"{LIVING}": {_SHARES}}}',
                f"--object-store-memory={self._object_store_mb * 1024 * 1024}",
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _end_all(self) -> None:
        running = [one for one in self._processes if one is not None]
        for process in running:
            process.send_signal(signal.SIGTERM)
        for process in running:
            try:
                process.wait(_END_PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def main(parent: str, *arguments: str) -> None:
    """What `python -m actors.nodes PARENT ARGUMENTS` does: become Ray's own program."""
    end_with(int(parent))
    program = (sys.executable, "-c", _RAY, *arguments)
    os.execv(program[0], program)  # noqa: S606 - no shell is wanted here


if __name__ == "__main__":
    main(*sys.argv[1:])
