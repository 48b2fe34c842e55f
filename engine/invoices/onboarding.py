"""How a unit gets its certificate from the tax authority, step by step, and renews it.

The authority (developer portal manual, "Onboarding and renewal") gives a compliance CSID for a
signing request and a one-time password of its portal, judges one document of each kind that the
request names under that, and then gives the production CSID.
"""

from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from engine.invoices.invoice import Chain, Draft, Invoice, InvoiceId, InvoiceKind, Party, Stamp
from engine.invoices.issue import issue
from engine.kernel.ids import derived_id
from engine.kernel.timing import DAY_MS, Instant
from engine.pricing.lines import PriceLine

# The authority takes a renewal only while the certificate is valid.
RENEWED_WITHIN_MS: Final = 30 * DAY_MS
_LINE: Final = PriceLine(name="هدية / Gift", unit_halalas=11_500, includes_vat=True)
_KINDS: Final = (InvoiceKind.INVOICE, InvoiceKind.CREDIT_NOTE, InvoiceKind.DEBIT_NOTE)
_BUYER: Final = Party(
    name_ar="شركة نموذجية",
    name_en="Sample Company",
    vat_number="399999999800003",
    registration="1010010001",
    street="طريق الملك عبدالعزيز",
    building="3211",
    district="الملز",
    city="الرياض",
    postal_code="12611",
)


class Documents(StrEnum):
    """Which documents a unit issues, as the title of its signing request says it."""

    BOTH = "1100"
    STANDARD = "1000"
    SIMPLIFIED = "0100"


class Csid(Struct, frozen=True, kw_only=True):
    """What the authority knows us by: a certificate, its secret, and the request it came of.

    `token` is its `binarySecurityToken`: the certificate (DER) in Base64, in Base64.
    """

    token: str
    secret: str
    request_id: str = ""


class Step(StrEnum):
    """What comes next."""

    COMPLIANCE_CSID = "compliance_csid"
    CHECKS = "checks"
    PRODUCTION_CSID = "production_csid"


class Onboarding(Struct, frozen=True, kw_only=True):
    """A certificate on its way: key and signing request (PEM), and what was reached so far."""

    started_at: Instant
    documents: Documents
    private_key: str
    request: str
    is_renewal: bool = False
    csid: Csid | None = None
    passed: tuple[str, ...] = ()

    @property
    def to_check(self) -> tuple[str, ...]:
        """The names of the documents that have not passed yet."""
        return tuple(one for one in checked(self.documents) if one not in self.passed)

    @property
    def step(self) -> Step:
        """What comes next."""
        if self.csid is None:
            return Step.COMPLIANCE_CSID
        return Step.CHECKS if self.to_check else Step.PRODUCTION_CSID


class Certified(Struct, frozen=True, kw_only=True):
    """What a unit signs with, and is known by, until the certificate expires."""

    private_key: str
    csid: Csid
    expires_at: Instant


class UnitCertificate(Struct, frozen=True, kw_only=True):
    """What a unit has at one authority: what is in force, and what is on its way."""

    unit: str
    authority: str
    version: int = 0
    certified: Certified | None = None
    onboarding: Onboarding | None = None


def begun(state: UnitCertificate, onboarding: Onboarding) -> UnitCertificate:
    """A certificate is on its way; the one before stays in force meanwhile."""
    return replace(state, version=state.version + 1, onboarding=onboarding)


def recognised(state: UnitCertificate, csid: Csid) -> UnitCertificate:
    """There is a compliance CSID; what was checked under another one is checked again."""
    return _further(state, csid=csid, passed=())


def passed(state: UnitCertificate, name: str) -> UnitCertificate:
    """The authority has nothing against our document of this name."""
    assert state.onboarding is not None
    return _further(state, passed=(*state.onboarding.passed, name))


def certified(state: UnitCertificate, csid: Csid, *, expires_at: Instant) -> UnitCertificate:
    """There is a production CSID: it is in force from now on, and the key before it is gone."""
    assert state.onboarding is not None
    return replace(
        state,
        version=state.version + 1,
        certified=Certified(
            private_key=state.onboarding.private_key, csid=csid, expires_at=expires_at
        ),
        onboarding=None,
    )


def checked(documents: Documents) -> tuple[str, ...]:
    """The names of the documents that the authority wants to see, in the order of their chain."""
    sorts = {
        Documents.BOTH: ("standard", "simplified"),
        Documents.STANDARD: ("standard",),
        Documents.SIMPLIFIED: ("simplified",),
    }[documents]
    return tuple(f"{sort}_{kind}" for sort in sorts for kind in _KINDS)


def samples(onboarding: Onboarding, seller: Party, stamp: Stamp) -> dict[str, Invoice]:
    """The documents that are checked, by name: a chain of its own, the same whenever it is made."""
    made: dict[str, Invoice] = {}
    chain, original = Chain(unit="CHECK"), None
    for name in checked(onboarding.documents):
        draft = _sample(onboarding, name, seller, original)
        one = issue(draft, replace(chain, original=original), stamp)
        assert isinstance(one, Invoice), "a note follows its invoice"
        made[name] = one
        original = one if one.draft.kind is InvoiceKind.INVOICE else original
        chain = Chain(unit=one.unit, counter=one.counter, hash=one.hash)
    return made


def _sample(onboarding: Onboarding, name: str, seller: Party, original: Invoice | None) -> Draft:
    sort, _, kind = name.partition("_")
    is_note = kind != InvoiceKind.INVOICE
    assert original is not None or not is_note, "an invoice comes before its notes"
    return Draft(
        id=InvoiceId(derived_id("compliance check", onboarding.request, name)),
        cause=f"compliance check {name}",
        kind=InvoiceKind(kind),
        seller=seller,
        buyer=_BUYER if sort == "standard" else None,
        lines=(_LINE,),
        issued_at=onboarding.started_at,
        supplied_at=onboarding.started_at,
        original_id=original.id if original is not None and is_note else None,
        original_number=original.number if original is not None and is_note else "",
        reason="فحص الامتثال" if is_note else "",
    )


def _further(state: UnitCertificate, **changes: object) -> UnitCertificate:
    assert state.onboarding is not None, "nothing is on its way"
    return replace(
        state, version=state.version + 1, onboarding=replace(state.onboarding, **changes)
    )
