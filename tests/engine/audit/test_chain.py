"""What must hold of the chain: whatever is done to it behind its back is found."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.audit.chain import ChainCheck, Head, StoredRecord, digest, seal

Log = list[StoredRecord]


def a_log(texts: list[str], head: Head = Head()) -> Log:  # noqa: B008 - frozen
    """Records as they are sealed one after the other."""
    log: Log = []
    for text in texts:
        digested = digest("salt", text)
        head = seal(head, digested, text)
        log.append(
            StoredRecord(
                number=head.number,
                entry=text,
                salt="salt",
                circumstances=text,
                digest=digested,
                hash=head.hash,
            )
        )
    return log


def end_of(log: Log) -> Head:
    return Head(log[-1].number, log[-1].hash) if log else Head()


def faults(log: Log, head: Head, *checkpoints: Head) -> list[str]:
    check = ChainCheck(checkpoints)
    for one in log:
        check.take(one)
    check.finish(head)
    return check.faults


def changed(log: Log, at: int) -> Log:
    return [*log[:at], replace(log[at], entry=log[at].entry + "."), *log[at + 1 :]]


def falsified(log: Log, at: int) -> Log:
    return [*log[:at], replace(log[at], circumstances="elsewhere"), *log[at + 1 :]]


def deleted(log: Log, at: int) -> Log:
    return [*log[:at], *log[at + 1 :]]


def doubled(log: Log, at: int) -> Log:
    return [*log[: at + 1], log[at], *log[at + 1 :]]


def inserted(log: Log, at: int) -> Log:
    before = end_of(log[:at])
    return [*log[:at], *a_log(["false"], before), *log[at:]]


def swapped(log: Log, at: int) -> Log:
    """Two neighbours change places, and take each other's numbers so that none is missing."""
    later = (at + 1) % len(log)
    first, second = sorted((at, later))
    one, other = log[first], log[second]
    return [
        *log[:first],
        replace(other, number=one.number),
        *log[first + 1 : second],
        replace(one, number=other.number),
        *log[second + 1 :],
    ]


TAMPERINGS: list[Callable[[Log, int], Log]] = [
    changed,
    falsified,
    deleted,
    doubled,
    inserted,
    swapped,
]
texts = st.lists(st.text(max_size=8), min_size=2, max_size=12, unique=True)


@given(texts, st.data())
def test_every_tampering_is_found(written: list[str], data: st.DataObject) -> None:
    log = a_log(written)
    assert faults(log, end_of(log)) == []
    at = data.draw(st.integers(0, len(log) - 1))
    tampering = data.draw(st.sampled_from(TAMPERINGS))
    assert faults(tampering(log, at), end_of(log))


@given(texts, st.data())
def test_circumstances_can_be_forgotten(written: list[str], data: st.DataObject) -> None:
    log = a_log(written)
    for at in data.draw(st.sets(st.integers(0, len(log) - 1))):
        log[at] = replace(log[at], salt=None, circumstances=None)
    assert faults(log, end_of(log)) == []


@given(texts, st.data())
def test_a_log_that_was_sealed_anew_is_found_by_its_checkpoints(
    written: list[str], data: st.DataObject
) -> None:
    log = a_log(written)
    at = data.draw(st.integers(0, len(log) - 1))
    forged = a_log([*written[:at], "forged " * 3, *written[at + 1 :]])
    assert faults(forged, end_of(forged)) == []
    assert faults(forged, end_of(forged), end_of(log[:at])) == []
    assert faults(forged, end_of(forged), end_of(log))


def test_a_log_that_was_cut_off_is_found_by_its_checkpoints() -> None:
    log = a_log(["one", "two", "three"])
    shorter = log[:2]
    assert faults(shorter, end_of(shorter)) == []
    assert faults(shorter, end_of(shorter), end_of(log)) == [
        "record 3 has a checkpoint and is gone"
    ]
    assert faults([], Head(), end_of(log)) == ["record 3 has a checkpoint and is gone"]
    assert faults(shorter, end_of(log)) == ["the log ends at 2, its head says 3"]


def test_one_change_is_told_as_one() -> None:
    log = a_log([str(number) for number in range(20)])
    assert faults(changed(log, 7), end_of(log)) == [
        "record 8 is not the one that was sealed in its place"
    ]
    assert faults(falsified(log, 7), end_of(log)) == [
        "record 8 has other circumstances than were sealed"
    ]
