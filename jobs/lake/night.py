"""The night that runs: its date, policy, scorecards and keys, and the tables as its steps see them."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from jobs.errors import AssentError
from jobs.lake import parquet_files
from jobs.lake.config import code_version
from jobs.lake.contents import DAY, Content, chained, content
from jobs.lake.keys import Keys
from jobs.lake.lake import Lake
from jobs.rules.canonical import canonical
from jobs.rules.floor import floor_hash
from jobs.rules.policy import Policy
from jobs.rules.scorecard import scorecard_versions

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from jobs.lake.macs import Macs

# One row or some a person: those of people whom a night does not touch are carried over (jobs/lake/touched.py).
CARRIED = (
    *(f"conformed/{f}" for f in ("consents", "consented", "court", "education", "tax", "traffic")),
    "features",
    "scores",
)
TOUCHED = "touched"
# Nightly tables that lose rows of any night (jobs/retention.py): their hash is of everything that they hold.
HELD = ("accepted/education", "accepted/transactions")


@dataclass(frozen=True)
class Approval:
    """What a person decided about a night's additions and changes: ``decision`` as APPROVALS has it, who, when, why.

    ``sight_hash`` is of what the person had in sight, where they were shown it; ``accepted`` names the registers whose
    tripped guards the person decided on besides.
    """

    decision: str
    decided_by: str | None
    decided_at: dt.datetime
    channel: str
    because: str = "not stated"
    sight_hash: str | None = None
    accepted: tuple[str, ...] = ()


@dataclass
class Night:
    """What a step is handed. A table is tonight's version where tonight wrote it, else the last published one."""

    date: dt.date
    lake: Lake
    policy: Policy
    keys: Keys
    scorecards: dict[str, Any]
    deliveries: str | None = None
    full: bool = False
    approval: Approval | None = None
    previous: dict[str, Any] | None = None
    published: dict[str, Any] | None = None  # this night's own publication, once there is one
    say: Any = field(default=lambda text: None)

    @property
    def after(self) -> dt.date | None:
        """The last published night before this one."""
        return self.previous["night"] if self.previous else None

    @property
    def other_policy(self) -> bool:
        """Whether the policy in force now is another one than the night was published under: then nothing is added."""
        return self.published is not None and self.policy.sha256 != self.published["policy_hash"]

    def made_by(self) -> dict[str, str]:
        """What the night is made by, as PUBLICATIONS has it: policy, floor, scorecards and program."""
        return {
            "policy_hash": self.policy.sha256,
            "floor_hash": floor_hash(),
            "scorecards": canonical(scorecard_versions(self.scorecards)),
            "code_version": code_version(),
        }

    def pinned(self, table: str) -> int | None:
        """The version of a table that this night reads; None when there is none yet."""
        if self.published is not None:
            pin = self.published["tables"].get(table)
            return int(pin["version"]) if pin else None
        pin = self.lake.pins(self.date).get(table)
        return int(pin["version"]) if pin else self.pinned_before(table)

    def pinned_before(self, table: str) -> int | None:
        """The version that the previous publication holds; None when there is none."""
        pin = (self.previous or {"tables": {}})["tables"].get(table)
        return int(pin["version"]) if pin else None

    def frame(self, table: str, ddl: str | None = None) -> DataFrame:
        """A table for tonight; with ``ddl`` an empty frame where there is no table yet."""
        return self._frame(table, self.pinned(table), ddl)

    def frame_before(self, table: str, ddl: str) -> DataFrame:
        """A table as the previous publication holds it; empty where there is none."""
        return self._frame(table, self.pinned_before(table), ddl)

    def dataset(self, table: str) -> Any:
        """A table for tonight as an Arrow dataset; None where there is no table yet."""
        version = self.pinned(table)
        return None if version is None else self.lake.dataset(table, version)

    def rows(self, table: str, schema: pa.Schema) -> Any:
        """A table for tonight as DuckDB reads it fastest; empty where there is no table yet."""
        return self._rows(table, self.pinned(table), schema)

    def rows_before(self, table: str, schema: pa.Schema) -> Any:
        """The same of a table as the previous publication holds it."""
        return self._rows(table, self.pinned_before(table), schema)

    def _rows(self, table: str, version: int | None, schema: pa.Schema) -> Any:
        return schema.empty_table() if version is None else parquet_files.rows(self.lake, table, version)

    def among(
        self, table: str, where: str, keys: Any, columns: Sequence[str], ddl: str, name: str
    ) -> DataFrame:
        """Of a table for tonight the rows that ``keys`` ask for (Lake.among); empty where there is no table yet."""
        return self._among(table, self.pinned(table), where, keys, columns, ddl, name)

    def among_before(
        self, table: str, where: str, keys: Any, columns: Sequence[str], ddl: str, name: str
    ) -> DataFrame:
        """The same of a table as the previous publication holds it."""
        return self._among(table, self.pinned_before(table), where, keys, columns, ddl, name)

    def _among(
        self,
        table: str,
        version: int | None,
        where: str,
        keys: Any,
        columns: Sequence[str],
        ddl: str,
        name: str,
    ) -> DataFrame:
        if version is None:
            return self.lake.empty(ddl).select(*columns)
        there = self.lake.columns(table, version)
        found = self.lake.among(table, version, where, keys, [c for c in columns if c in there], name)
        if set(columns) <= set(there):
            return found
        # a column that a contract has gained is null in what was written before
        types = {f.name: f.dataType.simpleString() for f in self.lake.empty(ddl).schema}
        return found.selectExpr(*(c if c in there else f"CAST(NULL AS {types[c]}) AS {c}" for c in columns))

    def _frame(self, table: str, version: int | None, ddl: str | None) -> DataFrame:
        if version is not None:
            return self.lake.frame(table, version)
        if ddl is None:
            raise AssentError(
                f"table {table}: not written yet for {self.date}; run the earlier steps of the night"
            )
        return self.lake.empty(ddl)

    def arrow(self, table: str, schema: pa.Schema) -> pa.Table:
        """A small table for tonight as Arrow; empty where there is none."""
        version = self.pinned(table)
        return schema.empty_table() if version is None else self.lake.dataset(table, version).to_table()

    def write(self, table: str, frame: DataFrame) -> dict[str, Any]:
        """Writes a Spark frame, pins it with rows and content hash, and returns the pin."""
        version = self.lake.write_frame(table, frame)
        names = self.lake.dataset(table, version).schema.names
        data = parquet_files.rows(self.lake, table, version)
        return self._pin(table, version, content(data, names), names, nightly=False)

    def write_answer(
        self, table: str, sql: str, tables: dict[str, Any], schema: pa.Schema, at_once: int
    ) -> dict[str, Any]:
        """As :meth:`write` for tonight's rows of a nightly table: a SELECT's answer (Lake.write_answer), no JVM."""
        version = self.lake.write_answer(table, sql, tables, schema, self.date, self.after, at_once)
        data = parquet_files.rows(self.lake, table, version, self.date)
        return self._pin(table, version, content(data, schema.names), schema.names, nightly=True)

    def write_touched(self, table: str, frame: DataFrame) -> dict[str, Any]:
        """As :meth:`write`, with the rows of the people whom the night does not touch as they were the night before."""
        if self.touched is None:
            return self.write(table, frame)
        before, names = self.pinned_before(table), frame.columns
        assert before is not None
        assert self.previous is not None
        old, keys = parquet_files.rows(self.lake, table, before), self.touched
        said = (f"DATE '{self.date}' AS {n}" if n == DAY else f'"{n}"' for n in names)
        sql = f"SELECT {', '.join(said)} FROM data ANTI JOIN keys USING (person_id)"

        def carry(path: str) -> None:
            self.lake.store(sql, {"data": old, "keys": keys}, path)

        version = self.lake.write_frame(table, frame, carry=carry)
        data = parquet_files.rows(self.lake, table, version, carried=False)
        pin = self.previous["tables"][table]
        kept = Content(int(pin["rows"]), int(pin["sum"])).without(content(old, names, keys))
        made = kept.joined(content(data, names, keys), self.date if DAY in names else None)
        rows = self.lake.dataset(table, version).count_rows()
        if rows != made.rows:
            raise AssentError(
                f"table {table}: {rows} rows written, {made.rows} meant; nothing is published, "
                "run the night again with --full and report it"
            )
        return self._pin(table, version, made, names, nightly=False)

    @cached_property
    def macs(self) -> Macs:
        """The codes of identities, each made once for all the feeds that this process extracts."""
        from jobs.lake.macs import Macs

        return Macs(self.keys, self.policy.national_id)

    def forget_macs(self) -> None:
        """Frees what :attr:`macs` has met: of ten million people 3 GB."""
        self.__dict__.pop("macs", None)

    @cached_property
    def touched(self) -> pa.Table | None:
        """``person_id`` of the people whose rows the night computes; None: everybody's."""
        return self.lake.work(self.date, TOUCHED)

    def touch(self, people: pa.Table | None) -> None:
        """Settles whose rows the steps after this one compute."""
        self.lake.keep_work(self.date, TOUCHED, people)
        self.__dict__["touched"] = people

    def only_touched(self, frame: DataFrame) -> DataFrame:
        """The rows of the people to compute."""
        if self.touched is None:
            return frame
        return frame.join(
            self.lake.work_frame(self.date, TOUCHED, "person_id BIGINT"), "person_id", "left_semi"
        )

    def touched_frame(self, table: str) -> DataFrame:
        """Of a table for tonight the rows of the people to compute."""
        version = self.pinned(table)
        if version is None or self.touched is None:
            return self.frame(table)
        names = self.lake.columns(table, version)
        mine = "person_id IN (SELECT person_id FROM keys)"
        return self.lake.among(
            table, version, mine, self.touched, names, f"touched-{table.replace('/', '-')}"
        )

    def pin_nothing(self, table: str) -> dict[str, Any] | None:
        """Pins the version of the night before of a nightly table that has no rows tonight; None where it has to be
        written: there is none, or an abandoned night has left rows behind it.
        """
        before = self.pinned_before(table)
        if before is None or not self.lake.same(table, before):
            return None
        names = self.lake.dataset(table, before).schema.names
        return self._pin(table, before, Content(0, 0), names, nightly=True)

    def write_arrow(self, table: str, data: pa.Table, nightly: bool = False) -> dict[str, Any]:
        """As :meth:`write` for a small Arrow table, no JVM. A nightly table with no rows tonight keeps its version."""
        if nightly and data.num_rows == 0 and (pin := self.pin_nothing(table)) is not None:
            return pin
        if nightly:
            version = self.lake.write_night(table, data.to_reader(), self.date, self.after)
        else:
            version = self.lake.write_arrow(table, data)
        return self._pin(table, version, arrow_content(data), data.schema.names, nightly=nightly)

    def write_arrow_stream(
        self, table: str, batches: Iterator[pa.RecordBatch], schema: pa.Schema
    ) -> dict[str, Any]:
        """A nightly table from Arrow batches of any size."""
        first = next(batches, None)
        if first is None or (first.num_rows == 0 and (first := next(batches, None)) is None):
            return self.write_arrow(table, schema.empty_table(), nightly=True)
        reader = pa.RecordBatchReader.from_batches(schema, chain([first], batches))
        version = self.lake.write_night(table, reader, self.date, self.after)
        data = parquet_files.rows(self.lake, table, version, self.date)
        return self._pin(table, version, content(data, schema.names), schema.names, nightly=True)

    def _pin(
        self, table: str, version: int, holds: Content, names: Sequence[str], nightly: bool
    ) -> dict[str, Any]:
        hashed = holds.hash(names)
        pin = {"version": version, "rows": holds.rows, "hash": hashed}
        before = (self.previous or {"tables": {}})["tables"].get(table, {})
        if table in HELD:
            pin |= _held(self._held_before(table, version, before, names).joined(holds), names)
        elif nightly:  # chained, so that its cost does not grow with the nights stored
            pin["hash"] = chained(before.get("hash", ""), hashed)
            pin["columns"] = _columns(names)  # a later night may gain one
            if "since" in before:
                pin["since"] = before["since"]
        elif table in CARRIED:
            pin["sum"] = str(holds.total)
        self.lake.pin(self.date, table, pin)
        return pin

    def _held_before(self, table: str, version: int, before: dict[str, Any], names: Sequence[str]) -> Content:
        """What a table held on the night before; read where that night did not say, or of other columns."""
        if not before:
            return Content(0, 0)
        if before.get("columns") == _columns(names):
            return Content(int(before["held"]), int(before["sum"]))
        rows = self.lake.dataset(table, version).filter(pc.field("night") != pa.scalar(self.date))
        return content(rows, names)

    def purged(
        self, table: str, version: int, gone: Content | None = None, since: dt.date | None = None
    ) -> None:
        """Pins the version of a nightly table that has lost ``gone`` rows, or every night before ``since``."""
        names = self.lake.dataset(table, version).schema.names
        pin = self.lake.pins(self.date).get(table)
        if pin is None:  # nothing came of it tonight
            before = self.pinned_before(table)
            assert before is not None
            pin = self._pin(table, before, Content(0, 0), names, nightly=True)
        pin = pin | {"version": version}
        if gone is not None:
            pin |= _held(Content(int(pin["held"]), int(pin["sum"])).without(gone), names)
        if since is not None:
            pin["since"] = since.isoformat()
        self.lake.pin(self.date, table, pin)


def _columns(names: Sequence[str]) -> str:
    return ",".join(sorted(names))


def _held(content: Content, names: Sequence[str]) -> dict[str, Any]:
    """What a pin says of everything that a table holds."""
    return {
        "held": content.rows,
        "sum": str(content.total),
        "columns": _columns(names),
        "hash": content.hash(names),
    }


class RowDigest:
    """Rows and a content hash of Arrow batches, independent of row order: the sum of each row's BLAKE2b."""

    def __init__(self, names: list[str]) -> None:
        self.names = sorted(names)
        self.rows = 0
        self.total = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Takes a batch in."""
        for row in batch.select(self.names).to_pylist():
            digest = hashlib.blake2b(repr(list(row.values())).encode(), digest_size=16).digest()
            self.total += int.from_bytes(digest, "big")
        self.rows += batch.num_rows

    @property
    def content(self) -> Content:
        """What was taken in."""
        return Content(self.rows, self.total)


def arrow_content(data: pa.Table) -> Content:
    """What an Arrow table holds, independent of row order."""
    digest = RowDigest(data.column_names)
    for batch in data.to_batches():
        digest.add(batch)
    return digest.content
