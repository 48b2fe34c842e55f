"""What carries out the effects that decisions promise."""

from actors.conversations import Conversations
from actors.gateways.sms import SmsGateway
from actors.gateways.wallet import Wallet
from actors.invoicing import Invoicing
from actors.ledger import LedgerKeeper
from actors.links import LinkMails
from actors.loyalty import Loyalty
from actors.outbox import Handler, Outbox
from actors.payments import Payments
from api.hosts.staff import access_mails
from api.parts import Parts
from api.sending import deadline
from engine.chat.conversation import TellOfMessage
from engine.identity.access_changes import TellAccessChange
from engine.identity.links import SendLink
from engine.invoices.invoice import CreditRefund, IssueInvoice
from engine.kernel.messages import Effect
from engine.kernel.ownership import TellOwner
from engine.money.transfers import EnterTransfer
from engine.orders.messages import SendSms
from engine.payments.messages import FollowOrder, ReleaseWallet, TakePointsBack


def open_outbox(
    parts: Parts,
    *,
    mails: LinkMails,
    invoicing: Invoicing,
    ledger: LedgerKeeper,
    payments: Payments,
    loyalty: Loyalty,
    conversations: Conversations,
) -> Outbox:
    """What carries every effect out that a commit has promised."""
    return Outbox(
        parts.store,
        {
            SendSms: _sending(parts.sms),
            SendLink: mails.send,
            TellAccessChange: access_mails(parts).send,
            IssueInvoice: invoicing.on_effect,
            CreditRefund: invoicing.on_refund,
            EnterTransfer: ledger.on_effect,
            FollowOrder: payments.on_effect,
            TakePointsBack: loyalty.on_effect,
            ReleaseWallet: Wallet(ledger, parts.ledger).on_effect,
            TellOwner: _telling(parts),
            TellOfMessage: conversations.on_effect,
        },
        parts.settings.outbox,
        clock=parts.clock,
        chance=parts.chance,
    )


def _telling(parts: Parts) -> Handler:
    async def tell(effect: Effect) -> None:
        await parts.bus.tell_owner(effect, deadline=deadline(parts))

    return tell


def _sending(sms: SmsGateway) -> Handler:
    async def send(effect: Effect) -> None:
        assert isinstance(effect, SendSms)
        await sms.send(effect.phone, effect.text, effect.id)

    return send
