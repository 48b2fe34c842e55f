"""A running service with somebody of each role in it, and things that they may ask about."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx2
from pydantic import SecretStr

from actors.chance import SystemChance, new_id
from actors.clock import SystemClock
from actors.sessions import Sessions
from actors.settings import RuntimeKind, RuntimeSettings
from api.app import create_app
from api.edge_settings import EdgeSettings
from api.identity_settings import IdentitySettings
from api.keys import KeyRing, open_keys
from api.limit_settings import LimitSettings
from api.server import open_parts
from api.settings import Settings
from api.tokens import Tokens
from api.up import running_system
from engine.identity.login import User
from engine.identity.sessions import SessionRules
from engine.kernel.ids import UserId
from engine.kernel.messages import Caller, Role
from storage.database import Database
from storage.postgres_identity import PostgresIdentity
from storage.sessions import PostgresSessions
from storage.settings import DatabaseSettings, DataSettings, RedisSettings
from storage.vault import Vault
from tests.api.town import served
from tests.fuzz.founding import found

_LIFE_S: Final = 86_400
PEOPLE: Final = (Role.CUSTOMER, Role.COURIER, Role.OPERATOR, Role.ADMIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    """`tokens` let in by role; `known` has ids of what exists, by the parameters that they fill."""

    url: str
    settings: Settings
    tokens: dict[Role, str]
    known: dict[str, list[str]] = field(default_factory=dict)

    def token(self, role: Role) -> str:
        """That of somebody new."""
        return asyncio.run(_let_in(self.settings, role))


@contextmanager
def a_city(on_step: Callable[[str], None]) -> Iterator[City]:
    """In processes of its own, with throw-away servers."""
    settings = Settings(edge=EdgeSettings(port=0), **_manners())
    with running_system(settings, on_step, throwaway=True) as system:
        yield _inhabited(system.url, system.settings)


@contextmanager
def a_city_beside(folder: Path, *, dsn: str, redis_url: str) -> Iterator[City]:
    """Over servers that run, with its edge in a thread of this process."""
    settings = Settings(
        data=DataSettings(folder=folder),
        database=DatabaseSettings(dsn=SecretStr(dsn)),
        redis=RedisSettings(url=SecretStr(redis_url)),
        **_manners(),
    )
    opened: Future[tuple[str, Callable[[], object]]] = Future()

    async def serve() -> None:
        closing, loop = asyncio.Event(), asyncio.get_running_loop()
        async with open_parts(settings) as parts, served(create_app(parts), parts) as url:
            opened.set_result((url, partial(loop.call_soon_threadsafe, closing.set)))
            await closing.wait()

    with ThreadPoolExecutor(max_workers=1) as pool:
        serving = pool.submit(asyncio.run, serve())
        serving.add_done_callback(lambda ended: opened.done() or opened.cancel())
        url, close = opened.result()
        try:
            yield _inhabited(url, settings)
        finally:
            close()
            serving.result()


def _manners() -> dict[str, Any]:
    """Nobody is told that he asks too often, and passwords cost little."""
    often = 10**6
    return {
        "identity": IdentitySettings(
            verify_couriers=False,
            access_token_s=_LIFE_S,
            password_kib=8,
            password_passes=1,
            password_lanes=1,
            otp_place_hour_max=often,
            otp_place_day_max=often,
        ),
        "runtime": RuntimeSettings(kind=RuntimeKind.LOCAL),
        "limits": LimitSettings(person_per_min=often, device_per_min=often, address_per_min=often),
    }


def _inhabited(url: str, settings: Settings) -> City:
    city = City(url=url, settings=settings, tokens={})
    city.tokens.update({role: city.token(role) for role in PEOPLE})
    with httpx2.Client(base_url=url, trust_env=False, timeout=60) as client:
        city.known.update(found(client, city.tokens))
    return city


async def _let_in(settings: Settings, role: Role) -> str:
    """A token as a log-in gives it, without the message or the authenticator between."""
    wall, chance = SystemClock(), SystemChance()
    keys: KeyRing = open_keys(settings.key_file, chance)
    database = await Database.open(settings.database)
    try:
        newcomer = User(
            id=UserId(new_id(wall, chance)),
            phone=f"+96655{chance.bits(32) % 10**7:07d}",
            created_at=wall.now(),
        )
        user = await PostgresIdentity(database, Vault(keys)).register(newcomer)
        caller = Caller(user_id=user.id, role=role)
        sessions = Sessions(
            PostgresSessions(database),
            wall=wall,
            chance=chance,
            key=keys.keys.secret("refresh tokens"),
            rules=SessionRules(idle_s=_LIFE_S, life_s=_LIFE_S, grace_s=30, sessions_max=20),
        )
        session = (await sessions.begin(caller, device="", place="")).session
        return Tokens(keys, settings.identity).issue(caller, session.id, now=wall.now())
    finally:
        await database.close()
