"""Documents on their way to the tax authority: whatever the wire does, each is judged once."""

import asyncio
from collections import deque
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from pydantic import SecretStr

from actors.gateways.authority import AuthorityUncertain
from actors.gateways.settings import ZatcaSettings
from actors.gateways.zatca import Zatca
from actors.submitting import Submitting
from engine.invoices.invoice import Chain, Draft, Invoice
from engine.invoices.issue import issue
from engine.invoices.onboarding import Csid
from engine.invoices.submission import Submission, SubmissionStatus, handed_out
from engine.kernel.backoff import Backoff
from engine.kernel.timing import MINUTE_MS
from simulations.gateways.cards import Silence
from simulations.gateways.server import PaymentServer, Reply
from simulations.gateways.wire import Wire
from simulations.gateways.zatca import SECRET, TOKEN, ZatcaProtocol
from storage.memory_invoices import MemoryInvoices
from tests.actors.bank import HandClock
from tests.builders import NOON
from tests.engine.invoices.drafts import SELLER, STAMP, a_draft, issued

S = SubmissionStatus
BACKOFF = Backoff(first_ms=MINUTE_MS, most_ms=60 * MINUTE_MS)


@dataclass
class Known:
    """By what the settings say."""

    settings: ZatcaSettings

    async def csid(self) -> Csid | None:
        return self.settings.csid


@dataclass
class Office:
    """A chain, an authority behind a wire, and what sends."""

    server: PaymentServer = field(default_factory=PaymentServer)
    invoices: MemoryInvoices = field(default_factory=MemoryInvoices)
    watch: HandClock = field(default_factory=HandClock)
    secret: str = SECRET

    def __post_init__(self) -> None:
        self.zatca = ZatcaProtocol(self.server, vat_number=SELLER.vat_number)
        chosen = ZatcaSettings(token=TOKEN, secret=SecretStr(self.secret), url="http://zatca")
        self.submitting = self.another(Zatca(chosen, Known(chosen), wire=Wire(self.server)))
        self.authority = chosen

    def another(self, zatca: Zatca) -> Submitting:
        return Submitting(
            self.invoices,
            zatca,
            clock=self.watch,
            wall=self.watch,
            backoff=BACKOFF,
            poll_s=5,
        )

    async def issue(self, draft: Draft) -> Invoice:
        made = await self.invoices.issue("HDY", draft, lambda chain: issue(draft, chain, STAMP))
        assert isinstance(made, Invoice)
        return made

    async def of(self, invoice: Invoice) -> Submission:
        return (await self.invoices.find_submissions([invoice.id]))[invoice.id]

    async def later(self, minutes: int) -> None:
        self.watch.at += minutes * MINUTE_MS
        await self.submitting.look()


async def test_simplified_documents_are_reported_in_the_order_of_their_chain() -> None:
    office = Office()
    made = [await office.issue(a_draft()) for _ in range(3)]
    office.zatca.warnings.append("BR-KSA-98 reported late")
    await office.submitting.look()
    assert [one.uuid for one in office.zatca.taken.values()] == [one.id for one in made]
    first, second, _ = [await office.of(one) for one in made]
    assert (first.status, second.status) == (S.REPORTED, S.REPORTED)
    assert ([one.code for one in first.warnings], second.warnings) == (["BR-KSA-98"], ())
    assert (first.due_at, first.decided_at, first.tries) == (None, NOON, 1)
    assert handed_out(made[0], first) == made[0]
    await office.later(60)
    assert len(office.server.requests) == 3
    assert await office.invoices.oldest_not_sent() is None


async def test_a_standard_document_is_handed_out_as_it_was_cleared() -> None:
    office = Office()
    one = await office.issue(a_draft(buyer=SELLER))
    await office.submitting.look()
    submission = await office.of(one)
    assert submission.status is S.CLEARED
    out = handed_out(one, submission)
    assert out.xml == submission.cleared_xml != one.xml
    assert out.qr != one.qr
    assert out.qr in out.xml.decode()


async def test_while_clearance_is_off_a_standard_document_is_reported() -> None:
    office = Office()
    office.zatca.clears = False
    one = await office.issue(a_draft(buyer=SELLER))
    await office.submitting.look()
    assert (await office.of(one)).status is S.REPORTED
    assert [asked.headers["clearance-status"] for asked in office.server.requests] == ["1", "0"]


async def test_one_that_is_refused_stops_no_other_and_is_not_sent_again() -> None:
    office = Office()
    bad = await office.issue(a_draft(seller=replace(SELLER, vat_number="311111111100003")))
    good = await office.issue(a_draft())
    await office.submitting.look()
    refused = await office.of(bad)
    assert (refused.status, [one.code for one in refused.errors]) == (S.REFUSED, ["BR-KSA-39"])
    assert (await office.of(good)).status is S.REPORTED
    await office.later(24 * 60)
    assert len(office.server.requests) == 2


