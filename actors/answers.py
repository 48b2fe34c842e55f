"""Answers that were not stored: to a command that changed nothing, or could not be carried out."""

from engine.kernel.messages import Envelope
from engine.kernel.refusals import Refusal
from storage.store import Answer


def answer_to(
    envelope: Envelope, refusal: Refusal | None, reply: dict[str, object] | None = None
) -> Answer:
    """The answer that bears the command's id and fingerprint."""
    return Answer(
        command_id=envelope.id,
        fingerprint=envelope.fingerprint,
        reply=reply or {},
        refusal=refusal,
    )
