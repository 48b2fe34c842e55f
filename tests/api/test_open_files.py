"""The limit of open files: raised as far as it goes, and what does not fit is said."""

import subprocess
import sys

PROGRAM = """
import resource
from api.open_files import raise_open_files
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 1000))
said = []
for sockets in (500, 501):
    raise_open_files(sockets, said.append)
print(resource.getrlimit(resource.RLIMIT_NOFILE), len(said), *said)
"""


def test_the_soft_limit_is_raised_and_too_many_sockets_are_told() -> None:
    # In a process of its own: a hard limit that was lowered cannot be raised again.
    told = subprocess.run(
        [sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True
    ).stdout
    assert told.startswith("(1000, 1000) 1 ")
    assert "edge.sockets_max = 501 needs 1001" in told
    assert "HADIYATI_EDGE__SOCKETS_MAX to 500" in told
