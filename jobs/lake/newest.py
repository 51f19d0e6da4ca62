"""Tables that are read at their newest version again and again: publications, packages and the ledgers beside them.

Each gains a file with every row that is appended, so that what an export costs would grow with the nights behind it.
The small ones are read once a version, and all are compacted.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

if TYPE_CHECKING:
    from jobs.lake.lake import Lake

APPENDED = (
    "accesses",
    "approvals",
    "disclosures",
    "holds",
    "notices",
    "packages",
    "performance",
    "publications",
    "receipts",
    "returns",
)
MOST_FILES = 16


class Newest:
    """What a lake's small tables hold at their newest version; read again only when another process has written."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._held: dict[str, tuple[int, pa.Table]] = {}
        self._publications: tuple[int, list[dict[str, Any]]] = (-1, [])

    def table(self, name: str) -> pa.Table | None:
        """A table; None when there is none."""
        version = self._lake.version(name)
        if version is None:
            return None
        held = self._held.get(name)
        if held is None or held[0] != version:
            held = self._held[name] = (version, self._lake.dataset(name, version).to_table())
        return held[1]

    def appended(self, name: str, version: int, data: pa.Table) -> None:
        """Takes note of rows that this process has appended."""
        held = self._held.get(name)
        if held is not None and held[0] == version - 1 and held[1].schema.equals(data.schema):
            self._held[name] = (version, pa.concat_tables([held[1], data]))

    def publications(self) -> list[dict[str, Any]]:
        """Every publication, oldest first; ``tables`` parsed. Not to be changed."""
        rows = self.table("publications")
        if rows is None:
            return []
        version = self._held["publications"][0]
        if self._publications[0] != version:
            found = [{**r, "tables": json.loads(r["tables"])} for r in rows.to_pylist()]
            self._publications = (version, sorted(found, key=lambda r: r["night"]))
        return self._publications[1]


def compact(lake: Lake, say: Callable[[str], None]) -> int:
    """Puts the small files of these tables together; returns how many tables had too many.

    Old files stay a week, for whoever reads them now. What is appended at the same moment stands. Nothing waits for it:
    where it fails, that is said.
    """
    compacted = 0
    for name in APPENDED:
        if lake.version(name) is None:
            continue
        table = DeltaTable(lake.url(name))
        if len(table.file_uris()) > MOST_FILES:
            try:
                table.optimize.compact()
                table.vacuum(dry_run=False)
            except (DeltaError, OSError) as e:
                say(
                    f"{name}: its files could not be put together ({type(e).__name__}); the next export tries again"
                )
                continue
            compacted += 1
    return compacted
