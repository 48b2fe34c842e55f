"""Whether every halala is explained: gateway, ledger, invoices and statements held together.

Each side of each line is computed from sources of its own: what the gateway's till really moved,
what the bank really paid, what the documents say, what the rules of pay make of each order, and on
the other side what the ledger has. Differences are counted order by order, so that two of them
never hide each other.
"""

from collections import Counter
from collections.abc import Mapping

from msgspec import Struct

from actors.ledger import posted_to
from engine.invoices.invoice import Invoice, InvoiceKind
from engine.kernel.ids import CourierId, OrderId, PaymentId
from engine.money.accounts import AccountId, AccountKind, Balance, account, kind_of, owner_of
from engine.money.audit import Audit
from engine.money.ledger import Entry
from engine.money.periods import Period, VatReturn, span, vat_return
from engine.money.transfers import TransferReason, about_order
from engine.orders.covering import first_paid
from engine.orders.order import CLOSED, Order, OrderStatus
from engine.payments.gateways import GatewayName
from engine.payments.owed import SettlementKind
from engine.payments.payment import Payment
from engine.pricing.pay import total
from simulations.month.office import Office

_EVERYTHING = 10**9
_SOLD = frozenset({TransferReason.SALE, TransferReason.CANCELLATION})
_PURSES = frozenset({AccountKind.CUSTOMER_WALLET, AccountKind.GIFT_CREDIT})
_BUYERS = frozenset({AccountKind.ORDER, AccountKind.RECEIVABLE})


class Line(Struct, frozen=True, kw_only=True):
    """Two sides that must be the same; `unexplained` sums what differs, thing by thing."""

    what: str
    left: str
    right: str
    left_halalas: int
    right_halalas: int
    unexplained_halalas: int


class Books(Struct, frozen=True, kw_only=True):
    """All that is held together."""

    entries: tuple[Entry, ...]
    balances: Mapping[AccountId, Balance]
    orders: Mapping[str, Order]
    held: Mapping[str, int]
    payments: tuple[Payment, ...]
    invoices: tuple[Invoice, ...]


async def read(
    office: Office, order_ids: tuple[str, ...], courier_ids: tuple[CourierId, ...]
) -> Books:
    """Everything that was stored."""
    store = office.stage.store
    orders = {one: await store.find_order(OrderId(one)) for one in order_ids}
    couriers = [await store.find_courier(one) for one in courier_ids]
    return Books(
        entries=office.books.entries(),
        balances=await office.books.list_balances(limit=_EVERYTHING),
        orders={name: one for name, one in orders.items() if one is not None},
        held={one.id: one.cash_halalas for one in couriers if one is not None},
        payments=office.paid.payments(),
        invoices=office.invoices.issued(),
    )


async def explain(office: Office, books: Books, into_bank: int) -> tuple[Line, ...]:
    """What others say of our money, and what we say."""
    return (
        _gateway(office, books),
        _at_the_gateway(books),
        _at_the_bank(office, books, into_bank),
        _payouts(office, books),
        await _statements(office, books),
        *within(books),
    )


def within(books: Books) -> tuple[Line, ...]:
    """What must hold between our own books."""
    lines = (
        _orders,
        _documents,
        _receivables,
        _overpaid,
        _wallets,
        _earnings,
        _cash_taken,
        _cash_held,
    )
    return tuple(one(books) for one in lines)


async def declared(office: Office, month: Period) -> VatReturn:
    """The VAT return of the month."""
    of = span(
        month,
        await office.periods.find_closing(month.name),
        None,
    )
    return vat_return(await office.periods.turnovers(of), await office.periods.vat_sums(month))


def vat_line(declared: VatReturn, books: Books) -> Line:
    """VAT of the documents and of the ledger; the fee of a payout has one when it has arrived."""
    documented = {one.draft.cause for one in books.invoices}
    fees = sum(
        leg.amount
        for one in books.entries
        if one.transfer.about.startswith("payout:") and not one.transfer.pending
        if one.transfer.about not in documented
        for leg in one.transfer.legs
        if leg.account == account(AccountKind.VAT)
    )
    return _line(
        "VAT",
        "documents, and fees of payouts on their way",
        "ledger",
        {"": declared.output_vat_halalas + fees},
        {"": declared.ledger_vat_halalas},
    )


def audited(audit: Audit) -> Line:
    """Both assets sum to zero, and no entry is odd."""
    faults = len(audit.faults)
    return Line(
        what="audit",
        left="sum of all balances",
        right="zero",
        left_halalas=sum(audit.totals().values()),
        right_halalas=0,
        unexplained_halalas=sum(map(abs, audit.totals().values())) + faults,
    )


