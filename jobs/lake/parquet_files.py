"""A version of a table as DuckDB reads it fastest: its Parquet files themselves, where they lie on this machine."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from jobs.lake.lake import Lake

CARRIED_FILE = "-carried.parquet"  # the end of its name
PATTERN = re.compile(r"[*?\[\]{}']")  # signs that DuckDB would take for others


@dataclass(frozen=True)
class Files:
    """Paths; ``night`` stands in those of a nightly table, and nowhere else."""

    paths: tuple[str, ...]
    nightly: bool

    def sql(self) -> str:
        """What reads them."""
        listed = ", ".join(f"'{p}'" for p in self.paths)
        if not self.nightly:
            return f"FROM read_parquet([{listed}], hive_partitioning = false)"
        by_night = "hive_partitioning = true, hive_types = {'night': DATE}"
        # a column that a contract has gained is null in the rows of earlier nights
        return f"FROM read_parquet([{listed}], {by_night}, union_by_name = true)"


def _as_they_lie(lake: Lake, paths: tuple[str, ...]) -> bool:
    """Whether DuckDB can read files under these paths."""
    return "file" in lake.fs.protocol and not any(PATTERN.search(p) for p in paths)


def landed(lake: Lake, files: list[str]) -> Any:
    """Landing files for DuckDB: :class:`Files`, or an Arrow dataset where they cannot be read as such."""
    paths = tuple(f"{lake.path}/{f}" for f in files)
    return Files(paths, nightly=False) if _as_they_lie(lake, paths) else lake.landed(files)


def rows(lake: Lake, table: str, version: int, night: dt.date | None = None, carried: bool = True) -> Any:
    """A pinned version for DuckDB: :class:`Files`, or an Arrow dataset where they cannot be read as such.

    With ``night`` the rows of that night alone, of a nightly table. Without ``carried`` those that were carried over
    from the version before may be left out.
    """
    if "file" in lake.fs.protocol:
        paths = tuple(
            p
            for p in lake.files(table, version)
            if (night is None or f"/night={night}/" in p) and (carried or not p.endswith(CARRIED_FILE))
        )
        if paths and _as_they_lie(lake, paths):
            return Files(paths, night is not None or lake.is_nightly(table, version))
    data = lake.dataset(table, version)
    return data if night is None else data.filter(pc.field("night") == pa.scalar(night))
