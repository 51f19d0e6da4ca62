"""Nights held against the oracle, one after the other."""

from __future__ import annotations

from benchmarks.oracle.compare import compare
from benchmarks.oracle.night import connect
from benchmarks.oracle.published import Publication
from benchmarks.oracle.truth import due


class Held:
    """Counts over the nights that were held against the oracle."""

    def __init__(self, deliveries: str | None, spill: str) -> None:
        self.deliveries, self.con = deliveries, connect(spill=spill)
        self.nights = self.rows = self.differences = self.purged = 0

    def night(self, published: Publication) -> None:
        """Compares one night, as long as its inputs are there."""
        if not published.whole():
            self.purged += 1
            return
        comparisons, seconds = compare(self.con, published)
        if self.deliveries:
            comparisons.append(due(self.con, published, self.deliveries))
        self.nights += 1
        for one in comparisons:
            print(f"{one} in {seconds:.1f} s", flush=True)
            self.differences += one.differences
            self.rows += one.rows

    def __str__(self) -> str:
        gone = f", {self.purged} nights not held: later ones purged their inputs" if self.purged else ""
        return f"oracle: {self.nights} nights, {self.rows} rows, {self.differences} differences{gone}"

    @property
    def failed(self) -> bool:
        """Whether anything differs, or nothing was held at all."""
        return self.differences > 0 or self.nights == 0
