"""The pages about orders and words say what the code says."""

import re
from enum import StrEnum
from pathlib import Path

import pytest

from engine.audit.record import Action
from engine.couriers.courier import (
    DUTY_TRANSITIONS,
    CourierStatus,
    Duty,
    ProgressStep,
    StopKind,
)
from engine.couriers.fixes import FixFault
from engine.couriers.geofence import FenceEvent
from engine.dispatch.offer import OfferStatus
from engine.dispatch.why import Why
from engine.geo.dispatch_parameters import OfferMode
from engine.geo.guard import GuardMetric
from engine.geo.travel import VehicleKind
from engine.geo.zone import GuardState
from engine.identity.profiles import ProfileStatus
from engine.identity.sessions import SessionEnd
from engine.invoices.invoice import InvoiceKind
from engine.invoices.submission import SubmissionStatus
from engine.jobs import JobName, JobStatus
from engine.kernel.messages import Role
from engine.kernel.skills import Skill
from engine.money.accounts import AccountKind
from engine.money.breaks import BreakStatus
from engine.money.reconciliation import BreakKind, MatchRule
from engine.money.transfers import TransferReason
from engine.orders.card import Occasion
from engine.orders.fees import FailureReason, FeeKind
from engine.orders.gift_link import GiftLinkStatus
from engine.orders.handover import HandedTo, ProofKind
from engine.orders.order import HELD, PUBLIC, TRANSITIONS, Lapse, OrderStatus, PublicStatus
from engine.orders.policy import ATTEMPT_PERCENT, CANCELLATION, CHANGE, RETURN
from engine.orders.proof import NEEDED
from engine.orders.viewing import SEEN, Viewer, When
from engine.payments.history import HistoryKind, Means
from engine.payments.linking import MoneyStanding
from engine.payments.payment import PaymentStatus, RefundReason, RefundStatus
from engine.payouts.dispute import DisputeStatus
from engine.payouts.payout import PayoutKind, PayoutStatus
from engine.pricing.pay import PayLineKind
from engine.privacy.consents import ConsentPurpose
from engine.privacy.places import Fate
from engine.privacy.requests import RequestKind, RequestStatus, Unfinished
from engine.sheets import SheetKind, SheetStatus
from engine.uploads import UploadPurpose
from engine.what_if import WhatIfStatus
from tests.builders import a_story, must

S = OrderStatus
STEPS = "## Reports from the road"
DOCS = Path(__file__).resolve().parents[2] / "docs"
ARABIC = re.compile(r"[\u0600-\u06FF]")


def rows(page: str, heading: str) -> list[list[str]]:
    """The cells of the first table under a heading, without its head."""
    text = (DOCS / page).read_text("utf-8")
    section = text.partition(f"\n{heading}\n")[2]
    assert section, f"docs/{page} has no heading {heading!r}"
    lines = section[section.index("\n|") + 1 :].split("\n\n")[0].splitlines()
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_page_about_orders_has_the_table_of_an_order() -> None:
    told = [tuple(row[:3]) for row in rows("orders.md", "## An order")]
    assert told == [(a.value, event.__name__, b.value) for (a, event), b in TRANSITIONS.items()]


def test_the_page_about_orders_has_the_customers_words() -> None:
    told = {row[0]: row[1] for row in rows("orders.md", "### What the customer reads")}
    assert told == {status.value: word.value for status, word in PUBLIC.items()}


def test_the_page_about_orders_says_who_sees_what() -> None:
    told = {row[0]: tuple(row[1:]) for row in rows("orders.md", "## Who sees what")}
    table = {
        what: tuple(row[one].value if one in row else "" for one in Viewer)
        for what, row in SEEN.items()
    }
    assert told == table


def test_the_page_about_orders_has_the_policy() -> None:
    told = [tuple(row) for row in rows("orders.md", "### What a cancellation costs")]
    assert told == [
        (
            row.rule,
            ", ".join(f"`{one.value}`" for one in sorted(row.statuses)).strip("`"),
            str(row.minutes or ""),
            f"{row.delivery_percent} %",
            f"{row.goods_percent} %",
        )
        for row in (*CANCELLATION, RETURN)
    ]


def test_the_page_about_orders_has_the_table_of_changes() -> None:
    told = rows("orders.md", "### What a change costs")
    assert told == [
        [
            row.rule,
            "`, `".join(sorted(one.value for one in row.statuses)),
            "" if row.minutes is None else str(row.minutes),
            f"{row.delivery_percent} %",
        ]
        for row in CHANGE
    ]


def test_the_page_about_orders_has_the_table_of_attempts() -> None:
    told = rows("orders.md", "### What a failed attempt and another try cost")
    assert told == [[kind.value, f"{percent} %"] for kind, percent in ATTEMPT_PERCENT.items()]


