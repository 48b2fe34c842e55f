"""An app keeps each message once, in order, and notices what it should not be told."""

from typing import Any

import msgspec

from simulations.talk_page import TalkPage
from simulations.views import Frame
from storage.live import Bookmark


def a_message(number: int, **more: Any) -> dict[str, Any]:
    name = f"m{number}"
    told = {"message_id": name, "number": number, "side": "courier", "courier_id": "c"}
    return {**told, "text": name, "at": number, **more}


def a_frame(kind: str, offset: int, *messages: dict[str, Any], **body: Any) -> Frame:
    told = {"is_open": True, "messages": messages, "markers": (), **body}
    return Frame(
        type=kind,
        channel="conversation:o",
        kind="state" if kind == "update" else "",
        bookmark=Bookmark(epoch="kept", offset=offset),
        body=msgspec.Raw(msgspec.json.encode(told)),
    )


def a_marker(delivered: int, read: int) -> dict[str, Any]:
    return {"side": "customer", "courier_id": None, "delivered": delivered, "read": read}


def test_messages_are_added_and_a_repeated_update_tells_nothing_new() -> None:
    page = TalkPage("o")
    assert len(page.take(a_frame("snapshot", 1, a_message(1)))) == 1
    two = a_frame("update", 2, a_message(2))
    assert [one.number for one in page.take(two)] == [2]
    assert page.take(two) == ()
    three = a_frame("update", 4, a_message(3))
    back = Frame(type="resumed", updates=(three,), bookmark=three.bookmark)
    assert [one.number for one in page.take(back)] == [3]
    assert page.take(a_frame("snapshot", 4, a_message(2), a_message(3))) == ()
    assert (page.last_number, page.faults) == (3, [])


def test_what_comes_twice_out_of_order_or_as_another_is_a_fault() -> None:
    page = TalkPage("o")
    page.take(a_frame("update", 1, a_message(2)))
    page.take(a_frame("update", 2, a_message(2)))
    page.take(a_frame("update", 3, a_message(1)))
    page.take(a_frame("snapshot", 4, a_message(1), a_message(2, text="another")))
    assert [one.partition(": ")[2][:20] for one in page.faults] == [
        "message 2 was shown ",
        "message 1 was shown ",
        "message 2 was Messag",
    ]


def test_it_knows_when_messages_can_be_written_no_more() -> None:
    page = TalkPage("o")
    first = a_frame("snapshot", 1, a_message(1))
    page.take(first)
    told = {"order_id": "o", "is_open": True, "closes_at": 9}
    body = msgspec.Raw(msgspec.json.encode(told))
    assert page.take(Frame(type="update", kind="availability", body=body)) == ()
    # What is told again, as it was, says nothing about now.
    page.take(a_frame("update", 1, a_message(1)))
    assert page.closes_at == 9
    assert (page.bookmark, page.faults) == (first.bookmark, [])


def test_a_marker_that_goes_back_is_a_fault() -> None:
    page = TalkPage("o")
    page.take(a_frame("snapshot", 1, markers=(a_marker(2, 1),)))
    page.take(a_frame("update", 2, markers=(a_marker(2, 2),)))
    assert page.faults == []
    page.take(a_frame("update", 3, markers=(a_marker(1, 1),)))
    assert "went back" in page.faults[0]