def _gateway(office: Office, books: Books) -> Line:
    """What each charge moved, by the gateway and by the ledger."""
    name = account(AccountKind.GATEWAY, "moyasar")
    till, ledger = Counter[str](), Counter[str]()
    of_order = {one.id: one.for_order_id for one in books.payments}
    for charge in office.cards.till.charges.values():
        till[about_order(of_order[PaymentId(charge.id)])] += charge.captured - charge.refunded
    for one in _posted(books):
        if one.transfer.reason is not TransferReason.SETTLEMENT:
            ledger[one.transfer.about] -= _on(one, name)
    return _line("card payments", "gateway", "ledger", till, ledger)


def _at_the_gateway(books: Books) -> Line:
    """What the gateway still has of ours is what no file has told of: nothing, after the last."""
    name = account(AccountKind.GATEWAY, "moyasar")
    return _line("at the gateway", "files", "ledger", {}, {name: -_balance(books, name)})


def _at_the_bank(office: Office, books: Books, into_bank: int) -> Line:
    """What files and couriers' deposits brought, less what the bank has paid out."""
    return _line(
        "at our bank",
        "gateway's files, deposits, less the provider's payouts",
        "ledger",
        {"bank": into_bank - office.bank.paid_halalas()},
        {"bank": -_balance(books, account(AccountKind.BANK))},
    )


def _orders(books: Books) -> Line:
    """Of an order that is over nothing is left on its account."""
    left: dict[str, int] = {
        one.id: _balance(books, account(AccountKind.ORDER, one.id))
        for one in books.orders.values()
        if one.status in CLOSED
    }
    return _line("orders that are over", "none left", "ledger", {}, left)


def _documents(books: Books) -> Line:
    """What customers have paid in the end, by documents and by the ledger."""
    documents, ledger = Counter[str](), Counter[str]()
    for document in books.invoices:
        if document.draft.order_id is None:
            # What couriers are charged for payouts is no customer's.
            continue
        sign = -1 if document.draft.kind is InvoiceKind.CREDIT_NOTE else 1
        documents[document.draft.order_id] += sign * document.payable_halalas
    ledger.subtract(_credited(books))
    for entry in _posted(books):
        if entry.transfer.reason in _SOLD:
            # What a group has paid lies on one account; whose sale it is, the entry says.
            order_id = entry.transfer.about.removeprefix(about_order(OrderId("")))
            for leg in entry.transfer.legs:
                if kind_of(leg.account) in _BUYERS:
                    ledger[order_id] -= leg.amount
    return _line("documents", "invoices less notes", "ledger", documents, ledger)


def _credited(books: Books) -> Counter[str]:
    """What of each order was given back after the sale, or waived."""
    found = Counter[str]()
    sold_at = {
        one.transfer.about: one.transfer.effective_at
        for one in _posted(books)
        if one.transfer.reason in _SOLD
    }
    for one in books.payments:
        for refund in one.refunds:
            share = one.share(refund.order_id)
            order_id = one.for_order_id if share is None else share.order_id
            # What had gone back by the sale is in it.
            at = 0 if refund.is_after_sale else sold_at.get(about_order(order_id), 0)
            if (share or one).sale is not None and (refund.done_at or 0) > at:
                found[order_id] += refund.from_sale_halalas
        for settlement in one.settlements:
            if settlement.kind is SettlementKind.WAIVED:
                found[settlement.order_id] += settlement.halalas
    return found


def _receivables(books: Books) -> Line:
    """What customers owe: charged beyond what was paid for it, by orders and by the ledger."""
    owed, ledger = Counter[str](), Counter[str]()
    for one in books.payments:
        owed.update(_left_owed(books, one))
        given_up = (s for s in one.settlements if s.kind is not SettlementKind.PAID)
        for settlement in given_up:
            owed[settlement.order_id] -= settlement.halalas
    for name, balance in books.balances.items():
        if kind_of(name) is AccountKind.RECEIVABLE:
            ledger[owner_of(name)] -= balance.posted
    return _line("owed by customers", "charges less payments", "ledger", owed, ledger)


def _left_owed(books: Books, payment: Payment) -> Counter[str]:
    """What of each order's price a payment did not cover; a supplement settles what it brought."""
    if payment.supplement is not None:
        settled = payment.sale.total_halalas if payment.sale is not None else 0
        return Counter({payment.for_order_id: -settled})
    covered = {one.order_id: one.quote.total_halalas for one in payment.shares if one.sale}
    if payment.sale is not None and payment.price is not None:
        by_door = payment.gateway is GatewayName.CASH
        paid = first_paid(books.orders[payment.order_id])
        covered = {payment.order_id: payment.captured_halalas if by_door else paid}
    return Counter(
        {
            order_id: max(0, books.orders[order_id].price_halalas - halalas)
            for order_id, halalas in covered.items()
        }
    )


