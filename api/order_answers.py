"""What is answered about quotes, cards and shared links."""

from typing import Literal

from api.answer import Answer, PageAnswer
from api.answers import GiftShown, PlaceShown, PublicWord, RecipientShown, WindowShown


class PricedLineShown(Answer):
    """A line of a price; amounts in halalas."""

    name: str
    quantity: int
    net_halalas: int
    vat_halalas: int
    gross_halalas: int


class SplitShown(Answer):
    """The most that the wallet could pay by now, `credit_halalas` of it gift credit, and the rest.

    Nothing is set aside: send as much as is wished of it as `wallet_halalas` when you pay.
    """

    wallet_halalas: int
    credit_halalas: int
    rest_halalas: int


class QuoteMade(Answer):
    """A price and a promise; amounts in halalas, VAT included in the total.

    Half of such gifts come until `expected_at`, nine of ten until `likely_by`.
    """

    quote_id: str
    zone_id: str
    distance_m: int
    fee_halalas: int
    vat_halalas: int
    total_halalas: int
    rounding_halalas: int
    lines: list[PricedLineShown]
    surge_percent: int
    expected_at: int
    likely_by: int
    promised_at: int
    valid_until: int
    split: SplitShown | None = None


class PriceLineShown(Answer):
    """Something that is sold with the delivery, at its price per piece."""

    name: str
    quantity: int
    unit_halalas: int
    includes_vat: bool


class DraftShown(Answer):
    """A gift as far as its sender has come with it; `missing` is what he must still tell."""

    draft_id: str
    version: int
    changed_at: int
    missing: list[Literal["gift", "recipient", "shop", "door"]]
    gift: GiftShown | None
    recipient: RecipientShown | None
    shop: PlaceShown | None
    door: PlaceShown | None
    preparation_s: int
    goods: list[PriceLineShown]
    window: WindowShown | None


class DraftsShown(Answer):
    """The caller's drafts, what was changed last first."""

    drafts: list[DraftShown]


class OrderToPlace(Answer):
    """What `POST /v1/orders` takes."""

    quote_id: str
    gift: GiftShown
    recipient: RecipientShown
    shop: PlaceShown
    door: PlaceShown
    window: WindowShown | None


class ReadyToPlace(Answer):
    """A quote for a draft, or for the same gift once more, and the body with which it is placed."""

    quote: QuoteMade
    order: OrderToPlace


class CancellationShown(Answer):
    """What is kept of the total and what is given back; dearer terms begin at `until`."""

    order_id: str
    rule: str
    charge_halalas: int
    refund_halalas: int
    until: int | None


class ChangeQuoted(Answer):
    """What a change would cost: a charge, dearer from `until`, beside the new price.

    `difference_halalas` is how much dearer it becomes, charge included, or, below zero, cheaper.
    With `to_pay_halalas` the change is confirmed by paying so much (`change-payments`).
    """

    quote_id: str
    order_id: str
    rule: str
    charge_halalas: int
    until: int | None
    total_before_halalas: int
    total_halalas: int
    difference_halalas: int
    to_pay_halalas: int
    due_at: int
    valid_until: int


class OrderChangedAnswer(Answer):
    """How the order stands after a change."""

    order_id: str
    status: str
    charge_halalas: int
    total_halalas: int
    due_at: int


class OrderCancelledAnswer(Answer):
    """How the order stands now, what is kept of its total and what is given back."""

    order_id: str
    status: str
    charge_halalas: int | None = None
    refund_halalas: int | None = None


class SubmissionShown(Answer):
    """How a document stands with the tax authority; `cleared` and `reported` are good ends."""

    status: Literal["not_sent", "reported", "cleared", "refused"]
    has_warnings: bool
    decided_at: int | None


class DocumentShown(Answer):
    """An invoice or note; `pdf` and `xml` are signed addresses, valid until `links_expire_at`."""

    invoice_id: str
    number: str
    kind: Literal["invoice", "credit_note", "debit_note"]
    original_id: str | None
    reason: str
    issued_at: int
    net_halalas: int
    vat_halalas: int
    rounding_halalas: int
    payable_halalas: int
    submission: SubmissionShown
    qr: str
    pdf: str
    xml: str
    links_expire_at: int


class InvoiceShown(DocumentShown):
    """One for an order."""

    order_id: str


class InvoicesShown(Answer):
    """An order's invoices and notes, in the order of their numbers."""

    invoices: list[InvoiceShown]


class CardShown(Answer):
    """A template: what stands on the card before the message."""

    id: str
    occasion: str
    en: str
    ar: str


class CardsShown(Answer):
    """All templates."""

    cards: list[CardShown]


class LinkMade(Answer):
    """A link to an order for who has no account with us."""

    path: str
    viewer: Literal["recipient", "link"]
    expires_at: int


class TimesShown(Answer):
    """When it is expected."""

    window: WindowShown | None
    due_at: int
    eta: int | None


class SharedShown(Answer):
    """An order as the holder of a link may see it now; what he may not see is left out."""

    code: str
    public_status: PublicWord | None = None
    description: str | None = None
    occasion: str | None = None
    card: str | None = None
    message: str | None = None
    left_with: str | None = None
    price: int | None = None
    sender_name: str | None = None
    courier_name: str | None = None
    cash_due: int | None = None
    times: TimesShown | None = None


GiftLinkWord = Literal["unpaid", "open", "answered", "placed", "expired", "withdrawn", "declined"]


class GiftLinkPriced(Answer):
    """Halalas with VAT: next door on a quiet day, and to the farthest door on the busiest one."""

    least_halalas: int
    most_halalas: int


class GiftLinkShown(Answer):
    """A gift link as its sender sees it; `path` is what he hands to the recipient, once it is paid.

    Of the limit so much is given back: what the order did not need, or, of what came to nothing,
    all of it.
    """

    gift_link_id: str
    path: str
    status: GiftLinkWord
    recipient: RecipientShown
    limit_halalas: int
    refund_halalas: int
    made_at: int
    expires_at: int
    payment_id: str | None
    order_id: str | None


class GiftLinksShown(PageAnswer):
    """A sender's gift links, newest first."""

    gift_links: list[GiftLinkShown]


class GiftAsked(Answer):
    """What the holder of a gift link is told: that a gift waits for an address.

    As soon as it is placed he is told how far it is, and its window as it is by now.
    """

    status: GiftLinkWord
    public_status: PublicWord | None
    recipient_name: str
    sender_name: str
    expires_at: int
    window: WindowShown | None
