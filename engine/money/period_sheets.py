"""A month's books as rows of a sheet: amounts in riyals, points as they are."""

from typing import Final

from engine.kernel.riyals import riyals
from engine.money.accounts import Asset
from engine.money.periods import Period, Turnover, VatSum, vat_return

TRIAL_BALANCE: Final = ("period", "account", "asset", "debits", "credits")
VAT_RETURN: Final = ("period", "line", "documents", "net_sar", "vat_sar")


def trial_balance_rows(
    period: Period, turnovers: tuple[Turnover, ...]
) -> tuple[tuple[str, ...], ...]:
    """What was debited and credited, and last the sums of each asset, which are the same."""
    rows = [
        (period.name, one.kind.value, one.asset.value, *_sides(one.asset, one.debits, one.credits))
        for one in turnovers
    ]
    return TRIAL_BALANCE, *rows, *(_total(period, asset, turnovers) for asset in Asset)


def vat_return_rows(
    period: Period, turnovers: tuple[Turnover, ...], sums: tuple[VatSum, ...]
) -> tuple[tuple[str, ...], ...]:
    """The documents by kind; then what is declared, what the ledger has of it, and what is due."""
    made = vat_return(turnovers, sums)
    documents = [
        (
            period.name,
            one.kind,
            str(one.documents),
            riyals(one.net_halalas),
            riyals(one.vat_halalas),
        )
        for one in sums
    ]
    lines = (
        ("output", riyals(made.sales_net_halalas), made.output_vat_halalas),
        ("output_in_ledger", "", made.ledger_vat_halalas),
        ("difference", "", made.difference_halalas),
        ("input", "", made.input_vat_halalas),
        ("payable", "", made.payable_halalas),
    )
    told = [(period.name, name, "", net, riyals(vat)) for name, net, vat in lines]
    return VAT_RETURN, *documents, *told


def _total(period: Period, asset: Asset, turnovers: tuple[Turnover, ...]) -> tuple[str, ...]:
    of_asset = [one for one in turnovers if one.asset is asset]
    debits, credits_ = sum(one.debits for one in of_asset), sum(one.credits for one in of_asset)
    return period.name, "total", asset.value, *_sides(asset, debits, credits_)


def _sides(asset: Asset, debits: int, credits_: int) -> tuple[str, str]:
    if asset is Asset.POINTS:
        return str(debits), str(credits_)
    return riyals(debits), riyals(credits_)
