"""The in-memory twin of the accounts of operators and admins."""

from collections.abc import Sequence

from engine.audit.record import AuditRecord
from engine.identity.ids import LinkId
from engine.identity.links import Link, LinkPurpose
from engine.identity.staff import StaffAccount
from engine.kernel.ids import UserId
from engine.kernel.messages import Effect
from engine.kernel.pages import Page, Wanted
from engine.kernel.timing import Instant
from engine.listings import INVITATIONS
from storage.memory_audit import MemoryAudit
from storage.memory_outbox import MemoryOutbox


class MemoryStaff:
    """Satisfies `StaffStore`; nothing in it waits. Outbox and audit log are those beside it."""

    def __init__(self, outbox: MemoryOutbox, audit: MemoryAudit) -> None:
        self._outbox = outbox
        self._audit = audit
        self._accounts: dict[UserId, StaffAccount] = {}
        self._links: dict[LinkId, Link] = {}

    async def find_account(self, email: str) -> StaffAccount | None:
        return next((one for one in self._accounts.values() if one.email == email), None)

    async def find_account_of(self, user_id: UserId) -> StaffAccount | None:
        return self._accounts.get(user_id)

    async def find_link(self, link_id: LinkId) -> Link | None:
        return self._links.get(link_id)

    async def list_links(self, purpose: LinkPurpose, wanted: Wanted, *, now: Instant) -> Page[Link]:
        kept = self._links.values()
        found = (one for one in kept if one.purpose is purpose and one.is_open(now))
        return INVITATIONS.page(found, wanted)

    async def save_staff(
        self,
        *,
        account: StaffAccount | None = None,
        link: Link | None = None,
        effects: Sequence[Effect] = (),
        at: Instant = 0,
        records: Sequence[AuditRecord] = (),
    ) -> bool:
        if account is not None and not self._fits(account):
            return False
        if link is not None and link.version != _version(self._links.get(link.id)) + 1:
            return False
        if account is not None:
            self._accounts[account.user_id] = account
        if link is not None:
            self._links[link.id] = link
        self._outbox.add(effects, at)
        self._audit.add(records)
        return True

    def _fits(self, account: StaffAccount) -> bool:
        is_next = account.version == _version(self._accounts.get(account.user_id)) + 1
        others = [one for one in self._accounts.values() if one.user_id != account.user_id]
        return is_next and account.email not in {one.email for one in others}


def _version(thing: StaffAccount | Link | None) -> int:
    return thing.version if thing else 0
