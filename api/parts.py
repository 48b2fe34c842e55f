"""What the edge is made of: everything that its routes and sockets are handed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from actors.bus import Bus
from actors.chance import Chance
from actors.clock import Clock
from actors.gateways.authority import Authority
from actors.gateways.breaches import Breaches
from actors.gateways.clamd import Scanner
from actors.gateways.mail import MailGateway
from actors.gateways.payments import PaymentGateway
from actors.gateways.payouts import PayoutGateway
from actors.gateways.settlements import SettlementSource
from actors.gateways.sms import SmsGateway
from actors.unit_certificates import UnitCertificates
from api.admission import Admission
from api.keys import KeyRing
from api.settings import Settings
from engine.payments.gateways import GatewayName
from storage.audit import AuditStore
from storage.chat import ChatStore
from storage.drafts import DraftStore
from storage.gift_links import GiftLinkStore
from storage.identity import IdentityStore
from storage.invoices import InvoiceStore
from storage.jobs import JobStore
from storage.kept_answers import KeptAnswers
from storage.ledger import LedgerStore
from storage.live import LiveStream, LiveTraces
from storage.objects import ObjectStore
from storage.payments import PaymentStore
from storage.payouts import PayoutStore
from storage.periods import PeriodStore
from storage.personal_data import PersonalData
from storage.privacy import PrivacyStore
from storage.rates import Rates
from storage.refused_tries import RefusedTryStore
from storage.retention import Retention
from storage.saved_methods import SavedMethodStore
from storage.sessions import SessionStore
from storage.settlements import SettlementStore
from storage.sheets import SheetStore
from storage.staff import StaffStore
from storage.store import Store
from storage.uploads import UploadStore
from storage.what_ifs import WhatIfStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """`wall` is the real clock, by which log-in codes and tokens live; `clock` may be replayed."""

    bus: Bus
    admission: Admission
    store: Store
    live: LiveStream
    identity: IdentityStore
    sessions: SessionStore
    what_ifs: WhatIfStore
    sheets: SheetStore
    invoices: InvoiceStore
    certificates: UnitCertificates
    authority: Authority
    gift_links: GiftLinkStore
    chat: ChatStore
    kept_answers: KeptAnswers
    rates: Rates
    staff: StaffStore
    audit: AuditStore
    refused_tries: RefusedTryStore
    settlements: SettlementStore
    settlement_sources: Sequence[SettlementSource]
    ledger: LedgerStore
    payouts: PayoutStore
    periods: PeriodStore
    jobs: JobStore
    payout_gateway: PayoutGateway | None
    uploads: UploadStore
    objects: ObjectStore
    scanner: Scanner
    breaches: Breaches
    payments: PaymentStore
    saved_methods: SavedMethodStore
    drafts: DraftStore
    gateways: Mapping[GatewayName, PaymentGateway]
    privacy: PrivacyStore
    personal_data: PersonalData
    retention: Retention
    traces: LiveTraces
    sms: SmsGateway
    mail: MailGateway
    clock: Clock
    wall: Clock
    chance: Chance
    keys: KeyRing
    settings: Settings
