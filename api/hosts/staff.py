"""The hosts of operators' and admins' accounts, put together for the routes."""

from argon2 import PasswordHasher
from fastapi import FastAPI

from actors.access_mails import AccessMails
from actors.email_verification import EmailVerification
from actors.gateways.breaches import Breaches
from actors.invitations import Invitations
from actors.links import LinkMails
from actors.passwords import Passwords
from actors.staff_login import StaffLogIn
from actors.staff_proofs import StaffProofs
from api.identity_settings import IdentitySettings
from api.parts import Parts
from engine.identity.staff import TryRules


def passwords_by(settings: IdentitySettings, breaches: Breaches) -> Passwords:
    """Argon2id with the parameters of the settings."""
    hasher = PasswordHasher(
        time_cost=settings.password_passes,
        memory_cost=settings.password_kib,
        parallelism=settings.password_lanes,
    )
    return Passwords(
        hasher,
        breaches,
        at_once=settings.passwords_at_once,
        waiting_max=settings.passwords_waiting_max,
    )


def open_staff(app: FastAPI, parts: Parts) -> LinkMails:
    """Hand the hosts to the routes; returns what carries out `SendLink`."""
    settings = parts.settings.identity
    key = parts.keys.keys.secret("links")
    passwords = passwords_by(settings, parts.breaches)
    app.state.invitations = Invitations(
        parts.staff,
        parts.identity,
        passwords,
        wall=parts.wall,
        clock=parts.clock,
        chance=parts.chance,
        key=key,
    )
    app.state.email_verification = EmailVerification(
        parts.staff,
        parts.identity,
        wall=parts.wall,
        clock=parts.clock,
        chance=parts.chance,
        key=key,
        rules=TryRules(),
    )
    app.state.staff_login = StaffLogIn(
        parts.staff,
        parts.identity,
        passwords,
        wall=parts.wall,
        clock=parts.clock,
        chance=parts.chance,
        key=key,
        rules=TryRules(),
    )
    app.state.staff_proofs = StaffProofs(
        parts.staff,
        parts.identity,
        passwords,
        wall=parts.wall,
        clock=parts.clock,
        rules=TryRules(),
    )
    return LinkMails(
        parts.staff, parts.mail, wall=parts.wall, key=key, console=settings.console_url
    )


def access_mails(parts: Parts) -> AccessMails:
    """What carries out `TellAccessChange`."""
    return AccessMails(parts.staff, parts.identity, parts.mail)
