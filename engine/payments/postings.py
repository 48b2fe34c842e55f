"""What payments leave in the ledger: every halala that a gateway moved, and whose it is.

A captured payment lies on the account of its order until the order is over; then what it has earned
is divided over shop, platform and VAT. Whatever goes back later is taken from there again.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from engine.invoices.invoice import CreditRefund
from engine.kernel.ids import EffectId, OrderId, PaymentId, derived_id
from engine.kernel.messages import Effect
from engine.kernel.timing import Instant
from engine.money.accounts import AccountId, AccountKind, account
from engine.money.transfers import (
    Transfer,
    TransferId,
    TransferReason,
    about_order,
    move,
    to_enter,
)
from engine.orders.policy import RETURN
from engine.orders.quote import Quote
from engine.payments.gateways import GatewayName
from engine.payments.owed import Price, Settlement, SettlementKind, owed_of
from engine.payments.payment import (
    Payment,
    Refund,
    RefundReason,
    RefundStatus,
    Sale,
)
from engine.pricing.lines import net_in, vat_in, vat_on

SHOP: Final = account(AccountKind.SHOP)
REVENUE: Final = account(AccountKind.REVENUE)
VAT: Final = account(AccountKind.VAT)
GOODWILL: Final = account(AccountKind.GOODWILL)
BAD_DEBT: Final = account(AccountKind.BAD_DEBT)
CONVERSION: Final = account(AccountKind.CONVERSION)
# Where what wallets have paid lies until it is an order's, as a gateway's money does.
TILL: Final = account(AccountKind.GATEWAY, GatewayName.WALLET.value)
_TAKEN: Final = {False: TransferReason.CAPTURE, True: TransferReason.CASH_COLLECTED}


def captured(payment: Payment, amount: int, *, by_wallet: int = 0, now: Instant) -> Transfer:
    """The gateway has so much more of ours; `payment` is as it is afterwards.

    `by_wallet` is what of it was taken from the wallet beside it.
    """
    return _transfer(
        payment,
        _capture(payment),
        _TAKEN[payment.gateway is GatewayName.CASH],
        {**_givers(payment, -amount, -by_wallet), _order(payment): amount},
        now,
    )


def converted(payment: Payment, amount: int, *, now: Instant) -> Transfer:
    """What the gateway holds in its currency is worth so much more than what it was told to take.

    `payment` is as it was before that was seen.
    """
    amounts = {_gateway(payment): -amount, CONVERSION: amount}
    names = ("conversion", str(payment.version))
    return _transfer(payment, names, TransferReason.CONVERSION, amounts, now)


def follows_refund(payment: Payment, refund: Refund, transfer: Transfer) -> tuple[Effect, ...]:
    """What follows a refund that is done: its transfer, and a credit note for what was sold."""
    return (to_enter(transfer), *_notes(payment, refund))


def refunded(payment: Payment, refund: Refund, *, to_wallet: int = 0, now: Instant) -> Transfer:
    """The gateway gave so much back; `payment` is as it was before this refund was done.

    `to_wallet` of it went back into the wallet that had paid beside it.
    """
    givers = _givers(payment, refund.amount_halalas, to_wallet)
    given = {**givers, **_borne(payment, refund)}
    return _transfer(payment, _refund(refund), TransferReason.REFUND, given, now)


def credited(payment: Payment, refund: Refund, *, now: Instant) -> Transfer:
    """As `refunded`, but into the customer's wallet."""
    wallet = account(AccountKind.CUSTOMER_WALLET, payment.customer_id)
    given = {wallet: refund.amount_halalas, **_borne(payment, refund)}
    return _transfer(payment, _refund(refund), TransferReason.REFUND, given, now)


def capture_id(payment: Payment) -> TransferId:
    """By what name the ledger knows that all of it that was taken was."""
    return _id(payment, _capture(payment))


def refund_id(payment: Payment, refund: Refund) -> TransferId:
    """By what name the ledger knows a refund, wherever it went."""
    return _id(payment, _refund(refund))


def from_wallet_id(payment_id: PaymentId, name: str) -> TransferId:
    """By what name the ledger knows what a payment moves of its customer's wallet."""
    return TransferId(derived_id("wallet payment", payment_id, name))


