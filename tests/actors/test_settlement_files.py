"""Settlement files in the formats of their gateways: what is read of each line, and what is not."""

import pytest

from actors.settlement_files import BadFile, parse_settlement
from engine.payments.conversion import Mark, Rate
from engine.payments.gateways import GatewayName
from tests.builders import new_id

ORDER = new_id()
STRIPE = (
    "balance_transaction_id,created_utc,available_on_utc,currency,gross,fee,net,"
    "reporting_category,source_id,description,automatic_payout_id,payment_intent_id,"
    "payment_metadata[order_id]\n"
)
PAYPAL_HEAD = (
    '"CH","Transaction ID","Invoice ID","PayPal Reference ID","PayPal Reference ID Type",'
    '"Transaction Event Code","Transaction Initiation Date","Transaction Completion Date",'
    '"Transaction  Debit or Credit","Gross Transaction Amount","Gross Transaction Currency",'
    '"Fee Debit or Credit","Fee Amount","Fee Currency","Custom Field","Consumer ID"\n'
)
AT = "2026/11/27 10:00:00 -0800"


def stripe(name: str, gross: str, kind: str, fee: str = "0.00", order_id: str = ORDER) -> str:
    times = "2026-11-27 09:00:00,2026-11-29 00:00:00"
    return f"{name},{times},sar,{gross},{fee},0.00,{kind},ch_1,x,po_1,pi_1,{order_id}\n"


def paypal(name: str, code: str, way: str, cents: int, *, fee: int = 0, mark: str = "") -> str:
    words = ("SB", name, mark, "5O1", "ODR", code, AT, AT, way, str(cents), "USD")
    more = ("DR" if fee else "", str(fee) if fee else "", "USD" if fee else "", mark, "X")
    return ",".join(f'"{one}"' for one in (*words, *more)) + "\n"


def report(*rows: str) -> str:
    """A Settlement Report (STL) with one section."""
    first = f'"RH","{AT}","A","ACCOUNT",011\n"FH",01\n"SH","{AT}","{AT}","ACCOUNT",""\n'
    return first + PAYPAL_HEAD + "".join(rows) + f'"SF","USD",0\n"SC",{len(rows)}\n'


def test_stripes_balance_transactions() -> None:
    text = STRIPE + "".join(
        (
            stripe("txn_1", "100.00", "charge", fee="3.20"),
            stripe("txn_2", "-40.00", "partial_capture_reversal"),
            stripe("txn_3", "-10.50", "refund"),
            stripe("txn_4", "-46.30", "payout", order_id=""),
            stripe("txn_5", "-50.00", "dispute", fee="60.00"),
        )
    )
    file = parse_settlement("stripe.csv", text)
    assert file.gateway is GatewayName.STRIPE
    told = [(one.about, one.halalas, one.fee_halalas, one.reference) for one in file.lines]
    assert told == [
        (f"order:{ORDER}", 10_000, 320, "txn_1"),
        (f"order:{ORDER}", -4_000, 0, "txn_2"),
        (f"order:{ORDER}", -1_050, 0, "txn_3"),
        ("dispute:txn_5", -5_000, 6_000, "txn_5"),
    ]


def test_paypals_settlement_report() -> None:
    payment = new_id()
    mark = Mark(payment_id=payment, operation_id=new_id(), halalas=1000, rate=Rate(37_500)).text()
    text = report(
        paypal("9AA1", "T0006", "CR", 267, fee=10, mark=mark),
        paypal("9AA2", "T1107", "DR", 100, fee=0, mark=mark),
        paypal("9AA3", "T0400", "DR", 157, fee=0, mark=""),
        paypal("9AA4", "T1106", "DR", 20, fee=0, mark=mark),
        paypal("9AA5", "T0006", "CR", 100, fee=0, mark="somebody else"),
    )
    file = parse_settlement("STL-20261127.01.009.CSV", text)
    assert file.gateway is GatewayName.PAYPAL
    told = [(one.reference, one.halalas, one.fee_halalas, one.payment_id) for one in file.lines]
    assert told == [
        ("9AA1", 1001, 37, payment),
        ("9AA2", -375, 0, payment),
        ("9AA4", -75, 0, ""),
        ("9AA5", 375, 0, ""),
    ]
    assert all(one.is_converted for one in file.lines)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "missing"),
        (STRIPE.replace("gross", "brutto"), "gross"),
        (STRIPE + stripe("txn_1", "much", "charge"), "row 2"),
        (STRIPE + stripe("txn_1", "1.00", "charge").replace("sar", "usd"), "SAR"),
        (report(paypal("9AA1", "T0006", "CR", 1, fee=0, mark="").replace("USD", "SAR")), "USD"),
        (report(paypal("9AA1", "T0006", "CR", -1, fee=0, mark="")), "row 5"),
        (report().replace("Custom Field", "Custom"), "Custom Field"),
        (STRIPE + stripe("txn_1", "Infinity", "charge"), "row 2: an amount is larger"),
        (STRIPE + stripe("txn_1", "NaN", "charge"), "row 2: an amount is no number"),
        (STRIPE + stripe("txn_1", "1e999999", "charge"), "row 2: an amount is no number"),
        (STRIPE + stripe("txn_1", "-1e900000", "charge"), "row 2: an amount is larger"),
        (STRIPE + stripe("txn_1", "1.00", "charge", fee="1e30"), "row 2: an amount is larger"),
        (report(paypal("9AA1", "T0006", "CR", 10**26, fee=0, mark="")), "row 5: an amount is"),
        (STRIPE + stripe("x" * 201, "1.00", "charge"), "row 2: a name is longer than 200"),
        (STRIPE + stripe("x" * 140_000, "1.00", "charge"), "field larger than"),
        (STRIPE + stripe("txn\x001", "1.00", "charge"), "cannot be stored"),
        (STRIPE + stripe("txn\ud800", "1.00", "charge"), "cannot be stored"),
    ],
)
def test_what_cannot_be_read_says_where_and_why(text: str, why: str) -> None:
    with pytest.raises(BadFile, match=why):
        parse_settlement("a file", text)
