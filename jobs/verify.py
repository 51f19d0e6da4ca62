"""verify: the chain of a lake's publications, and the tables that the last one pins."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from cryptography.exceptions import InvalidSignature

from jobs.errors import AssentError
from jobs.lake.contents import Content, chained, content
from jobs.lake.lake import Lake
from jobs.lake.night import RowDigest
from jobs.publish import row_hash

Say = Callable[[str], None]


def check_chain(rows: list[dict[str, Any]], verify: Callable[[bytes, bytes], None]) -> None:
    """AssentError at the first publication whose row, link to the one before, or signature does not hold.

    ``rows``: publications as stored, oldest first. ``verify`` takes a signature and what it signs, and raises
    InvalidSignature.
    """
    before: str | None = None
    for row in rows:
        night = row["night"]
        if row_hash(row) != row["row_hash"]:
            raise AssentError(
                f"publication {night}: its row is not what was hashed; restore the lake from its backup"
            )
        if row["previous_hash"] != before:
            raise AssentError(
                f"publication {night}: does not follow the one before; restore the lake from its backup"
            )
        try:
            verify(base64.b64decode(row["signature"]), row["row_hash"].encode())
        except (InvalidSignature, ValueError):
            raise AssentError(
                f"publication {night}: is not signed by this lake's key; restore its backup"
            ) from None
        before = row["row_hash"]


def _written(rows: list[dict[str, Any]], table: str) -> list[tuple[dt.date, dict[str, Any], str]]:
    """The nights that wrote a table, oldest first: night, pin, and the hash that the table had before."""
    found = []
    before: dict[str, Any] = {}
    for row in rows:
        pin = row["tables"].get(table, before)
        if pin != before:
            found.append((row["night"], pin, str(before.get("hash", ""))))
        before = pin
    return found


def _holds(
    lake: Lake, table: str, version: int, night: dt.date | None, pin: dict[str, Any], before: str
) -> bool:
    """Whether a version (a night's rows of it) has the rows and the hash of a pin."""

    data = lake.dataset(table, version)
    names = pin["columns"].split(",") if "columns" in pin else data.schema.names
    mine = data if night is None else data.filter(pc.field("night") == pa.scalar(night))

    def equal(found: Content) -> bool:
        hashed = found.hash(names)
        if night is not None:
            hashed = chained(before, hashed)
        return (found.rows, hashed) == (pin["rows"], pin["hash"])

    if equal(content(mine, names)):
        return True
    digest = RowDigest(names)  # of a small table, hashed in Python, the hash is another
    for batch in mine.to_batches():
        digest.add(batch)
    return equal(digest.content)


def check_table(lake: Lake, rows: list[dict[str, Any]], table: str) -> int:
    """Rows of a table that the last publication pins, in a nightly table those of every night.

    AssentError unless they are what was published.
    """
    last = rows[-1]["tables"][table]
    version = int(last["version"])
    written = _written(rows, table)
    nightly = lake.is_nightly(table, version)
    if "held" in last:  # rows of any night may have been purged: what is left is hashed as one
        written = [(written[-1][0], {**last, "rows": last["held"]}, "")]
        nightly = False
    if since := last.get("since"):
        written = [w for w in written if w[0].isoformat() >= since]
        if lake.dataset(table, version).count_rows(filter=pc.field("night") < dt.date.fromisoformat(since)):
            raise AssentError(
                f"table {table}: version {version} holds nights before {since}, which were purged; "
                "restore it from your backup"
            )
    total = 0
    for night, pin, before in written if nightly else written[-1:]:
        try:
            held = _holds(lake, table, version, night if nightly else None, pin, before)
        except Exception as e:  # a file that is gone, or no Parquet any more
            raise AssentError(
                f"table {table}: version {version} cannot be read ({type(e).__name__}); restore it from your backup"
            ) from None
        if not held:
            raise AssentError(
                f"table {table}: version {version} does not hold what was published on {night}; "
                "restore it from your backup"
            )
        total += int(pin["rows"])
    return total


def check_lake(root: str, say: Say) -> None:
    """Every check of a lake, each said; AssentError at the first that does not hold."""
    lake = Lake(root)
    keys = lake.open()
    rows = lake.publications()
    if not rows:
        raise AssentError(f"lake {root}: nothing is published yet; run `assent night` first")
    stored = lake.newest.table("publications")
    assert stored is not None
    check_chain(stored.sort_by("night").to_pylist(), keys.signing.public_key().verify)
    say(f"publications: {len(rows)} nights through {rows[-1]['night']}, each row, link and signature hold")
    for table in sorted(rows[-1]["tables"]):
        say(f"{table}: {check_table(lake, rows, table)} rows as published")
