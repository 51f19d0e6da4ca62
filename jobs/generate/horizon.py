"""What a run covers, and the nights on which a feed does not deliver."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from schemas.contract import contracts

# Nights without a delivery of a feed, long enough for it to pass its freshness; left out where the run would end
# before the feed is back.
LATE = {
    "court": range(8, 14),
    "consents": range(20, 22),
    "transactions": range(26, 32),
    "disputes": range(40, 44),
}
ORDER_FEEDS = ("court", "tax", "traffic")  # absent in scores, and gaining no entry, without fresh disputes
LAST_PLANTED = 3  # the cast and the first fates play on nights 1 to 3; a longer run has a history after them
NEVER = 10_000


@dataclass(frozen=True)
class Horizon:
    """What a run covers: ``start`` (day of the first night, days since the epoch), ``nights``, ``seed``."""

    start: int
    nights: int
    seed: int

    def night(self, number: int | np.ndarray) -> int | np.ndarray:
        """The day of night ``number``, counted from 1."""
        return self.start + number - 1

    def rng(self, chunk: int, topic: int) -> np.random.Generator:
        """The generator of one topic of one chunk: nothing else has a say in what it draws."""
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence([self.seed, chunk, topic])))

    def delivers(self, feed: str, night: int) -> bool:
        """Whether the feed has a delivery dated the night."""
        late = LATE.get(feed, range(0))
        return night not in late or late.stop > self.nights

    def taken(self, feed: str) -> np.ndarray:
        """For each night (by number, from 0) the first night from it on that delivers the feed."""
        out = np.arange(self.nights + 3)
        for night in range(self.nights, 0, -1):
            if not self.delivers(feed, night):
                out[night] = out[night + 1]
        return out

    def absent(self, feed: str, night: int) -> bool:
        """Whether the feed is past its freshness on the night, or its orders are without fresh disputes."""
        usable = contracts()[feed].freshness_days
        late = not any(self.delivers(feed, n) for n in range(max(night - usable, 1), night + 1))
        return late or (feed in ORDER_FEEDS and self.absent("disputes", night))

    def gains(self, feed: str) -> np.ndarray:
        """For each night (by number, from 0) the first night from it on that may add an entry fed by the feed."""
        out = np.arange(self.nights + 3)
        for night in range(self.nights, 0, -1):
            if self.absent(feed, night):
                out[night] = out[night + 1]
        return out

    def open(self, night: int, *feeds: str) -> int:
        """The first night from ``night`` on that delivers the feeds and on which no feed is absent."""
        while night <= self.nights and not (
            all(self.delivers(f, night) for f in feeds)
            and not any(self.absent(f, night) for f in contracts() if f in LATE or f in ORDER_FEEDS)
        ):
            night += 1
        return night

    def open_nights(self, feed: str) -> np.ndarray:
        """Every night after the planted ones for which :meth:`open` has nothing against the feed."""
        return np.array(
            [n for n in range(LAST_PLANTED + 1, self.nights + 1) if self.open(n, feed) == n], dtype=np.int64
        )
