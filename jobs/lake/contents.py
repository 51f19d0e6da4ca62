"""What a table holds, as a hash that neither the order of its rows nor its files change.

The hash is of the column names, the rows' count and the sum over the rows of half the MD5 of a row's text. A sum can be
carried on: what a night takes away and adds is as good as the whole table again.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jobs.lake.ask import ask

# The night stands in every row of `scores`; of it the hash has the first and the last, so that a row which says the
# same as the night before need not be read again.
DAY = "score_date"


def chained(before: str, hashed: str) -> str:
    """The hash of a nightly table: of what it was before, and of the night's rows."""
    return hashlib.sha256(f"{before}:{hashed}".encode()).hexdigest()


@dataclass(frozen=True)
class Content:
    """Rows, their sum, and the first and last night that they name (empty where they name none)."""

    rows: int
    total: int
    days: str = ""

    def without(self, gone: Content) -> Content:
        """Less some of the rows."""
        return Content(self.rows - gone.rows, self.total - gone.total)

    def joined(self, more: Content, night: dt.date | None = None) -> Content:
        """With other rows; all of them name a night, where one is given."""
        rows = self.rows + more.rows
        days = f":{night}..{night}" if night is not None and rows else ""
        return Content(rows, self.total + more.total, days)

    def hash(self, names: Sequence[str]) -> str:
        """SHA-256 of what it holds, in hexadecimal."""
        text = f"{','.join(sorted(names))}:{self.rows}:{self.total}{self.days}"
        return hashlib.sha256(text.encode()).hexdigest()


def content(
    data: Any,
    names: Sequence[str],
    keys: Any = None,
    where: str = "true",
    more: Mapping[str, Any] | None = None,
) -> Content:
    """Of an Arrow dataset; with ``keys`` of the rows of these people alone. No JVM.

    ``where``: a condition on its rows ``d``, which may ask the tables ``more``.
    """
    # a separator of its own keeps a null apart from an empty text and a cell from its neighbour
    cells = ", ".join(f'coalesce(CAST("{n}" AS VARCHAR), chr(30))' for n in sorted(names) if n != DAY)
    days = f"coalesce(':' || min({DAY}) || '..' || max({DAY}), '')" if DAY in names else "''"
    mine = "" if keys is None else " SEMI JOIN keys USING (person_id)"
    total = f"sum(CAST(md5_number_lower(concat_ws(chr(31), {cells})) AS HUGEINT))"
    found = ask(
        f"SELECT count(*) AS rows, {total}::VARCHAR AS total, {days} AS days FROM data d{mine} WHERE {where}",
        {"data": data, **(more or {})} if keys is None else {"data": data, "keys": keys},
    ).to_pylist()[0]
    return Content(int(found["rows"]), int(found["total"] or 0), str(found["days"]))