@pytest.mark.parametrize("change", ["hash", "id", "xml", "previous_hash"])
async def test_the_authority_reads_what_it_is_sent(change: str) -> None:
    """Else it would prove nothing that everything is taken."""
    office = Office()
    first = issued(a_draft())
    chain = Chain(unit="HDY", counter=1, hash=first.hash)
    second = issued(a_draft(), chain)
    other = issued(a_draft(), replace(chain, hash="AAAA"))
    sent = {
        "hash": replace(second, hash=first.hash),
        "id": replace(second, id=first.id),
        "xml": replace(second, xml=second.xml.replace(b"Cake", b"Bread")),
        "previous_hash": other,
    }[change]
    zatca = Zatca(office.authority, Known(office.authority), wire=Wire(office.server))
    assert (await zatca.report(first)).status is S.REPORTED
    if change == "hash":
        # The hash of a document that was taken is taken to be that document.
        assert (await zatca.report(sent)).status is S.REPORTED
        assert len(office.zatca.taken) == 1
    else:
        verdict = await zatca.report(sent)
        assert verdict.status is S.REFUSED
        assert verdict.errors


async def test_an_answer_that_was_lost_is_asked_for_again_and_doubles_nothing() -> None:
    office = Office()
    simple, standard = await office.issue(a_draft()), await office.issue(a_draft(buyer=SELLER))
    office.server.fall_silent("reporting", Silence.AFTER)
    office.server.fall_silent("clearance", Silence.AFTER)
    await office.submitting.look()
    assert (await office.of(simple)).status is S.NOT_SENT
    assert await office.invoices.oldest_not_sent() == NOON
    await office.later(1)
    assert (await office.of(simple)).status is S.REPORTED
    await office.later(1)
    cleared = await office.of(standard)
    assert (cleared.status, cleared.tries) == (S.CLEARED, 2)
    assert [one.code for one in cleared.warnings] == ["cleared_copy_lost"]
    assert len(office.zatca.taken) == 2


async def test_wrong_credentials_decide_nothing() -> None:
    office = Office(secret="wrong")
    one = await office.issue(a_draft())
    await office.submitting.look()
    waiting = await office.of(one)
    assert (waiting.status, waiting.due_at) == (S.NOT_SENT, NOON + MINUTE_MS)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=200, page="no JSON"),
        Reply(status=200, body=[]),
        Reply(status=200, body={"clearanceStatus": "NOT_CLEARED"}),
        Reply(status=200, body={"clearanceStatus": "CLEARED"}),
        Reply(status=200, body={"clearanceStatus": "CLEARED", "clearedInvoice": "?"}),
        Reply(status=200, body={"clearanceStatus": "CLEARED", "clearedInvoice": 1}),
        Reply(status=200, body={"clearanceStatus": "CLEARED", "clearedInvoice": "PGEvPg=="}),
        Reply(status=400, body={"message": "malformed"}),
        Reply(status=406, body={}),
    ],
)
async def test_what_says_nothing_decides_nothing(reply: Reply) -> None:
    server = PaymentServer()
    server.serve(lambda _: reply)
    chosen = Office().authority
    zatca = Zatca(chosen, Known(chosen), wire=Wire(server))
    with pytest.raises(AuthorityUncertain):
        await zatca.clear(issued(a_draft(buyer=SELLER)))


async def test_two_processes_send_each_document_once() -> None:
    office = Office()
    for _ in range(5):
        await office.issue(a_draft())
    other = office.another(
        Zatca(office.authority, Known(office.authority), wire=Wire(office.server))
    )
    await asyncio.gather(office.submitting.look(), other.look())
    assert len(office.zatca.taken) == len(office.server.requests) == 5


@settings(max_examples=25, deadline=None)
@given(
    troubles=st.lists(st.sampled_from([*Silence, 429, 500, 503]), max_size=8),
    standard=st.lists(st.booleans(), min_size=1, max_size=3),
)
def test_whatever_the_wire_does_every_document_is_taken_once(
    troubles: list[Silence | int], standard: list[bool]
) -> None:
    async def told() -> None:
        office = Office()
        made = [await office.issue(a_draft(buyer=SELLER if one else None)) for one in standard]
        office.zatca.statuses = deque(one for one in troubles if isinstance(one, int))
        for one in troubles:
            if isinstance(one, Silence):
                office.server.fall_silent("/invoices/", one)
        # The longest wait is an hour, and each trouble costs a document one try.
        for _ in range(len(troubles) + 2):
            await office.later(61)
        found = [await office.of(one) for one in made]
        assert [one.status for one in found] == [
            S.CLEARED if one else S.REPORTED for one in standard
        ]
        assert sorted(one.uuid for one in office.zatca.taken.values()) == sorted(
            one.id for one in made
        )

    asyncio.run(told())
