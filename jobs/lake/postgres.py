"""Deliveries in PostgreSQL, read through ADBC as Arrow batches.

``postgresql://user@host/db?schema=deliveries``: each table of the schema that is named as a feed, with the contract's
columns and ``delivered_on date``. Each day of ``delivered_on`` is one delivery, taken once; its file is
``<date>/<feed>.postgresql``. Everything is cast to the text that a CSV of it would hold, by the server, in key order.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import adbc_driver_manager
import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa
import pyarrow.csv as pacsv

from jobs.errors import AssentError, UnreachedError
from jobs.lake.deliveries import Delivered, shown
from jobs.lake.parquet_reader import text_batch
from jobs.lake.readers import Header, Stopped, Valid
from schemas.contract import Contract

DAY = "delivered_on"
Columns = dict[str, str]


def quoted(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """An SQL string."""
    return "'" + text.replace("'", "''") + "'"


def rendered(name: str, kind: str, wanted: str) -> str:
    """SQL of a column's canonical text: dates ISO, timestamps UTC, whole numbers without decimals; empty is null."""
    column = quoted(name)
    if kind.startswith("timestamp"):
        utc = f"({column} at time zone 'UTC')" if kind == "timestamp with time zone" else column
        iso = f"""rtrim(rtrim(to_char({utc}, 'YYYY-MM-DD"T"HH24:MI:SS.US'), '0'), '.') || 'Z'"""
        if wanted == "date":
            iso = (
                f"case when {utc} = date_trunc('day', {utc}) then to_char({utc}, 'YYYY-MM-DD') else {iso} end"
            )
        return f"case when isfinite({column}) then {iso} else {column}::text end"
    if kind == "numeric":
        return f"trim_scale({column})::text"
    return f"nullif({column}::text, '')"


class PostgresSource:
    """The deliveries in one schema of a database, as they are when it is opened (one snapshot)."""

    def __init__(self, url: str) -> None:
        self.place = shown(url)
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query))
        self.schema = query.pop("schema", "public")
        address = urlunsplit(parts._replace(query=urlencode(query)))
        with self._reaching():
            self.connection = adbc.connect(address)
            self._run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            self._run("SET LOCAL DateStyle = 'ISO, YMD'")
            known = self._rows(
                f"SELECT count(*) FROM information_schema.schemata WHERE schema_name = {literal(self.schema)}"
            )
            self.tables = self._tables()
        if known[0][0] == 0 and not self.tables:
            raise AssentError(f"deliveries {self.place}: no schema {self.schema!r}; mend --deliveries")

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        """Faults of the server in one line; its own text may hold what must not be shown."""
        try:
            yield
        except adbc_driver_manager.Error as e:
            raise UnreachedError(
                f"deliveries {self.place}: PostgreSQL refuses ({e.sqlstate or type(e).__name__}); "
                "check address, user, password and rights"
            ) from None

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except (adbc_driver_manager.Error, pa.ArrowException, OSError) as e:
            raise Stopped(
                "unreadable", f"the table cannot be read ({type(e).__name__}); check its rights and columns"
            ) from None

    def _run(self, sql: str) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(sql)

    def _rows(self, sql: str) -> list[Any]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    def _tables(self) -> dict[str, Columns]:
        """Each table's columns and their types."""
        found: dict[str, Columns] = {}
        for table, column, kind in self._rows(
            "SELECT table_name::text, column_name::text, data_type::text FROM information_schema.columns "
            f"WHERE table_schema = {literal(self.schema)} ORDER BY table_name, ordinal_position"
        ):
            found.setdefault(table, {})[column] = kind
        return found

    def _table(self, feed: str) -> str:
        return f"{quoted(self.schema)}.{quoted(feed)}"

    def files(self, night: dt.date, feeds: Sequence[str]) -> tuple[list[Delivered], list[str]]:
        """See :class:`~jobs.lake.deliveries.Source`. A table of a feed without ``delivered_on`` belongs to none."""
        found, strange = [], []
        for table, columns in self.tables.items():
            if table not in feeds or columns.get(DAY) != "date":
                strange.append(f"{self.schema}.{table}")
                continue
            with self._reaching():
                days = self._rows(
                    f"SELECT DISTINCT {DAY}::text FROM {self._table(table)} "
                    f"WHERE {DAY} <= DATE {literal(night.isoformat())} AND isfinite({DAY})"
                )
                undated = self._rows(f"SELECT count(*) FROM {self._table(table)} WHERE {DAY} IS NULL")
            if undated[0][0]:
                strange.append(f"{self.schema}.{table} ({undated[0][0]} rows without {DAY})")
            for (day,) in days:
                when = dt.date.fromisoformat(day)
                found.append(Delivered(table, f"{day}/{table}.postgresql", when, table, "postgresql"))
        return sorted(found, key=lambda d: d.file), strange

    def _names(self, delivered: Delivered, contract: Contract) -> tuple[list[str], list[str]]:
        """The contract's columns in a table, in contract order, and those left out."""
        header = Header(contract, [c for c in self.tables[delivered.path] if c != DAY])
        return [n for n in contract.names if n in header.names], header.ignored

    def _read(self, delivered: Delivered, contract: Contract, names: list[str]) -> Iterator[pa.RecordBatch]:
        columns = self.tables[delivered.path]
        cells = ", ".join(f"{rendered(n, columns[n], contract.column(n).type)} AS {quoted(n)}" for n in names)
        order = [contract.key, *(n for n in names if n != contract.key)]
        sql = (
            f"SELECT * FROM (SELECT {cells} FROM {self._table(delivered.path)} "
            f"WHERE {DAY} = DATE {literal(delivered.delivered_on.isoformat())}) AS cells "
            f'ORDER BY {", ".join(f"""{quoted(n)} COLLATE "C" NULLS FIRST""" for n in order)}'
        )
        with self._reading(), self.connection.cursor() as cursor:
            cursor.execute(sql)
            yield from cursor.fetch_record_batch()

    def measure(self, delivered: Delivered, contract: Contract) -> tuple[int, str]:
        """Of the rows as CSV, in their order."""
        names, _ = self._names(delivered, contract)
        sink = _Digest()
        schema = pa.schema([(n, pa.string()) for n in names])
        with pacsv.CSVWriter(pa.PythonFile(sink, mode="w"), schema) as writer, self._reading():
            for batch in self._read(delivered, contract, names):
                writer.write_batch(batch.cast(schema))
        return sink.bytes, sink.digest.hexdigest()

    def checksum(self, delivered: Delivered) -> str | None:
        """None: a table has none."""
        return None

    def signature(self, delivered: Delivered) -> bytes | None:
        """None: rows of a table carry no signature, so consents from here are unattested."""
        return None

    @contextmanager
    def as_file(self, delivered: Delivered) -> Iterator[Path]:
        """Stopped: a table is no file."""
        raise Stopped("unreadable", "a table is no file")
        yield  # pragma: no cover

    def batches(
        self, delivered: Delivered, contract: Contract, told: list[str], valid_id: Valid
    ) -> Iterator[pa.RecordBatch]:
        """See :class:`~jobs.lake.deliveries.Source`."""
        names, ignored = self._names(delivered, contract)
        told.extend(ignored)
        for batch in self._read(delivered, contract, names):
            with self._reading():
                made = text_batch(batch, names, contract, valid_id)
            yield made


class _Digest:
    """A file that keeps its length and SHA-256 only."""

    def __init__(self) -> None:
        self.bytes, self.digest, self.closed = 0, hashlib.sha256(), False

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        self.bytes += len(data)
        return len(data)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True
