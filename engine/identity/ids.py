"""Identifiers of what only this context knows."""

from typing import NewType

SessionId = NewType("SessionId", str)
LinkId = NewType("LinkId", str)
