"""What a customer's wallet could pay of something, and what would be left for his card."""

from api.order_answers import SplitShown
from api.parts import Parts
from engine.kernel.ids import UserId
from engine.money.accounts import AccountKind, account
from engine.payments.gateways import GatewayName
from engine.payments.splitting import wallet_share


async def split_of(parts: Parts, customer_id: UserId, total_halalas: int) -> SplitShown | None:
    """By what he has now, credit first; None where no wallet is paid with."""
    if GatewayName.WALLET not in parts.gateways:
        return None
    credit, wallet = [
        (await parts.ledger.find_balance(account(kind, customer_id))).available
        for kind in (AccountKind.GIFT_CREDIT, AccountKind.CUSTOMER_WALLET)
    ]
    share = wallet_share(total_halalas, max(0, credit) + max(0, wallet))
    by_credit = min(max(0, credit), share)
    return SplitShown(
        credit_halalas=by_credit,
        wallet_halalas=share,
        rest_halalas=total_halalas - share,
    )
