"""The ledgers that are written beside publications: what was sent, approved, held back and answered.

They are appended to and read at their newest version, up to a night.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jobs.lake.lake import Lake
from schemas.tables import TABLES


def rows(lake: Lake, name: str, upto: dt.date, where: Any = None) -> list[dict[str, Any]]:
    """Rows of a ledger through a night, with every column of its schema; none where there is no table yet."""
    version = lake.version(name)
    if version is None:
        return []
    data = lake.dataset(name, version)
    condition = pc.field("night") <= pa.scalar(upto)
    found: list[dict[str, Any]] = data.to_table(
        filter=condition if where is None else condition & where
    ).to_pylist()
    nothing = dict.fromkeys(TABLES[name].names)
    return [{**nothing, **r} for r in found]


def append(lake: Lake, name: str, new: list[dict[str, Any]]) -> None:
    """Adds rows to a ledger; nothing for none."""
    if new:
        lake.append_arrow(name, pa.Table.from_pylist(new, schema=TABLES[name].arrow()))


def sent(lake: Lake, register: str, upto: dt.date) -> list[dict[str, Any]]:
    """What was disclosed of a register through a night, oldest first; of one night a removal before what came."""
    prefix = f"{register}/"
    found = rows(lake, "disclosures", upto, pc.starts_with(pc.field("subject"), prefix))
    for row in found:
        row["record_id"] = row["subject"][len(prefix) :]
    return sorted(found, key=lambda r: (r["night"], r["change"] not in ("REMOVE", "RECALL")))
