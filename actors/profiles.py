"""The host of profiles: reads, asks the rule, stores."""

from collections.abc import Callable

from actors.clock import Clock
from engine.audit.record import Action, AuditRecord, acted
from engine.identity.profiles import (
    STALE_PROFILE,
    UNKNOWN_PROFILE,
    Edit,
    Profile,
    ProfileStatus,
    edit,
    first_profile,
    judge,
    limit,
)
from engine.kernel.ids import UserId, ZoneId
from engine.kernel.messages import Caller, Role
from engine.kernel.refusals import UNAVAILABLE, Refusal
from storage.identity import IdentityStore

_RACES_MAX = 8


class Profiles:
    """`verifies` is whether couriers must be verified before they may work."""

    def __init__(self, store: IdentityStore, *, wall: Clock, verifies: bool) -> None:
        self._store = store
        self._wall = wall
        self._verifies = verifies

    async def begin(self, user_id: UserId, role: Role) -> Profile:
        """The profile in this role; who has none begins one."""
        while True:
            found = await self._store.find_profile(user_id, role)
            if found is not None:
                return found
            first = first_profile(user_id, role, verifies=self._verifies, now=self._wall.now())
            if await self._store.save_profile(first):
                return first

    async def edit(
        self, user_id: UserId, role: Role, wish: Edit, *, seen: int
    ) -> Profile | Refusal:
        """Change what somebody tells of himself, if he has seen how it stands."""
        profile = await self.begin(user_id, role)
        if profile.version != seen:
            return STALE_PROFILE(version=profile.version)
        edited = edit(profile, wish, now=self._wall.now())
        if isinstance(edited, Refusal):
            return edited
        if not await self._store.save_profile(edited):
            return STALE_PROFILE(version=profile.version)
        return edited

    async def judge(
        self, user_id: UserId, role: Role, status: ProfileStatus, reason: str, *, by: Caller
    ) -> Profile | Refusal:
        """Verify or suspend somebody in a role."""

        def record(before: Profile, after: Profile) -> AuditRecord:
            return self._record(by, Action.JUDGE_PROFILE, (before, after), "status", reason)

        return await self._change(user_id, role, lambda one: judge(one, status, reason), record)

    async def limit(
        self, user_id: UserId, zones: tuple[ZoneId, ...] | None, *, by: Caller
    ) -> Profile | Refusal:
        """Limit an operator to these zones; None is every zone."""

        def record(before: Profile, after: Profile) -> AuditRecord:
            return self._record(by, Action.LIMIT_OPERATOR, (before, after), "zones")

        return await self._change(user_id, Role.OPERATOR, lambda one: limit(one, zones), record)

    def _record(
        self,
        by: Caller,
        action: Action,
        profiles: tuple[Profile, Profile],
        field: str,
        reason: str = "",
    ) -> AuditRecord:
        old, new = profiles
        return acted(
            by,
            action,
            f"profile:{new.user_id}:{new.role}",
            at=self._wall.now(),
            before={field: getattr(old, field)},
            after={field: getattr(new, field)},
            reason=reason,
        )

    async def _change(
        self,
        user_id: UserId,
        role: Role,
        rule: Callable[[Profile], Profile],
        record: Callable[[Profile, Profile], AuditRecord],
    ) -> Profile | Refusal:
        for _ in range(_RACES_MAX):
            profile = await self._store.find_profile(user_id, role)
            if profile is None:
                return UNKNOWN_PROFILE()
            changed = rule(profile)
            if await self._store.save_profile(changed, records=(record(profile, changed),)):
                return changed
        return UNAVAILABLE()