def _overpaid(books: Books) -> Line:
    """Nobody has paid twice what he owed."""
    over: dict[str, int] = {
        name: max(0, balance.posted)
        for name, balance in books.balances.items()
        if kind_of(name) is AccountKind.RECEIVABLE
    }
    return _line("paid beyond what was owed", "nothing", "ledger", {}, over)


def _wallets(books: Books) -> Line:
    """Customers' wallets and credit: refunds and redeemed points, less tips and what was paid."""
    sources, ledger = Counter[str](), Counter[str]()
    for one in books.payments:
        into = sum(r.amount_halalas for r in one.refunds if r.to == "wallet" and r.done_at)
        by_wallet = one.captured_halalas - one.refunded_halalas if one.gateway == "wallet" else 0
        sources[one.customer_id] += into - by_wallet
    for entry in _posted(books):
        if entry.transfer.reason in {TransferReason.TIP, TransferReason.POINTS}:
            for leg in entry.transfer.legs:
                if kind_of(leg.account) in _PURSES:
                    sources[owner_of(leg.account)] += leg.amount
    for name, balance in books.balances.items():
        if kind_of(name) in _PURSES:
            ledger[owner_of(name)] += balance.posted
    return _line("customers' wallets", "refunds, points, tips, payments", "ledger", sources, ledger)


async def _statements(office: Office, books: Books) -> Line:
    """A courier's statement, line by line, comes to what he has."""
    statements, ledger = Counter[str](), Counter[str]()
    for name, balance in books.balances.items():
        if kind_of(name) is AccountKind.COURIER_WALLET:
            ledger[name] = balance.posted
            async for entry in posted_to(office.books, name):
                statements[name] += _on(entry, name)
    return _line("couriers' wallets", "statements", "ledger", statements, ledger)


def _earnings(books: Books) -> Line:
    """What each order earned its courier, by the terms that he was offered and by the ledger."""
    rules, ledger = Counter[str](), Counter[str]()
    for order in books.orders.values():
        if order.pay is None:
            continue
        if order.status is OrderStatus.DELIVERED:
            rules[about_order(order.id)] = total(order.pay.delivered(order.waited_s))
        elif order.status is OrderStatus.RETURNED:
            rules[about_order(order.id)] = total(order.pay.returned(order.waited_s))
    for one in _posted(books):
        if one.transfer.reason is TransferReason.EARNING and one.transfer.about in rules:
            ledger[one.transfer.about] += sum(
                leg.amount
                for leg in one.transfer.legs
                if kind_of(leg.account) is AccountKind.COURIER_WALLET
            )
    return _line("earnings", "offers", "ledger", rules, ledger)


def _cash_taken(books: Books) -> Line:
    """What couriers took at each door, by their reports and by the ledger."""
    taken = {about_order(one.id): one.cash_taken_halalas for one in books.orders.values()}
    ledger = Counter[str]()
    for one in _posted(books):
        if one.transfer.reason is TransferReason.CASH_COLLECTED:
            ledger[one.transfer.about] += sum(max(0, leg.amount) for leg in one.transfer.legs)
    return _line("cash at doors", "reports", "ledger", taken, ledger)


def _cash_held(books: Books) -> Line:
    """What each courier still holds, by himself and by the ledger."""
    ledger = Counter[str]()
    for name, balance in books.balances.items():
        if kind_of(name) is AccountKind.COURIER_CASH:
            ledger[owner_of(name)] -= balance.posted
    return _line("cash of couriers", "couriers", "ledger", books.held, ledger)


def _payouts(office: Office, books: Books) -> Line:
    """What left for a courier's bank: by the provider, and by the ledger."""
    provider, ledger = Counter[str](), Counter[str]()
    for one in office.bank.kept.values():
        if one["status"] == "paid":
            provider[f"payout:{one['metadata']['payout_id']}"] += one["amount"]
    for entry in _posted(books):
        if entry.transfer.about.startswith("payout:"):
            ledger[entry.transfer.about] += _on(entry, account(AccountKind.BANK))
    return _line("payouts", "provider", "ledger", provider, ledger)


def _posted(books: Books) -> tuple[Entry, ...]:
    return tuple(one for one in books.entries if not one.transfer.pending)


def _on(entry: Entry, name: AccountId) -> int:
    return sum(leg.amount for leg in entry.transfer.legs if leg.account == name)


def _balance(books: Books, name: AccountId) -> int:
    return books.balances.get(name, Balance()).posted


def _line(
    what: str, left: str, right: str, lefts: Mapping[str, int], rights: Mapping[str, int]
) -> Line:
    every = {*lefts, *rights}
    return Line(
        what=what,
        left=left,
        right=right,
        left_halalas=sum(lefts.values()),
        right_halalas=sum(rights.values()),
        unexplained_halalas=sum(abs(lefts.get(one, 0) - rights.get(one, 0)) for one in every),
    )
