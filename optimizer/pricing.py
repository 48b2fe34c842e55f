"""All places of all jobs priced ahead, in compiled code."""

from optimizer.arrays import Ints
from optimizer.compiled import compiled_entry
from optimizer.desk import Desk
from optimizer.insertion import known_place
from optimizer.town import Chains, Town


@compiled_entry
def price_all(town: Town, chains: Chains, desk: Desk, by_group: Ints) -> None:
    """Find the best place of every job at each of its candidates, while nobody is noted.

    by_group: the jobs, those of one group together: they have the same candidates, whose chains are
    so read from the nearest memory. Nearly all of these places are asked for later, in any order.
    """
    for k in range(len(by_group)):
        j = by_group[k]
        for entry in range(town.candidates_at[j], town.candidates_at[j + 1]):
            known_place(town, chains, j, desk, entry)
