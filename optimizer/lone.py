"""What each job costs at each candidate who would do nothing else: a matching's costs."""

from typing import NamedTuple

import numpy as np

from optimizer.arrays import INFEASIBLE, Ints
from optimizer.desk import new_desk
from optimizer.insertion import price_moves
from optimizer.problem import Problem
from optimizer.tables import Tables
from optimizer.town import empty_chains


class LonePrices(NamedTuple):
    """Of each possible pair; left_out is what each job costs that nobody has."""

    job: Ints
    vehicle: Ints
    price: Ints
    left_out: Ints


def lone_prices(problem: Problem) -> LonePrices:
    """The pairs in the order of their ids, in the unit of `Weights`."""
    tables = Tables(problem)
    town, chains = tables.town, empty_chains(tables.town)
    price = np.full(len(town.candidate), INFEASIBLE, dtype=np.int64)
    price_moves(town, chains, new_desk(town, chains), price)
    counts = np.diff(town.candidates_at)
    job = np.repeat(np.arange(len(counts)), counts)
    possible = price < INFEASIBLE
    return LonePrices(
        job=job[possible],
        vehicle=town.candidate[possible].astype(np.int64),
        price=price[possible],
        left_out=town.jobs["left_out"].copy(),
    )
