"""What somebody sees of his own money, and of nobody else's."""

from actors.ledger import LedgerKeeper
from engine.money.accounts import AccountId, AccountKind, account
from engine.money.transfers import Transfer, TransferId, TransferReason, move
from tests.api.town import Person, Town
from tests.builders import NOON, new_id

GATEWAY = account(AccountKind.GATEWAY, "moyasar")


async def enter(town: Town, into: AccountId, amount: int, *, pending: bool = False) -> Transfer:
    transfer = Transfer(
        id=TransferId(new_id()),
        reason=TransferReason.TOP_UP,
        legs=move({into: amount, GATEWAY: -amount}),
        effective_at=NOON,
        about="order:7",
        pending=pending,
    )
    await LedgerKeeper(town.parts.ledger, wall=town.parts.wall).enter(transfer)
    return transfer


async def balances(person: Person) -> dict[str, tuple[int, int]]:
    told = (await person.get("/v1/wallet")).json()
    return {one["kind"]: (one["available"], one["posted"]) for one in told["accounts"]}


async def test_a_wallet_shows_what_is_posted_and_what_is_left(town: Town) -> None:
    person = await town.log_in("customer")
    nothing = {
        "customer_wallet": (0, 0),
        "gift_credit": (0, 0),
        "points": (0, 0),
        "points_pending": (0, 0),
    }
    assert await balances(person) == nothing
    wallet = account(AccountKind.CUSTOMER_WALLET, person.user_id)
    await enter(town, wallet, 1000)
    await enter(town, wallet, -300, pending=True)
    assert await balances(person) == {**nothing, "customer_wallet": (700, 1000)}


async def test_a_statement_is_read_in_parts_newest_first(town: Town) -> None:
    person = await town.log_in("courier")
    wallet = account(AccountKind.COURIER_WALLET, person.user_id)
    entered = [await enter(town, wallet, amount) for amount in (500, 200, -50)]
    await enter(town, wallet, -10, pending=True)
    lines, before = [], ""
    while True:
        told = (await person.get(f"/v1/wallet/statement?limit=2{before}")).json()
        lines += told["lines"]
        if told["next"] is None:
            break
        before = f"&before={told['next']}"
    assert [one["transfer_id"] for one in lines] == [one.id for one in reversed(entered)]
    assert [one["amount"] for one in lines] == [-50, 200, 500]
    assert lines[0]["about"] == "order:7"
    assert lines[0]["effective_at"] == NOON


async def test_nobody_sees_the_money_of_somebody_else(town: Town) -> None:
    rich, poor = await town.log_in("courier"), await town.log_in("courier")
    await enter(town, account(AccountKind.COURIER_WALLET, rich.user_id), 500)
    assert (await balances(rich))["courier_wallet"] == (500, 500)
    assert (await balances(poor))["courier_wallet"] == (0, 0)
    assert (await poor.get("/v1/wallet/statement")).json()["lines"] == []
    operator = await town.operator()
    assert (await operator.get("/v1/wallet")).status_code == 403