def follows_sale(
    payment: Payment, quote: Quote, *, now: Instant, order_id: OrderId | None = None
) -> tuple[Effect, ...]:
    """What follows when an order's sale stands in its payment; `order_id` is which of a group.

    What the order has earned leaves its account. What its payment does not cover is owed by the
    customer; what was given back of it before is taken from those who bear it, and credited.
    """
    share = payment.share(order_id)
    price, sale = (share or payment).price, (share or payment).sale
    assert sale is not None, "what follows a sale follows one"
    owed = owed_of(price)
    is_whole = sale.total_halalas == (price.total_halalas if price else quote.total_halalas)
    amounts = Counter(
        {
            _order(payment): owed - sale.total_halalas,
            _receivable(order_id or payment.order_id): -owed,
            SHOP: sale.shop_halalas,
            REVENUE: sale.platform_halalas,
            VAT: sale.vat_halalas,
        }
    )
    before, notes = 0, list[Effect]()
    for refund in _given_before(payment, order_id):
        amounts[_order(payment)] += refund.of_sale_halalas
        amounts.update(_borne_by_sale(sale, refund, before))
        before += refund.of_sale_halalas
        notes += _notes(payment, refund)
    if not move(amounts):
        # All of it was given back before it was earned.
        return tuple(notes)
    transfer = _transfer(
        payment,
        ("sale",) if order_id is None else ("sale", order_id),
        TransferReason.SALE if is_whole else TransferReason.CANCELLATION,
        amounts,
        now,
        about=order_id,
    )
    return (to_enter(transfer), *notes)


def passed_on(payment: Payment, amount: int, *, now: Instant) -> Transfer:
    """What a supplement has brought settles what was owed for its order."""
    amounts = {_order(payment): -amount, _receivable(payment.for_order_id): amount}
    return _transfer(payment, ("difference",), TransferReason.DIFFERENCE, amounts, now)


def given_up(payment: Payment, settlement: Settlement, *, now: Instant) -> Transfer:
    """What is owed is owed no more, and nobody has paid it.

    What was not rightly charged is credited with its VAT; what cannot be had is our loss, and its
    VAT stays due.
    """
    amount, vat = settlement.halalas, vat_in(settlement.halalas)
    borne = {BAD_DEBT: -amount}
    if settlement.kind is SettlementKind.WAIVED:
        borne = {GOODWILL: vat - amount, VAT: -vat}
    return _transfer(
        payment,
        ("given up", settlement.id),
        TransferReason.WRITE_OFF,
        {_receivable(settlement.order_id): amount, **borne},
        now,
        about=settlement.order_id,
    )


