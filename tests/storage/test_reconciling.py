"""A settlement file against a ledger in PostgreSQL, by the command that an accountant runs."""

import asyncio
from pathlib import Path

import pytest
import typer

from actors.clock import SystemClock
from actors.ledger import LedgerKeeper
from actors.settlement_files import BadFile, read_settlement
from api.commands.reconciling import reconcile
from engine.money.accounts import AccountKind, account
from engine.money.transfers import Transfer, TransferId, TransferReason, move
from storage.database import Database
from storage.ledger import PostgresLedger
from storage.settings import DatabaseSettings
from tests.builders import NOON, new_id

GATEWAY = account(AccountKind.GATEWAY, "moyasar")
HEAD = "payment_id,description,type,currency,amount,net_amount,fee,vat,total_fee,order_id\n"


def row(order_id: str, amount: str, kind: str = "pay", fee: str = "0.10", vat: str = "0.01") -> str:
    return f"{new_id()},gift,{kind},SAR,{amount},,{fee},{vat},,{order_id}\n"


def ask(settings: DatabaseSettings, *transfers: Transfer) -> dict[str, int]:
    """Enter these; every balance of the house after that, from a sound ledger."""

    async def enter() -> dict[str, int]:
        database = await Database.open(settings)
        keeper = LedgerKeeper(PostgresLedger(database), wall=SystemClock())
        for one in transfers:
            await keeper.enter(one)
        audit = await keeper.audit()
        await database.close()
        assert audit.faults == []
        return {name: one.posted for name, one in audit.balances.items() if one.posted}

    return asyncio.run(enter())


def captured(order_id: str, halalas: int) -> Transfer:
    return Transfer(
        id=TransferId(new_id()),
        reason=TransferReason.CAPTURE if halalas > 0 else TransferReason.REFUND,
        legs=move({GATEWAY: -halalas, account(AccountKind.REVENUE): halalas}),
        effective_at=NOON,
        about=f"order:{order_id}",
    )


def test_a_dry_run_enters_nothing_and_the_same_file_twice_is_settled_once(
    database_settings: DatabaseSettings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = new_id(), new_id()
    before = ask(database_settings, captured(one, 10_050), captured(two, 500), captured(two, -200))
    file = tmp_path / "settlement.csv"
    rows = (row(one, "100.50"), row(two, "5.00"), row(two, "-2.00", "refund", "0", "0"))
    file.write_text(HEAD + "".join(rows) + row(two, "9", "void"), encoding="utf-8")
    assert reconcile(database_settings, file, halalas=False, post=False)
    assert "dry run" in capsys.readouterr().out
    assert ask(database_settings) == before
    for _ in range(2):
        assert reconcile(database_settings, file, halalas=False, post=True)
    assert "3 of them settled before" in capsys.readouterr().out
    assert ask(database_settings) == {
        "revenue": 10_350,
        "bank": -(10_350 - 22),
        "gateway_fees": -20,
        "input_vat": -2,
    }


def test_what_breaks_is_told_and_what_matches_is_settled_all_the_same(
    database_settings: DatabaseSettings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = new_id(), new_id()
    ask(database_settings, captured(one, 100), captured(two, 500))
    file = tmp_path / "settlement.csv"
    fee = row("", "3.00", "fee")
    file.write_text(HEAD + row(one, "1.00") + row(two, "4.99") + fee, encoding="utf-8")
    assert not reconcile(database_settings, file, halalas=False, post=True)
    told = capsys.readouterr().out
    assert "other_amount" in told
    assert "not_in_ledger" in told
    assert ask(database_settings)[GATEWAY] == -500


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a,b\n1,2\n", "missing"),
        (HEAD + row("", "much"), "row 2"),
        (HEAD + row("", "1.001"), "row 2"),
        (HEAD + row("", "1").replace("SAR", "USD"), "SAR"),
    ],
)
def test_a_file_that_cannot_be_read_says_where_and_why(
    text: str, why: str, database_settings: DatabaseSettings, tmp_path: Path
) -> None:
    file = tmp_path / "settlement.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadFile, match=why):
        read_settlement(file)
    with pytest.raises(typer.Exit):
        reconcile(database_settings, file, halalas=False, post=False)


def test_amounts_may_be_halalas(tmp_path: Path) -> None:
    file = tmp_path / "settlement.csv"
    file.write_text(HEAD + row("x", "1050", fee="10", vat="1"), encoding="utf-8-sig")
    (line,) = read_settlement(file, halalas=True).lines
    assert (line.halalas, line.fee_halalas, line.fee_vat_halalas) == (1050, 10, 1)
