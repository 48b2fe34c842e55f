"""The end of the audit log is noted where the log is not."""

from structlog.testing import capture_logs

from actors.audit import AuditKeeper
from actors.clock import SystemClock
from engine.audit.chain import Head
from engine.audit.record import Action, acted
from storage.memory_audit import MemoryAudit
from storage.store import StoreUnavailable
from tests.builders import NOON, operator


class Away(MemoryAudit):
    def _head(self) -> Head:
        raise StoreUnavailable("the database is away")


async def test_the_end_of_the_log_is_noted_in_the_logs() -> None:
    audit = MemoryAudit()
    audit.add([acted(operator(), Action.CREATE_ZONE, "zone:1", at=NOON)])
    keeper = AuditKeeper(audit, wall=SystemClock())
    with capture_logs() as logs:
        await keeper.checkpoint()
    (told,) = logs
    assert told["event"] == "audit_checkpoint"
    assert told["checkpoint"] == str((await keeper.verify()).head)


async def test_a_database_that_is_away_is_no_reason_to_stop() -> None:
    with capture_logs() as logs:
        await AuditKeeper(Away(), wall=SystemClock()).checkpoint()
    assert [one["event"] for one in logs] == ["audit_head_not_noted"]