def test_the_page_about_orders_has_the_table_of_duty() -> None:
    told = [tuple(row[:3]) for row in rows("orders.md", "## A courier's duty")]
    table = [(a.value, event.__name__, b.value) for (a, event), b in DUTY_TRANSITIONS.items()]
    assert told == table


@pytest.mark.parametrize("status", sorted(HELD))
def test_the_page_about_orders_says_from_where_each_step_can_be_done(status: OrderStatus) -> None:
    told = {row[0]: re.findall(r"\w+_?\w+", row[1]) for row in rows("orders.md", STEPS)}
    assert list(told) == [one.value for one in ProgressStep]
    for step in ProgressStep:
        story = a_story(S.ATTEMPT_FAILED if status is S.AT_DOOR else status)
        if status is S.AT_DOOR:
            must(story.report(ProgressStep.REACHED_DOOR))
        before = story.order
        story.report(step)
        assert (story.order != before) is (status.value in told[step.value])


@pytest.mark.parametrize(
    ("heading", "words"),
    [
        ("### Status of an order", OrderStatus),
        ("### What the customer reads", PublicStatus),
        ("### Duty of a courier", Duty),
        ("### Status of a courier", CourierStatus),
        ("### How couriers are asked", OfferMode),
        ("### Status of an offer", OfferStatus),
        ("### Why an offer came to nothing", Lapse),
        ("### Stops", StopKind),
        ("### Vehicles", VehicleKind),
        ("### Roles", Role),
        ("### Status of a profile", ProfileStatus),
        ("### Why a session ended", SessionEnd),
        ("### What is asked about one's data", RequestKind),
        ("### How far a privacy request has come", RequestStatus),
        ("### What an erasure waits for", Unfinished),
        ("### What is consented to", ConsentPurpose),
        ("### What becomes of data when somebody is erased", Fate),
        ("### Skills", Skill),
        ("### Occasions", Occasion),
        ("### Status of a gift link", GiftLinkStatus),
        ("### Whether a gift link is still paid for", MoneyStanding),
        ("### Kinds of invoices", InvoiceKind),
        ("### Status of a submission", SubmissionStatus),
        ("### Why a file is sent", UploadPurpose),
        ("### Fees of an order", FeeKind),
        ("### Why an attempt failed", FailureReason),
        ("### Who takes a gift", HandedTo),
        ("### What shows a handover", ProofKind),
        ("### Who looks at an order", Viewer),
        ("### When something is seen", When),
        ("### Why an order has its courier, or waits", Why),
        ("### What a guard looks at", GuardMetric),
        ("### What became of a guard", GuardState),
        ("### Status of a what-if", WhatIfStatus),
        ("### Why a fix is dropped", FixFault),
        ("### At a geofence", FenceEvent),
        ("### Status of a payment", PaymentStatus),
        ("### Status of a refund", RefundStatus),
        ("### Why a refund", RefundReason),
        ("### Accounts", AccountKind),
        ("### What the audit log records", Action),
        ("### Pay lines", PayLineKind),
        ("### How a line and an item met", MatchRule),
        ("### What breaks", BreakKind),
        ("### Kinds of payouts", PayoutKind),
        ("### Status of a payout", PayoutStatus),
        ("### Status of a dispute", DisputeStatus),
        ("### What a payment history tells", HistoryKind),
        ("### Where a customer's money goes and comes from", Means),
        ("### Why money moves", TransferReason),
        ("### What became of a break", BreakStatus),
        ("### Jobs that run by themselves", JobName),
        ("### Status of a job", JobStatus),
        ("### Lists that are written into files", SheetKind),
        ("### Status of a sheet", SheetStatus),
    ],
)
def test_the_glossary_has_every_word_of_a_state(heading: str, words: type[StrEnum]) -> None:
    assert [row[0] for row in rows("glossary.md", heading)] == [one.value for one in words]


def test_the_page_about_orders_has_the_table_of_proof() -> None:
    told = [row[:3] for row in rows("orders.md", "## Proof of delivery")]
    assert told == [
        [to.value, "yes" if is_valuable else "no", "`, `".join(one.value for one in kinds)]
        for (to, is_valuable), kinds in NEEDED.items()
    ]


def glossary() -> list[list[str]]:
    text = (DOCS / "glossary.md").read_text("utf-8")
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [one for one in cells if one[0] != "English" and not set(one[0]) <= {"-"}]


def test_every_word_has_an_arabic_one_and_one_sentence() -> None:
    for english, arabic, meaning in glossary():
        assert ARABIC.search(arabic), english
        assert re.match(r"[A-Z`].*\.$", meaning), english


def test_a_word_of_the_glossary_is_explained_once() -> None:
    words = [row[0] for row in glossary() if not row[0].startswith("`")]
    assert len(set(words)) == len(words)
