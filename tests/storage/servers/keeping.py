"""A process of its own that keeps servers, for tests that kill it or compete with it."""

import json
import subprocess
import sys
from pathlib import Path

from storage.servers import ServersError, embedded_servers
from storage.settings import DataSettings

ROOT = Path(__file__).resolve().parents[3]


class OtherProcess:
    """Starts this file as a program; after `await_servers` its servers serve."""

    def __init__(self, folder: Path | None) -> None:
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.storage.servers.keeping",
                json.dumps(str(folder) if folder else None),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def await_servers(self) -> dict[str, str]:
        """What it says of itself: dsn, url, folder, postgres_pid, valkey_pid; or refusal."""
        assert self.process.stdout is not None
        answer = json.loads(self.process.stdout.readline())
        assert isinstance(answer, dict)
        return {key: str(value) for key, value in answer.items()}

    def kill(self) -> None:
        self.process.kill()
        self.end()

    def end(self) -> None:
        """Close its input, which is what it waits for, and see it out."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(60)


def main(folder: str | None) -> None:
    data = DataSettings(folder=Path(folder)) if folder else DataSettings()
    try:
        with embedded_servers(data, throwaway=folder is None, on_step=lambda _: None) as servers:
            tell(
                dsn=servers.postgres_dsn,
                url=servers.redis_url,
                folder=str(servers.folder),
                postgres_pid=servers.postgres_pid,
                valkey_pid=servers.valkey_pid,
            )
            sys.stdin.read()
    except ServersError as error:
        tell(refusal=str(error))


def tell(**facts: object) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
