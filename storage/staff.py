"""Operators' and admins' accounts and the links that are sent by e-mail: the port."""

from collections.abc import Sequence
from typing import Protocol

from engine.audit.record import AuditRecord
from engine.identity.ids import LinkId
from engine.identity.links import Link, LinkPurpose
from engine.identity.staff import StaffAccount
from engine.kernel.ids import UserId
from engine.kernel.messages import Effect
from engine.kernel.pages import Page, Wanted
from engine.kernel.timing import Instant


class StaffStore(Protocol):
    """Every method may raise `StoreUnavailable`."""

    async def find_account(self, email: str) -> StaffAccount | None:
        """Whose e-mail this is."""
        ...

    async def find_account_of(self, user_id: UserId) -> StaffAccount | None:
        """The account of a user."""
        ...

    async def find_link(self, link_id: LinkId) -> Link | None:
        """A link by its id."""
        ...

    async def list_links(self, purpose: LinkPurpose, wanted: Wanted, *, now: Instant) -> Page[Link]:
        """A page of the links that can still be used, as `INVITATIONS` says."""
        ...

    async def save_staff(
        self,
        *,
        account: StaffAccount | None = None,
        link: Link | None = None,
        effects: Sequence[Effect] = (),
        at: Instant = 0,
        records: Sequence[AuditRecord] = (),
    ) -> bool:
        """Keep all of it in the places of the versions before, with the effects promised `at`.

        The records go into the audit log with it. False, and nothing is kept, when somebody else
        was quicker or has this e-mail.
        """
        ...
