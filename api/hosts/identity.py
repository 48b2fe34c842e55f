"""Who everybody is: log-ins, sessions, profiles, and the gate that believes tokens."""

from fastapi import FastAPI

from actors.codes import Codes
from actors.login import LogIn
from actors.phone_change import PhoneChange
from actors.profiles import Profiles
from actors.refused_tries import RefusedTries
from actors.sessions import Sessions
from api.gate import Gate
from api.parts import Parts
from api.tokens import Tokens
from engine.identity.budgets import BudgetRules
from engine.identity.login import LoginRules
from engine.identity.sessions import SessionRules


def open_gate(app: FastAPI, parts: Parts) -> Gate:
    """What believes tokens, and hears of sessions that end; who is refused is recorded."""
    key = parts.keys.keys.secret("refused tries")
    app.state.refused_tries = RefusedTries(
        parts.refused_tries, wall=parts.wall, chance=parts.chance, key=key
    )
    settings = parts.settings.identity
    app.state.tokens = tokens = Tokens(parts.keys, settings)
    return Gate(tokens, parts.keys, parts.sessions, parts.wall, token_s=settings.access_token_s)


def open_identity(app: FastAPI, parts: Parts) -> None:
    """Hand log-ins, sessions, profiles and moves of phones to the routes."""
    app.state.codes = codes = _codes(parts)
    app.state.login = LogIn(codes, parts.identity, wall=parts.wall, chance=parts.chance)
    app.state.phone_change = PhoneChange(codes, parts.identity, parts.sms, wall=parts.wall)
    app.state.sessions = _sessions(parts)
    app.state.profiles = Profiles(
        parts.identity, wall=parts.wall, verifies=parts.settings.identity.verify_couriers
    )


def _codes(parts: Parts) -> Codes:
    settings = parts.settings.identity
    return Codes(
        parts.identity,
        parts.sms,
        wall=parts.wall,
        chance=parts.chance,
        pepper=parts.keys.keys.pepper,
        rules=LoginRules(
            life_s=settings.otp_life_s,
            resend_s=settings.otp_resend_s,
            tries_max=settings.otp_tries_max,
            sends_max=settings.otp_sends_max,
            sends_of_day_max=settings.otp_sends_of_day_max,
        ),
        budgets=BudgetRules(
            place_hour=settings.otp_place_hour_max,
            place_day=settings.otp_place_day_max,
            home_hour=settings.otp_home_hour_max,
            home_day=settings.otp_home_day_max,
            abroad_hour=settings.otp_abroad_hour_max,
            abroad_day=settings.otp_abroad_day_max,
        ),
    )


def _sessions(parts: Parts) -> Sessions:
    settings = parts.settings.identity
    return Sessions(
        parts.sessions,
        wall=parts.wall,
        chance=parts.chance,
        key=parts.keys.keys.secret("refresh tokens"),
        rules=SessionRules(
            idle_s=settings.session_idle_s,
            life_s=settings.session_life_s,
            grace_s=settings.refresh_grace_s,
            sessions_max=settings.sessions_max,
            step_up_s=settings.step_up_s,
        ),
    )
