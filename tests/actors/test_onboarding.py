"""A unit at the tax authority: whatever the wire does, it gets its certificate, step by step."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from actors.gateways.authority import AuthorityUncertain, CsidRefused
from actors.gateways.settings import ZatcaSettings
from actors.gateways.zatca import Zatca
from actors.gateways.zatca_csids import ZatcaCsids
from actors.onboarding import Onboarder, Overtaken
from actors.signing_request import (
    REGISTERED_ADDRESS,
    TEMPLATE_OID,
    UnitSubject,
    new_key,
    signing_request,
)
from actors.stamp import read_key
from actors.submitting import Submitting
from actors.unit_certificates import UnitCertificates
from engine.audit.record import Act, Action
from engine.invoices.invoice import Invoice
from engine.invoices.issue import issue
from engine.invoices.onboarding import Certified, Documents, Step, checked
from engine.invoices.submission import SubmissionStatus
from engine.kernel.backoff import Backoff
from engine.kernel.pages import Wanted
from engine.kernel.timing import DAY_MS, MINUTE_MS, SECOND_MS
from simulations.gateways.cards import Silence
from simulations.gateways.server import PaymentServer, Reply, Request
from simulations.gateways.wire import Wire
from simulations.gateways.zatca import ZatcaProtocol
from simulations.gateways.zatca_csids import CsidProtocol
from storage.memory_audit import MemoryAudit
from storage.memory_invoices import MemoryInvoices
from storage.memory_unit_certificates import MemoryUnitCertificates
from tests.actors.bank import HandClock
from tests.builders import NOON
from tests.engine.invoices.drafts import SELLER, STAMP, a_draft

UNIT, URL = "HDY", "http://zatca"
CHOSEN = ZatcaSettings(url=URL)
SUBJECT = UnitSubject(
    unit=UNIT,
    seller=SELLER,
    branch="Head Office",
    business_category="Gift delivery",
    documents=Documents.BOTH,
)
TODAY = datetime.fromtimestamp(NOON // SECOND_MS, tz=UTC)


@dataclass
class Office:
    """A unit, an authority behind a wire, and what issues and sends under its certificate."""

    subject: UnitSubject = SUBJECT
    server: PaymentServer = field(default_factory=PaymentServer)
    audit: MemoryAudit = field(default_factory=MemoryAudit)
    watch: HandClock = field(default_factory=HandClock)
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        vat_number = SELLER.vat_number
        self.zatca = ZatcaProtocol(self.server, vat_number=vat_number)
        self.csids = CsidProtocol(self.server, self.zatca, vat_number=vat_number, now=TODAY)
        self.store = MemoryUnitCertificates(self.audit)
        self.certificates = UnitCertificates(
            self.store, unit=UNIT, authority=URL, stamp=lambda: STAMP
        )
        self.invoices = MemoryInvoices()
        self.submitting = Submitting(
            self.invoices,
            Zatca(CHOSEN, self.certificates, wire=Wire(self.server)),
            clock=self.watch,
            wall=self.watch,
            backoff=Backoff(first_ms=MINUTE_MS, most_ms=MINUTE_MS),
            poll_s=5,
        )

    def onboarder(self) -> Onboarder:
        """As a process that was just started has it."""
        return Onboarder(
            self.store,
            ZatcaCsids(CHOSEN, wire=Wire(self.server)),
            self.subject,
            url=URL,
            clock=self.watch,
            on_step=self.told.append,
        )

    def otp(self) -> str:
        """A new one of the portal."""
        password = f"{len(self.csids.otps) + len(self.server.requests):06}"
        self.csids.otps.add(password)
        return password

    async def onboard(self, *, renews: bool = False) -> Certified:
        await self.onboarder().begin(renews=renews)
        await self.onboarder().recognise(self.otp())
        return await self.onboarder().finish()

    async def issue(self, *, is_standard: bool = False) -> Invoice:
        stamp = await self.certificates.stamp()
        draft = a_draft(buyer=SELLER if is_standard else None, issued_at=self.watch.now())
        made = await self.invoices.issue(UNIT, draft, lambda chain: issue(draft, chain, stamp))
        assert isinstance(made, Invoice)
        return made

    async def acts(self) -> list[Act]:
        rows = (await self.audit.list_records(Wanted(limit=9))).rows
        return [msgspec.json.decode(one.entry, type=Act) for one in rows]

    async def statuses(self) -> list[SubmissionStatus]:
        await self.submitting.look()
        issued = self.invoices.issued()
        found = await self.invoices.find_submissions([one.id for one in issued])
        return [found[one.id].status for one in issued]


def test_the_signing_request_says_what_the_authority_publishes() -> None:
    key = ec.generate_private_key(ec.SECP256K1())
    read = x509.load_pem_x509_csr(
        signing_request(SUBJECT, key, url="https://gw/e-invoicing/simulation").encode()
    )
    assert read.is_signature_valid
    assert read.public_key() == key.public_key()
    template = read.extensions.get_extension_for_oid(TEMPLATE_OID).value
    assert template.public_bytes() == b"\x13\x15PREZATCA-Code-Signing"
    names = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    (about,) = names.get_values_for_type(x509.DirectoryName)
    said = {one.oid: one.value for one in about}
    assert str(said.pop(NameOID.SURNAME)).startswith("1-Hadiyati|2-1|3-")
    assert said == {
        NameOID.USER_ID: SELLER.vat_number,
        NameOID.TITLE: "1100",
        REGISTERED_ADDRESS: "2322 طريق الملك فهد العليا الرياض 12211",
        NameOID.BUSINESS_CATEGORY: "Gift delivery",
    }
    subject = {one.oid: one.value for one in read.subject}
    assert subject[NameOID.COUNTRY_NAME] == "SA"
    assert subject[NameOID.ORGANIZATION_NAME] == SELLER.name_en
    assert subject[NameOID.ORGANIZATIONAL_UNIT_NAME] == "Head Office"
    assert str(subject[NameOID.COMMON_NAME]).endswith(SELLER.vat_number)


@pytest.mark.parametrize(
    ("url", "template"),
    [
        ("https://gw/e-invoicing/core", b"ZATCA-Code-Signing"),
        ("https://gw/e-invoicing/developer-portal", b"TSTZATCA-Code-Signing"),
    ],
)
def test_each_gateway_has_its_template(url: str, template: bytes) -> None:
    request = signing_request(SUBJECT, read_key(new_key().encode()), url=url)
    read = x509.load_pem_x509_csr(request.encode())
    found = read.extensions.get_extension_for_oid(TEMPLATE_OID).value
    assert found.public_bytes()[2:] == template


@pytest.mark.parametrize("documents", Documents)
async def test_a_unit_gets_its_certificate_and_its_chain_goes_on(documents: Documents) -> None:
    office = Office(replace(SUBJECT, documents=documents))
    before = await office.issue()
    assert await office.statuses() == [SubmissionStatus.NOT_SENT]
    assert office.server.requests == []
    found = await office.onboard()
    judged = [one for one in office.server.requests if one.path == "/compliance/invoices"]
    assert len(judged) == len(checked(documents)) == (6 if documents is Documents.BOTH else 3)
    assert found.expires_at == NOON // SECOND_MS * SECOND_MS + 365 * DAY_MS
    (act,) = await office.acts()
    assert (act.action, act.subject) == (Action.CERTIFY_UNIT, "unit:HDY")
    made = await office.issue()
    assert (made.counter, made.previous_hash) == (2, before.hash)
    assert (await office.certificates.csid()) == found.csid
    # What was signed before there was a certificate is refused, and what follows it is not.
    assert await office.statuses() == [SubmissionStatus.REFUSED, SubmissionStatus.REPORTED]


@pytest.mark.parametrize("checks", [True, False])
async def test_a_renewal_is_in_force_at_once_and_leaves_no_gap(checks: bool) -> None:
    office = Office()
    first = await office.onboard()
    office.csids.checks_renewals = checks
    signed = [await office.issue(), await office.issue(is_standard=True)]
    await office.onboarder().begin(renews=True)
    # While a renewal is on its way the certificate before signs.
    signed.append(await office.issue())
    assert await office.certificates.csid() == first.csid
    await office.onboarder().recognise(office.otp())
    second = await office.onboarder().finish()
    signed.append(await office.issue())
    assert second.csid != first.csid
    assert second.private_key != first.private_key
    assert [one.counter for one in signed] == [1, 2, 3, 4]
    assert all(b.previous_hash == a.hash for a, b in pairwise(signed))
    # The certificate before is revoked by now; all four are taken under the new one.
    assert await office.statuses() == [
        SubmissionStatus.REPORTED,
        SubmissionStatus.CLEARED,
        SubmissionStatus.REPORTED,
        SubmissionStatus.REPORTED,
    ]
    state = await office.onboarder().state()
    assert state.onboarding is None
    assert len(await office.acts()) == 2


async def test_an_expired_password_leaves_everything_as_it_was() -> None:
    office = Office()
    await office.onboarder().begin(renews=False)
    before = await office.onboarder().state()
    with pytest.raises(CsidRefused, match="Invalid-OTP"):
        await office.onboarder().recognise("999999")
    assert await office.onboarder().state() == before
    await office.onboarder().recognise(office.otp())
    assert (await office.onboarder().finish()).csid.token


async def test_a_document_that_is_refused_is_told_and_checked_again() -> None:
    office = Office()
    await office.onboarder().begin(renews=False)
    await office.onboarder().recognise(office.otp())
    office.csids.faults.append("BR-KSA-15 the type code is another")
    with pytest.raises(CsidRefused) as refused:
        await office.onboarder().finish()
    assert [one.code for one in refused.value.remarks] == ["BR-KSA-15"]
    state = await office.onboarder().state()
    assert state.onboarding is not None
    assert (state.onboarding.step, state.onboarding.passed) == (Step.CHECKS, ())
    await office.onboarder().finish()
    assert (await office.onboarder().state()).certified is not None


async def test_a_request_that_names_another_company_is_refused() -> None:
    other = replace(SELLER, vat_number="311111111100003")
    office = Office(replace(SUBJECT, seller=other))
    await office.onboarder().begin(renews=False)
    with pytest.raises(CsidRefused, match=r"Invalid-CSR.*VAT number"):
        await office.onboarder().recognise(office.otp())


async def test_a_new_password_begins_at_the_first_step_with_the_same_key() -> None:
    office = Office()
    await office.onboarder().begin(renews=False)
    first = (await office.onboarder().recognise(office.otp())).onboarding
    second = (await office.onboarder().recognise(office.otp())).onboarding
    assert first is not None
    assert second is not None
    assert first.private_key == second.private_key
    assert first.csid != second.csid
    await office.onboarder().finish()


async def test_of_two_who_onboard_at_once_one_goes_on() -> None:
    server, both = PaymentServer(), asyncio.Barrier(2)

    async def wait(request: Request) -> None:
        if request.path == "/compliance":
            await both.wait()

    server.serve(wait)
    office = Office(server=server)
    await office.onboarder().begin(renews=False)
    told = await asyncio.gather(
        office.onboarder().recognise(office.otp()),
        office.onboarder().recognise(office.otp()),
        return_exceptions=True,
    )
    assert [isinstance(one, Overtaken) for one in told].count(True) == 1
    await office.onboarder().finish()


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=200, page="no JSON"),
        Reply(status=200, body={"requestID": 1}),
        Reply(status=200, body={"binarySecurityToken": "?", "secret": "s"}),
        Reply(status=429, body={}),
        Reply(status=503, body={}),
    ],
)
async def test_what_gives_no_certificate_leaves_everything_as_it_was(reply: Reply) -> None:
    office = Office()
    await office.onboarder().begin(renews=False)
    before = await office.onboarder().state()
    server = PaymentServer()
    server.serve(lambda _: reply)
    office.server = server
    with pytest.raises(AuthorityUncertain):
        await office.onboarder().recognise("123345")
    assert await office.onboarder().state() == before


async def test_a_certificate_of_another_key_is_not_taken() -> None:
    office, other = Office(), Office()
    foreign = await other.onboard()
    await office.onboarder().begin(renews=False)
    office.server = PaymentServer()
    body = {"binarySecurityToken": foreign.csid.token, "secret": "s", "requestID": 1}
    office.server.serve(lambda _: Reply(body=body))
    with pytest.raises(AuthorityUncertain, match="none of our key"):
        await office.onboarder().recognise("123345")


@settings(max_examples=40, deadline=None)
@given(
    troubles=st.lists(
        st.tuples(
            st.sampled_from(["/compliance", "/compliance/invoices", "/production/csids"]),
            st.sampled_from(Silence),
        ),
        max_size=8,
    )
)
def test_whatever_the_wire_does_it_is_gone_on_with(troubles: list[tuple[str, Silence]]) -> None:
    """Each try is by a process of its own, which knows only what is stored."""

    async def lived() -> None:
        office = Office()
        for path, silence in troubles:
            office.server.fall_silent(path, silence)
        await office.onboarder().begin(renews=False)
        for _ in range(len(troubles) + 1):
            try:
                state = await office.onboarder().state()
                if state.onboarding is not None and state.onboarding.csid is None:
                    await office.onboarder().recognise(office.otp())
                await office.onboarder().finish()
                break
            except AuthorityUncertain:
                continue
        await office.issue()
        assert await office.statuses() == [SubmissionStatus.REPORTED]

    asyncio.run(lived())
