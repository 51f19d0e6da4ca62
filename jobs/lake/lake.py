"""One lake under one root URL: Delta tables, landing files and the pins of the night that runs."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq
from deltalake import DeltaTable, Schema, write_deltalake
from deltalake.exceptions import DeltaError, TableNotFoundError
from pyarrow.fs import LocalFileSystem, SubTreeFileSystem

from jobs.errors import AssentError, UnreachedError
from jobs.lake import parquet_files, spark_tables
from jobs.lake.ask import stream
from jobs.lake.keys import Keys, has_keys, keys_folder, make_keys
from jobs.lake.newest import Newest
from jobs.lake.runs import Runs

if TYPE_CHECKING:
    from deltalake.transaction import AddAction
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

# Statistics in the Delta log would hold the smallest and largest value of each column, identities among them.
NO_STATISTICS = {"delta.dataSkippingNumIndexedCols": "0"}
OPENED = 256  # versions of tables at a time
# Of a file: so few that some batches of them fit the memory, so many that words compress.
GROUP_ROWS = 262_144
SMALL_BYTES = 24 << 20  # about half a million rows


class Lake(Runs):
    """Reads and writes tables by name and version; knows nothing of what they mean."""

    def __init__(self, root: str) -> None:
        super().__init__(root)
        self.newest = Newest(self)
        self.starts_small: Callable[[], bool] = self.is_small  # a night knows better (jobs/nightly.py)
        self._opened: dict[tuple[str, int], DeltaTable] = {}

    # -- the lake itself
    def open(self, create: bool = False) -> Keys:
        """The keys of this lake; makes lake and keys on the first night. AssentError when they do not fit."""
        marker = f"{self.path}/_lake.json"
        folder = keys_folder(self.root)
        try:
            there = self.fs.exists(marker)
        except Exception as e:  # each storage has its own
            raise UnreachedError(
                f"lake {self.root} cannot be reached ({type(e).__name__}); check the address and the credentials"
            ) from None
        if not there:
            if not create:
                raise AssentError(f"no lake at {self.root}; run `assent night` first, or mend --lake")
            try:
                if not has_keys(folder):  # it may hold what was put there for the first night: certificates
                    make_keys(folder)
            except OSError as e:
                raise AssentError(
                    f"keys {folder} cannot be written ({e.strerror}); check the folder's rights"
                ) from None
            keys = Keys(folder)
            self._write_text(marker, json.dumps({"format": 1, "key": self._fingerprint(keys)}))
            return keys
        keys = Keys(folder)
        try:
            known = str(json.loads(self.fs.cat_file(marker))["key"])
        except (OSError, ValueError, KeyError, TypeError) as e:
            raise AssentError(
                f"lake {self.root}: _lake.json cannot be read ({type(e).__name__}); restore it from your backup"
            ) from None
        if not hmac.compare_digest(known, self._fingerprint(keys)):
            raise AssentError(
                f"lake {self.root} was made with other keys than those in {folder}; set ASSENT_KEYS to its own"
            )
        return keys

    @staticmethod
    def _fingerprint(keys: Keys) -> str:
        return hmac.new(keys.vault, b"assent lake", hashlib.sha256).hexdigest()

    def probe(self) -> None:
        """AssentError when the lake cannot be written: said at the door, not in the middle of a night."""
        self.write_text("_scratch/probe", "")
        self.fs.rm(f"{self.path}/_scratch/probe")

    # -- Delta tables
    def url(self, table: str) -> str:
        """Where a table lives."""
        return f"{self.root}/{table}"

    @cached_property
    def spark(self) -> SparkSession:
        """The one Spark session."""
        from jobs.lake.spark import spark_session

        return spark_session(small=self.starts_small)

    def is_small(self) -> bool:
        """Whether what was delivered so far is little."""
        zones = [f"{self.path}/{zone}" for zone in ("landing", "accepted")]
        return sum(int(self.fs.du(z)) for z in zones if self.fs.exists(z)) < SMALL_BYTES

    def version(self, table: str) -> int | None:
        """The newest version of a table, for writers; None when there is no table."""
        try:
            return DeltaTable(self.url(table)).version()
        except TableNotFoundError:
            return None
        except (DeltaError, OSError) as e:
            raise AssentError(
                f"lake {self.root}: table {table} cannot be read ({type(e).__name__}); "
                "check rights and credentials, or restore it from your backup"
            ) from None

    def _pinned(self, table: str, version: int) -> DeltaTable:
        """A version of a table, whose log is read once: what a version holds does not change."""
        found = self._opened.get((table, version))
        if found is None:
            found = DeltaTable(self.url(table), version=version)
            if len(self._opened) >= OPENED:
                self._opened.clear()
            self._opened[table, version] = found
        return found

    def columns(self, table: str, version: int) -> list[str]:
        """The columns of a pinned version, as its log has them."""
        return [f.name for f in self._pinned(table, version).schema().fields]

    def dataset(self, table: str, version: int) -> pads.Dataset:
        """A pinned version as an Arrow dataset, no JVM."""
        files = None  # Delta's own reader takes twice as long for small files
        if "file" in self.fs.protocol:
            files = SubTreeFileSystem(f"{self.path}/{table}", LocalFileSystem())
        return self._pinned(table, version).to_pyarrow_dataset(filesystem=files)

    def is_nightly(self, table: str, version: int) -> bool:
        """Whether a table is partitioned by the night that wrote each row."""
        return bool(self._pinned(table, version).metadata().partition_columns == ["night"])

    def files(self, table: str, version: int) -> list[str]:
        """The Parquet files of a pinned version (partition columns stand in the paths only)."""
        return spark_tables.files(self._pinned(table, version), f"{self.path}/{table}")

    def same(self, table: str, version: int) -> bool:
        """Whether the newest version of a table holds what a version does."""
        newest = self.version(table)
        return newest == version or (
            newest is not None and self.files(table, newest) == self.files(table, version)
        )

    def frame(self, table: str, version: int) -> DataFrame:
        """A pinned version as a Spark frame."""
        return spark_tables.read(self.spark, self.url(table), self._pinned(table, version))

    def write_frame(self, table: str, frame: DataFrame, carry: Callable[[str], None] | None = None) -> int:
        """Writes a frame in place of a whole table and returns the version; ``carry`` writes one file more."""
        path = f"{self.path}/{table}"
        return spark_tables.write(frame, self.fs, path, self.url(table), NO_STATISTICS, carry)

    def write_answer(
        self,
        table: str,
        sql: str,
        tables: dict[str, Any],
        schema: pa.Schema,
        night: dt.date,
        after: dt.date | None,
        at_once: int = GROUP_ROWS,
    ) -> int:
        """As :meth:`write_night` DuckDB's answer to a SELECT.

        ``schema`` is the table's; ``sql`` answers with its columns but ``night``, ``at_once`` so many rows in memory.
        """
        with stream(sql, tables, at_once) as batches:
            return self._write_night(table, batches, schema, night, after)

    def write_night(
        self, table: str, rows: pa.RecordBatchReader, night: dt.date, after: dt.date | None = None
    ) -> int:
        """Writes Arrow rows of a night as a nightly table's and returns the version, no JVM.

        Such a table is partitioned by ``night`` and keeps earlier nights: everything after the night ``after`` (the
        last published one) is replaced, whatever columns it had.
        """
        names = [n for n in rows.schema.names if n != "night"]  # that stands in the path
        inside = pa.schema([rows.schema.field(n) for n in names])
        batches = pa.RecordBatchReader.from_batches(inside, (b.select(names) for b in rows))
        return self._write_night(table, batches, rows.schema, night, after)

    def _write_night(
        self,
        table: str,
        batches: pa.RecordBatchReader,
        schema: pa.Schema,
        night: dt.date,
        after: dt.date | None,
    ) -> int:
        return spark_tables.commit(
            self.url(table),
            Schema.from_arrow(schema),
            self.store_night(table, batches, night),
            NO_STATISTICS,
            "night",
            after.isoformat() if after else None,
        )

    def write_arrow(self, table: str, data: pa.Table) -> int:
        """Writes Arrow data in place of a whole table and returns the version, no JVM."""
        write_deltalake(
            self.url(table), data, mode="overwrite", schema_mode="overwrite", configuration=NO_STATISTICS
        )
        version = self.version(table)
        assert version is not None
        return version

    def parquet(self, files: list[str]) -> DataFrame:
        """Parquet files of the lake (landing) as one Spark frame."""
        return self.spark.read.parquet(*[f"{self.root}/{f}" for f in files])

    def landed(self, files: list[str]) -> pads.Dataset:
        """The same as an Arrow dataset, no JVM."""
        return pads.dataset([f"{self.path}/{f}" for f in files], filesystem=self.fs, format="parquet")

    def empty(self, ddl: str) -> DataFrame:
        """A frame of a DDL without rows."""
        from pyspark.sql.types import StructType

        spark = self.spark  # before the DDL, which is parsed there
        schema = StructType.fromDDL(ddl)
        assert isinstance(schema, StructType)
        return spark_tables.empty(spark, schema)

    def scratch(self, name: str, frame: DataFrame) -> DataFrame:
        """A frame evaluated once: written to the scratch folder and read back; known as empty where it is."""
        folder = f"{self.root}/_scratch/{name}"
        frame.write.mode("overwrite").parquet(folder)
        if not self.scratched(name).count_rows():
            return spark_tables.empty(self.spark, frame.schema)
        return self.spark.read.schema(frame.schema).parquet(folder)

    def among(
        self, table: str, version: int, where: str, keys: Any, columns: Sequence[str], name: str
    ) -> DataFrame:
        """A pinned version's rows that a condition on a table ``keys`` holds for: what a night needs of what is stored.

        Found by DuckDB in one pass over the columns that are asked for, evaluated once. Spark would put the whole
        table in order for it.
        """
        schema = spark_tables.schema(self._pinned(table, version), columns)
        names = ", ".join(f'"{c}"' for c in columns)
        tables = {"data": parquet_files.rows(self, table, version), "keys": keys}
        found = self.answer(name, f"SELECT {names} FROM data WHERE {where}", tables, schema)
        return spark_tables.empty(self.spark, schema) if found is None else found

    def answer(self, name: str, sql: str, tables: dict[str, Any], schema: StructType) -> DataFrame | None:
        """The answer of DuckDB to a SELECT as a frame of a schema, evaluated once; None where it is empty."""
        if not self.keep_scratch(name, sql, tables):
            return None
        return self.spark.read.schema(schema).parquet(f"{self.root}/_scratch/{name}")

    def keep_scratch(self, name: str, sql: str, tables: dict[str, Any]) -> int:
        """Keeps DuckDB's answer to a SELECT for :meth:`scratched`, no JVM; returns its rows."""
        folder = f"{self.path}/_scratch/{name}"
        if self.fs.exists(folder):  # of a run that was killed
            self.fs.rm(folder, recursive=True)
        return self.store(sql, tables, f"{folder}/rows.parquet")

    def store(self, sql: str, tables: dict[str, Any], path: str) -> int:
        """Writes the answer to a SELECT as one Parquet file; returns its rows."""
        with stream(sql, tables, GROUP_ROWS) as batches:
            return self._store(batches, path)

    def _store(self, batches: pa.RecordBatchReader, path: str) -> int:
        self.fs.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
        rows = 0
        with (
            self.fs.open(path, "wb") as out,
            pq.ParquetWriter(out, batches.schema, compression="snappy", write_statistics=False) as writer,
        ):
            for batch in batches:
                writer.write_batch(batch)
                rows += batch.num_rows
        return rows

    def store_night(self, table: str, batches: pa.RecordBatchReader, night: dt.date) -> list[AddAction]:
        """Writes rows as a night's file of a nightly table; what to commit of it, if any."""
        place = f"night={night.isoformat()}/{secrets.token_hex(8)}.parquet"
        path = f"{self.path}/{table}/{place}"
        if rows := self._store(batches, path):
            return [spark_tables.added(self.fs, path, place, rows, {"night": night.isoformat()})]
        self.fs.rm(path)
        return []

    def scratched(self, name: str) -> pads.Dataset:
        """What :meth:`scratch` or :meth:`keep_scratch` wrote, as an Arrow dataset, no JVM."""
        folder = f"{self.path}/_scratch/{name}"
        files = sorted(f for f in self.fs.ls(folder, detail=False, refresh=True) if f.endswith(".parquet"))
        return pads.dataset(files, filesystem=self.fs, format="parquet")

    def clear_scratch(self) -> None:
        """Removes the scratch folder."""
        if self.fs.exists(f"{self.path}/_scratch"):
            self.fs.rm(f"{self.path}/_scratch", recursive=True)

    def append_arrow(self, table: str, data: pa.Table) -> int:
        """Appends rows (accesses, publications) and returns the version; a column that is new is null in the old."""
        write_deltalake(
            self.url(table), data, mode="append", schema_mode="merge", configuration=NO_STATISTICS
        )
        version = self.version(table)
        assert version is not None
        self.newest.appended(table, version, data)
        return version

    # -- what a step leaves to later ones of the same night, until it is published
    def _work_folder(self, night: dt.date, name: str) -> str:
        return f"_runs/{night.isoformat()}/_work/{name}"

    def keep_work(self, night: dt.date, name: str, data: pa.Table | None) -> None:
        """Keeps a small table; None: that there is none."""
        folder = f"{self.path}/{self._work_folder(night, name)}"
        if data is not None:
            self.answer_work(night, name, "FROM data", {"data": data})
        elif self.fs.exists(folder):
            self.fs.rm(folder, recursive=True)

    def work(self, night: dt.date, name: str) -> pa.Table | None:
        """What :meth:`keep_work` has kept."""
        path = f"{self.path}/{self._work_folder(night, name)}/rows.parquet"
        return pq.read_table(path, filesystem=self.fs) if self.fs.exists(path) else None

    def answer_work(self, night: dt.date, name: str, sql: str, tables: dict[str, Any]) -> None:
        """Keeps DuckDB's answer to a SELECT, of any size."""
        self.store(sql, tables, f"{self.path}/{self._work_folder(night, name)}/rows.parquet")

    def worked(self, night: dt.date, name: str) -> pads.Dataset:
        """What :meth:`answer_work` has kept, as an Arrow dataset; AssentError where there is nothing."""
        folder = f"{self.path}/{self._work_folder(night, name)}"
        if not self.fs.exists(folder):
            raise AssentError(f"{name}: not written yet for {night}; run the earlier steps of the night")
        return pads.dataset(f"{folder}/rows.parquet", filesystem=self.fs, format="parquet")

    def work_frame(self, night: dt.date, name: str, ddl: str) -> DataFrame:
        """The same as a Spark frame."""
        self.worked(night, name)
        return self.spark.read.schema(ddl).parquet(f"{self.root}/{self._work_folder(night, name)}")

    # -- publications
    def publications(self) -> list[dict[str, Any]]:
        """Every publication, oldest first; ``tables`` parsed. Empty when nothing is published."""
        return list(self.newest.publications())

    def publication(self, as_of: dt.date | None = None) -> dict[str, Any] | None:
        """The newest publication on or before a night."""
        rows = [r for r in self.publications() if as_of is None or r["night"] <= as_of]
        return rows[-1] if rows else None
