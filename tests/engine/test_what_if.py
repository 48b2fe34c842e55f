"""The life of a what-if."""

import pytest

from engine import what_if as rules
from engine.kernel.refusals import Refusal
from engine.what_if import OPEN, WhatIf, WhatIfStatus
from tests.builders import NOON, a_what_if


def test_it_is_asked_started_and_answered() -> None:
    asked = a_what_if()
    assert (asked.status, asked.version, asked.total) == (WhatIfStatus.QUEUED, 1, 6)
    running = rules.alive(rules.start(asked, now=NOON + 1), now=NOON + 2, done=4)
    assert (running.started_at, running.seen_at, running.done) == (NOON + 1, NOON + 2, 4)
    done = rules.finish(running, {"a": 1}, now=NOON + 3)
    assert (done.status, done.done, done.result, done.ended_at) == (
        WhatIfStatus.DONE,
        6,
        {"a": 1},
        NOON + 3,
    )
    assert done.version == 4


@pytest.mark.parametrize("status", WhatIfStatus)
def test_only_what_is_open_can_be_cancelled_and_once(status: WhatIfStatus) -> None:
    what_if = a_what_if(status=status)
    found = rules.cancel(what_if, now=NOON + 1)
    if status in OPEN:
        assert isinstance(found, WhatIf)
        assert found.status is WhatIfStatus.CANCELLED
    elif status is WhatIfStatus.CANCELLED:
        assert found == what_if
    else:
        assert isinstance(found, Refusal)
        assert found.code == "what_if_ended"


@pytest.mark.parametrize("status", WhatIfStatus)
def test_what_nobody_works_on_any_more_is_abandoned(status: WhatIfStatus) -> None:
    what_if = a_what_if(status=status)
    assert not rules.is_abandoned(what_if, now=NOON + 50, patience_ms=50)
    assert rules.is_abandoned(what_if, now=NOON + 51, patience_ms=50) is (status in OPEN)


def test_what_was_interrupted_or_failed_says_why() -> None:
    interrupted = rules.interrupt(a_what_if(), now=NOON)
    assert interrupted.status is WhatIfStatus.INTERRUPTED
    assert "Ask again" in interrupted.problem
    assert rules.fail(a_what_if(), "no word", now=NOON).problem == "no word"
