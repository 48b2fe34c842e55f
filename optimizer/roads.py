"""Travel times to the shops, asked for once and kept."""

import numpy as np

from optimizer.arrays import Ints, ints
from optimizer.problem import Travel

_CELLS_MAX = 24_000_000


class Roads:
    """Places are positions in `nodes`, shops positions in `shops`, paces positions in `paces`."""

    def __init__(self, travel: Travel, nodes: Ints, shops: Ints, paces: Ints) -> None:
        self._travel = travel
        self._nodes = nodes
        self._shops = shops
        self._paces = None if (paces == 1000).all() else paces
        known = len(nodes) * len(shops) <= _CELLS_MAX
        self._known = np.full(len(nodes) * len(shops), -1, dtype=np.int64) if known else None

    def to_shop_s(self, pace: Ints, places: Ints, shops: Ints) -> Ints:
        """Seconds from places[i] to shops[i] at pace class pace[i]."""
        if self._known is None:
            return self.paced_s(pace, self._ask(places, shops))
        cells = places * len(self._shops) + shops
        plain_s = self._known[cells]
        if plain_s.size and plain_s.min() < 0:
            missing = plain_s < 0
            plain_s[missing] = self._ask(places[missing], shops[missing])
            self._known[cells] = plain_s
        return self.paced_s(pace, plain_s)

    def one_to_shop_s(self, pace: int, place: int, shop: int) -> int:
        """As `to_shop_s`, for one pair."""
        if self._known is not None and self._paces is None:
            plain_s = int(self._known[place * len(self._shops) + shop])
            if plain_s >= 0:
                return plain_s
        return int(self.to_shop_s(ints([pace]), ints([place]), ints([shop]))[0])

    def paced_s(self, pace: Ints, plain_s: Ints) -> Ints:
        """Plain seconds at a pace class, rounded up."""
        if self._paces is None:
            return plain_s
        return -(-plain_s * self._paces[pace] // 1000)

    def between_s(self, origins: Ints, destinations: Ints) -> Ints:
        """Plain seconds between places."""
        return self._travel.between(self._nodes[origins], self._nodes[destinations])

    def _ask(self, places: Ints, shops: Ints) -> Ints:
        return self._travel.between(self._nodes[places], self._shops[shops])
