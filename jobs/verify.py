"""verify: the chain of a lake's publications, and the tables that the last one pins."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from cryptography.exceptions import InvalidSignature

from jobs.errors import AssentError
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


def _made_by(rows: list[dict[str, Any]], table: str) -> tuple[dt.date, str]:
    """The night that wrote a table as it is pinned last, and the hash that it had before."""
    pin = rows[-1]["tables"][table]
    n = len(rows) - 1
    while n > 0 and rows[n - 1]["tables"].get(table) == pin:
        n -= 1
    before = rows[n - 1]["tables"].get(table, {}) if n else {}
    return rows[n]["night"], before.get("hash", "")


def check_table(lake: Lake, rows: list[dict[str, Any]], table: str) -> int:
    """Rows of a table that the last publication pins; AssentError unless they are what was published."""
    pin = rows[-1]["tables"][table]
    version = int(pin["version"])
    night, before = _made_by(rows, table)
    nightly = lake.is_nightly(table, version)

    def holds(found: int, content: str) -> bool:
        if nightly:
            content = hashlib.sha256(f"{before}:{content}".encode()).hexdigest()
        return (found, content) == (pin["rows"], pin["hash"])

    one = night if nightly else None
    try:
        if not holds(*lake.content(table, version, one)):
            data = lake.dataset(table, version)  # of a table written without Spark the hash is another
            digest = RowDigest(data.schema.names)
            for batch in data.to_batches(filter=None if one is None else pc.field("night") == pa.scalar(one)):
                digest.add(batch)
            if not holds(digest.rows, digest.hexdigest()):
                raise AssentError(
                    f"table {table}: version {version} does not hold what was published; restore it from your backup"
                )
    except AssentError:
        raise
    except Exception as e:  # a file that is gone, or no Parquet any more
        raise AssentError(
            f"table {table}: version {version} cannot be read ({type(e).__name__}); restore it from your backup"
        ) from None
    return int(pin["rows"])


def check_lake(root: str, say: Say) -> None:
    """Every check of a lake, each said; AssentError at the first that does not hold."""
    lake = Lake(root)
    keys = lake.open()
    rows = lake.publications()
    if not rows:
        raise AssentError(f"lake {root}: nothing is published yet; run `assent night` first")
    version = lake.version("publications")
    assert version is not None
    stored = lake.dataset("publications", version).to_table().sort_by("night").to_pylist()
    check_chain(stored, keys.signing.public_key().verify)
    say(f"publications: {len(rows)} nights through {rows[-1]['night']}, each row, link and signature hold")
    for table in sorted(rows[-1]["tables"]):
        say(f"{table}: {check_table(lake, rows, table)} rows as published")
