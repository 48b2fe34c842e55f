"""Who answers requests about one's own data, and who lets go what has grown old."""

from fastapi import FastAPI

from actors.privacy import PrivacyDesk, RetentionKeeper
from api.parts import Parts


def open_privacy(app: FastAPI, parts: Parts) -> tuple[PrivacyDesk, RetentionKeeper]:
    """Both, to be run as long as the application."""
    settings = parts.settings.privacy
    app.state.privacy = desk = PrivacyDesk(
        parts.privacy,
        parts.personal_data,
        parts.traces,
        rules=settings.rules,
        wall=parts.wall,
        clock=parts.clock,
        chance=parts.chance,
    )
    return desk, RetentionKeeper(parts.retention, settings.periods, wall=parts.wall)
