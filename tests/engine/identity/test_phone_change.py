"""The rules of changing one's phone."""

from engine.identity.login import User
from engine.identity.phone_change import UNDO_MS, may_be_undone, move, undo
from engine.kernel.ids import UserId
from engine.kernel.refusals import Refusal
from tests.builders import NOON, new_id

OLD, NEW, THIRD = "+966500000001", "+966500000002", "+966500000003"
USER = User(id=UserId(new_id()), phone=OLD, created_at=NOON)


def moved(user: User, phone: str, at: int = NOON) -> User:
    found = move(user, phone, now=at)
    assert isinstance(found, User)
    return found


def code_of(told: User | Refusal) -> str:
    return told.code if isinstance(told, Refusal) else ""


def test_a_change_can_be_undone_for_a_day() -> None:
    changed = moved(USER, NEW)
    assert (changed.phone, changed.previous_phone) == (NEW, OLD)
    assert may_be_undone(changed, NOON + UNDO_MS - 1)
    assert not may_be_undone(changed, NOON + UNDO_MS)
    restored = undo(changed, now=NOON + UNDO_MS - 1)
    assert isinstance(restored, User)
    assert (restored.phone, restored.previous_phone, restored.version) == (OLD, "", 3)
    assert code_of(undo(changed, now=NOON + UNDO_MS)) == "nothing_to_undo"
    assert code_of(undo(restored, now=NOON)) == "nothing_to_undo"


def test_a_second_change_waits_until_the_first_is_final() -> None:
    changed = moved(USER, NEW)
    assert code_of(move(changed, THIRD, now=NOON + UNDO_MS - 1)) == "phone_was_changed"
    assert moved(changed, THIRD, at=NOON + UNDO_MS).previous_phone == NEW
    assert code_of(move(USER, OLD, now=NOON)) == "phone_taken"
