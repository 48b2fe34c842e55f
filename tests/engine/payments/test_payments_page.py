"""The page about payments says what the code says."""

from typing import get_type_hints

from engine.payments.gateways import MATRIX, Capabilities
from engine.payments.payment import TRANSITIONS
from simulations.gateways.cards import ACCOUNTS, CARDS
from simulations.gateways.stc_pay import CODES, MOBILES
from tests.engine.test_documents import rows

PAGE = "payments.md"


def test_the_table_of_a_payment() -> None:
    told = {
        row[0]: {one.strip("` ") for one in row[1].split(",")} for row in rows(PAGE, "## A payment")
    }
    assert told == {one.value: {b.value for b in after} for one, after in TRANSITIONS.items()}


def test_the_matrix_of_gateways() -> None:
    told = {row[0]: row[1:] for row in rows(PAGE, "## What gateways can do")}
    names = list(get_type_hints(Capabilities))
    wanted = {
        gateway.value: ["yes" if getattr(can, name) else "no" for name in names]
        for gateway, can in MATRIX.items()
    }
    assert told == wanted


def test_the_cards_that_mean_something() -> None:
    told = [tuple(row) for row in rows(PAGE, "## Cards that mean something")]
    assert told == [(one.number, one.network.value, one.meaning) for one in CARDS]


def test_the_accounts_that_mean_something() -> None:
    told = [tuple(row) for row in rows(PAGE, "## Accounts that mean something")]
    assert told == [(one.number, one.meaning) for one in ACCOUNTS]


def test_the_mobiles_and_codes_that_mean_something() -> None:
    told = [tuple(row) for row in rows(PAGE, "## Mobiles that mean something")]
    mobiles = [(one.number, "", one.meaning) for one in MOBILES]
    assert told == mobiles + [("any other", one.code, one.meaning) for one in CODES]