def sale_of(
    quote: Quote,
    kept_halalas: int,
    *,
    price: Price | None = None,
    is_returned: bool,
    commission: int,
) -> Sale:
    """How so much of a price (None: what was quoted) is divided; VAT is what its invoice says.

    `commission` is our percent of the goods.

    The delivery is paid first: of a gift that came back the way back, too, as the policy charges.
    The shop gets what remains, without VAT, less the commission; what changes and attempts have
    added to the price is ours.
    """
    vat = vat_in(kept_halalas)
    if price is not None and kept_halalas == price.charged_halalas:
        vat = price.vat_halalas
    elif kept_halalas == quote.total_halalas:
        vat = quote.vat_halalas
    delivery = quote.fee_halalas + vat_on(quote.fee_halalas)
    if is_returned:
        delivery = (delivery * RETURN.delivery_percent + 50) // 100
    goods = net_in(max(0, kept_halalas - delivery))
    if kept_halalas == (price.total_halalas if price else quote.total_halalas):
        goods = sum(one.net_halalas for one in quote.lines[:-1])
    shop = min(goods - (goods * commission + 50) // 100, kept_halalas - vat)
    return Sale(shop_halalas=shop, platform_halalas=kept_halalas - vat - shop, vat_halalas=vat)


def _borne(payment: Payment, refund: Refund) -> dict[AccountId, int]:
    """From whose account a refund comes: each amount is what it loses."""
    sale = (payment.share(refund.order_id) or payment).sale
    taken = 0 if sale is None else refund.from_sale_halalas
    borne = Counter({_order(payment): taken - refund.amount_halalas})
    if sale is not None and taken:
        borne.update(_borne_by_sale(sale, refund, given_back(payment, refund.order_id)))
    return borne


def _borne_by_sale(sale: Sale, refund: Refund, before: int) -> dict[AccountId, int]:
    """What each loses of what a sale gave him; so much was given back of it before."""
    part = _part(sale, before, refund.from_sale_halalas)
    shop, platform = SHOP, REVENUE
    if refund.reason in {RefundReason.LATE, RefundReason.GOODWILL}:
        shop = platform = GOODWILL
    elif refund.reason is RefundReason.COURIER and refund.courier_id is not None:
        # He answers for what he was to do; the goods are our loss.
        shop, platform = GOODWILL, account(AccountKind.COURIER_DEBT, refund.courier_id)
    borne = Counter({VAT: -part.vat_halalas})
    borne[shop] -= part.shop_halalas
    borne[platform] -= part.platform_halalas
    return borne


def given_back(payment: Payment, order_id: OrderId | None) -> int:
    """What went back by now of what the order, if it is one of a group, has earned."""
    return sum(one.from_sale_halalas for one in _done(payment, order_id))


def _given_before(payment: Payment, order_id: OrderId | None) -> tuple[Refund, ...]:
    """What had gone back of a sale when it was divided."""
    return tuple(one for one in _done(payment, order_id) if one.of_sale_halalas)


def _done(payment: Payment, order_id: OrderId | None) -> Iterator[Refund]:
    for one in payment.refunds:
        is_its = not payment.shares or one.order_id == order_id
        if is_its and one.status is RefundStatus.DONE:
            yield one


def _notes(payment: Payment, refund: Refund) -> tuple[Effect, ...]:
    """The credit note for what a refund takes back of a sale, if that is anything."""
    share = payment.share(refund.order_id)
    if not refund.from_sale_halalas or (share or payment).sale is None:
        return ()
    note = CreditRefund(
        id=EffectId(derived_id("credit", refund.id)),
        order_id=payment.for_order_id if share is None else share.order_id,
        refund_id=refund.id,
        amount_halalas=refund.from_sale_halalas,
        reason=refund.reason.value,
    )
    return (note,)


def _part(sale: Sale, before: int, amount: int) -> Sale:
    """The parts of a refund: however many there are, in the end the shop has given its part back.

    VAT is what the credit note says; a halala of rounding is the platform's.
    """
    whole, part = sale.total_halalas, sale.shop_halalas
    shop = part * (before + amount) // whole - part * before // whole
    vat = vat_in(amount)
    return Sale(shop_halalas=shop, platform_halalas=amount - shop - vat, vat_halalas=vat)


def _gateway(payment: Payment) -> AccountId:
    if payment.gateway is GatewayName.CASH:
        assert payment.courier_id is not None, "cash was taken by a courier"
        return account(AccountKind.COURIER_CASH, payment.courier_id)
    return account(AccountKind.GATEWAY, payment.gateway.value)


def _givers(payment: Payment, amount: int, by_wallet: int) -> dict[AccountId, int]:
    """An amount as gateway and wallet have moved it."""
    if payment.wallet is None:
        return {_gateway(payment): amount}
    return {_gateway(payment): amount - by_wallet, TILL: by_wallet}


def _order(payment: Payment) -> AccountId:
    return account(AccountKind.ORDER, payment.for_order_id)


def _receivable(order_id: OrderId) -> AccountId:
    return account(AccountKind.RECEIVABLE, order_id)


def _transfer(
    payment: Payment,
    names: tuple[str, ...],
    reason: TransferReason,
    amounts: Mapping[AccountId, int],
    now: Instant,
    *,
    about: OrderId | None = None,
) -> Transfer:
    return Transfer(
        id=_id(payment, names),
        reason=reason,
        legs=move(amounts),
        effective_at=now,
        about=about_order(about or payment.for_order_id),
    )


def _id(payment: Payment, names: tuple[str, ...]) -> TransferId:
    return TransferId(derived_id("payment", payment.id, *names))


def _capture(payment: Payment) -> tuple[str, str]:
    return "capture", str(payment.captured_halalas)


def _refund(refund: Refund) -> tuple[str, str]:
    return "refund", refund.id
