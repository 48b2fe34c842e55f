"""The end of a process that cannot trust itself any more."""

import os
import sys
import traceback
from typing import NoReturn


def die() -> NoReturn:
    """End this process, so that Ray starts it anew."""
    traceback.print_exc()
    sys.stderr.flush()
    # An exception alone leaves a Ray actor alive with whatever state it has; exit_actor is final.
    os._exit(1)
