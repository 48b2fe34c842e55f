"""What is asked where somebody is sought nearby, and who was found, without what finds them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from optimizer.arrays import Ints, Numbers

Reals = NDArray[np.float64]


class Cells(NamedTuple):
    """People by cell; lengths are in one unit throughout, straight through the earth.

    Those of cell c are begins[c] : begins[c + 1]; nobody of it is farther than radius[c] from
    middle[c] (north, east, up), or free before free_s[c]. least_s: seconds that the fastest needs
    for a unit.
    """

    begins: Ints
    middle: Reals
    radius: Reals
    free_s: Reals
    least_s: float


class People(NamedTuple):
    """Those in the cells, in the order of cells: where, when free, and seconds for a unit.

    able: what each has, a row of five: units, grams, kind and skills as sets of bits, cash held.
    """

    where: Reals
    free_s: Reals
    pace_s: Reals
    able: Ints
    number: Ints


class Asks(NamedTuple):
    """What is asked for, and where; `needs` are rows as `able`, with the cash to come.

    below_s: nobody whose way takes so long. barred[barred_at[a] : barred_at[a + 1]]: those, by
    number, who are not wanted for a.
    """

    where: Reals
    below_s: Ints
    needs: Ints
    barred_at: Ints
    barred: Ints
    cash_max: int


class Nearest(NamedTuple):
    """Of ask a the places of people[a, : named[a]], those with the least bounds, in no order.

    Of nobody else the bound is below until_s[a]; it is infinite where everybody is named. cell and
    cell_s are scratch paper.
    """

    people: Numbers
    bound_s: Reals
    named: Ints
    until_s: Reals
    cell: Numbers
    cell_s: Reals
