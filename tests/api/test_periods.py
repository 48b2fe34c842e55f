"""The books of a month over REST."""

from actors.ledger import LedgerKeeper
from engine.money.accounts import AccountKind, account
from engine.money.periods import period_of
from engine.money.transfers import Transfer, TransferId, TransferReason, move
from storage.ledger import LedgerStore
from tests.actors.bank import HandClock
from tests.api.test_exports import read
from tests.api.town import Town
from tests.builders import NOON, new_id

MONTH = "/v1/periods/2026-01"


async def sell(ledger: LedgerStore, vat: int) -> None:
    amounts = {account(AccountKind.VAT): vat, account(AccountKind.GATEWAY, "moyasar"): -vat}
    transfer = Transfer(
        id=TransferId(new_id()),
        reason=TransferReason.SALE,
        legs=move(amounts),
        effective_at=NOON,
        about="order:7",
    )
    await LedgerKeeper(ledger, wall=HandClock()).enter(transfer)


async def test_a_month_is_balanced_declared_and_closed(town: Town) -> None:
    admin = await town.admin()
    await sell(town.parts.ledger, 150)
    told = (await admin.get(f"{MONTH}/trial-balance")).json()
    month = period_of("2026-01")
    assert month is not None
    assert (told["since"], told["until"], told["closing"]) == (month.since, month.until, None)
    sides = {one["kind"]: (one["debits"], one["credits"]) for one in told["turnovers"]}
    assert sides == {"gateway": (150, 0), "vat": (0, 150)}
    declared = (await admin.get(f"{MONTH}/vat-return")).json()
    assert (declared["output_vat_halalas"], declared["difference_halalas"]) == (0, -150)

    sheet = await admin.get(f"{MONTH}/trial-balance.csv")
    assert sheet.headers["content-disposition"].endswith('"trial-balance-2026-01.csv"')
    assert [(one["account"], one["debits"], one["credits"]) for one in read(sheet.text)] == [
        ("gateway", "1.50", "0.00"),
        ("vat", "0.00", "1.50"),
        ("total", "1.50", "1.50"),
        ("total", "0", "0"),
    ]
    sheet = await admin.get(f"{MONTH}/vat-return.csv")
    vat = {one["line"]: one["vat_sar"] for one in read(sheet.text)}
    assert (vat["output"], vat["output_in_ledger"], vat["difference"]) == ("0.00", "1.50", "-1.50")
    odd = await admin.get("/v1/periods/2026-13/vat-return.csv")
    assert (odd.status_code, odd.json()["code"]) == (422, "bad_period")

    closed = [await admin.post(f"{MONTH}/close") for _ in range(2)]
    assert {one.status_code for one in closed} == {200}
    assert closed[0].json() == closed[1].json()
    await sell(town.parts.ledger, 30)
    later = (await admin.get(f"{MONTH}/trial-balance")).json()
    assert later["turnovers"] == told["turnovers"]
    assert later["closing"]["number"] == 1
    following = (await admin.get("/v1/periods/2026-02/trial-balance")).json()["turnovers"]
    assert {one["kind"]: one["credits"] for one in following}["vat"] == 30
    for path, code in (
        ("/v1/periods/2026-04/close", "period_out_of_order"),
        ("/v1/periods/2090-01/close", "period_not_over"),
    ):
        refused = await admin.post(path)
        assert (refused.status_code, refused.json()["code"]) == (409, code)
    odd = await admin.get("/v1/periods/january/vat-return")
    assert odd.status_code == 422
    odd = await admin.get("/v1/periods/2026-13/vat-return")
    assert (odd.status_code, odd.json()["code"]) == (422, "bad_period")
