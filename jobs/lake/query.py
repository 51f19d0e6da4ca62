"""query: one SELECT over the published tables, in DuckDB, without a JVM and without secrets.

The statement is parsed before any table is opened: it may name the views and nothing else, so neither the
restricted zone nor the vault nor a file can be reached, and only the views it names are opened.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from jobs.errors import AssentError, UsageError
from jobs.lake.answer import format_table
from jobs.lake.lake import Lake
from jobs.rules import floor
from schemas.contract import contracts
from schemas.tables import DELIVERIES, PUBLICATIONS, QUARANTINE, REGISTERS, SCORES, TABLES

__all__ = ["VIEWS", "Published", "format_table", "run_query"]

# Columns of the restricted and nightly tables that a reader may see (DESIGN 7).
PURGED = ("accepted/", "quarantine/", "doubts")
DELIVERY_COLUMNS = ["night", "feed", "file", "rows", "accepted", "quarantined", "duplicates"]
QUARANTINE_COLUMNS = ["night", "feed", "file", "row_number", "reasons"]
VIEWS = (
    "scores",
    "features",
    "registers",
    "deliveries",
    "quarantine",
    "publications",
    "notices",
    "disclosures",
    "approvals",
    "holds",
    "returns",
    "accesses",
)
TABLE_FUNCTIONS = frozenset({"unnest", "range", "generate_series"})
ONLY_SELECT = "only one SELECT statement can be run; remove the rest"


@dataclass(frozen=True)
class Statement:
    """A parsed statement, the views it reads, and whether it asks which views there are."""

    sql: str
    views: frozenset[str]
    lists_views: bool


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Every object of a parsed JSON tree, without recursion."""
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            yield node
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)


def _one_line(error: Exception) -> str:
    first = str(error).strip().splitlines() or [type(error).__name__]
    return first[0].replace("\x00", "")


def _path(node: dict[str, Any], name: str) -> list[str]:
    path = (node.get("qualified_name") or {}).get("path") or [node.get(name) or ""]
    return [str(p).strip('"').lower() for p in path if p]


def parse(con: duckdb.DuckDBPyConnection, sql: str) -> Statement:
    """The views that a statement reads; UsageError unless it is one SELECT over the views alone."""
    if "\x00" in sql:
        raise UsageError("the statement holds a NUL byte; remove it")
    try:
        kinds = [s.type.name for s in con.extract_statements(sql)]
    except duckdb.Error as e:
        raise UsageError(f"the statement cannot be read: {_one_line(e)}") from None
    if kinds == ["MULTI"]:
        raise UsageError("only one SELECT statement can be run; a PIVOT needs its values: PIVOT … IN (…)")
    if kinds != ["SELECT"]:
        raise UsageError(ONLY_SELECT)
    try:
        rows = con.execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchall()
        tree = json.loads(rows[0][0])
    except (duckdb.Error, RecursionError) as e:
        raise UsageError(f"the statement cannot be read: {_one_line(e)}") from None
    if tree.get("error") or len(tree.get("statements", ())) != 1:
        raise UsageError(ONLY_SELECT)
    return _checked(sql, tree)


def _checked(sql: str, tree: dict[str, Any]) -> Statement:
    ctes = {
        str(entry.get("key", "")).lower()
        for node in _nodes(tree)
        if isinstance(cte := node.get("cte_map"), dict)
        for entry in cte.get("map") or ()
    }
    found: set[str] = set()
    lists_views = False
    for node in _nodes(tree):
        kind = node.get("type")
        if kind == "BASE_TABLE":
            path = _path(node, "table_name")
            name = path[-1] if path else ""
            if len(path) > 1 and path not in ([["main", name], ["memory", "main", name]]):
                raise UsageError(f"{'.'.join(path)} is not a view; read one of {', '.join(VIEWS)}")
            if name in VIEWS:  # also where a WITH of that name hides it: the doubt goes against the statement
                found.add(name)
            elif len(path) > 1 or name not in ctes:
                raise UsageError(f"{name} is not a view; read one of {', '.join(VIEWS)}")
        elif kind == "TABLE_FUNCTION":
            function = node.get("function") or {}
            called = ".".join(_path(function, "function_name"))
            if called not in TABLE_FUNCTIONS:
                raise UsageError(f"{called or 'this table function'}() cannot be called; read a view instead")
        elif kind == "SHOW_REF" and not node.get("query"):
            shown = str(node.get("table_name") or "").strip('"').lower()
            if shown not in ("tables", *VIEWS):
                raise UsageError(f"SHOW {shown} cannot be run; read one of {', '.join(VIEWS)}")
            if shown == "tables":
                lists_views = True
            else:
                found.add(shown)
        elif kind in ("COLUMN_DATA", "BOUND_TABLE_REF", "DELIM_GET"):
            raise UsageError(ONLY_SELECT)
    if "registers" in found and found & {"scores", "features"}:
        raise UsageError(
            "scores or features and registers cannot be read in one statement (purpose limitation); "
            "run two statements"
        )
    return Statement(sql, frozenset(found), lists_views)


def _features_schema() -> pa.Schema:
    features = dict.fromkeys(f for p in floor.PURPOSES for f in floor.features_of(p))
    fields = [pa.field("person_id", pa.int64()), pa.field("purpose", pa.string())]
    fields += [pa.field("recipient", pa.string()), *(pa.field(f, pa.float64()) for f in features)]
    lists = pa.list_(pa.string())
    return pa.schema([*fields, pa.field("sources_used", lists), pa.field("suspended", lists)])


class Published:
    """The views as one publication, and what was written after it, shows them."""

    def __init__(self, lake: Lake, as_of: dt.date | None) -> None:
        self.lake, self.as_of = lake, as_of
        self.rows = lake.publications()
        known = [r for r in self.rows if as_of is None or r["night"] <= as_of]
        if not known:
            raise AssentError(
                f"nothing published on or before {as_of}; name a later night"
                if as_of
                else f"nothing published in {lake.root}; run `assent night` first"
            )
        self.publication = known[-1]
        self.night: dt.date = self.publication["night"]

    def before(self) -> Published | None:
        """The views of the published night before; None for the first."""
        earlier = [r["night"] for r in self.rows if r["night"] < self.night]
        return Published(self.lake, earlier[-1]) if earlier else None

    def pinned(self, table: str) -> Any:
        """A table at the publication's version as an Arrow dataset, or None.

        Of accepted and refused rows it is the newest publication's: they only gain nights, and what has been purged
        since is in no older version any more.
        """
        pin = (self.rows[-1] if table.startswith(PURGED) else self.publication)["tables"].get(table)
        return self.lake.dataset(table, int(pin["version"])) if pin else None

    def newest(self, table: str) -> Any:
        """A table that is written after publication, at its newest version, or None."""
        version = self.lake.version(table)
        return None if version is None else self.lake.dataset(table, version)

    def data(self, name: str) -> Any:
        """What the view of that name shows, but for the restricted columns: an Arrow dataset or table."""
        upto = pc.field("night") <= pa.scalar(self.night)
        if name in ("scores", "registers"):
            table = SCORES if name == "scores" else REGISTERS
            return self.pinned(name) or table.arrow().empty_table()
        if name == "features":
            return self.pinned(name) or _features_schema().empty_table()
        if name == "publications":
            return self._publications()
        if name == "deliveries":
            rows = self.pinned(name)
            return rows.filter(upto) if rows else DELIVERIES.arrow().empty_table()
        if name.startswith("quarantine/"):
            rows = self.pinned(name)
            return rows.filter(upto) if rows else QUARANTINE.arrow().empty_table()
        table = TABLES[name]
        rows = self.newest(name)
        if rows is None:
            return table.arrow().empty_table()
        if name != "accesses":
            return rows.filter(upto)
        if self.as_of is None:  # a look has a clock, no night
            return rows
        end = dt.datetime.combine(self.as_of + dt.timedelta(days=1), dt.time(), dt.UTC)
        return rows.filter(pc.field("accessed_at") < pa.scalar(end, pa.timestamp("us", tz="UTC")))

    def quarantines(self) -> list[str]:
        """The quarantine tables of this publication."""
        prefix = "quarantine/"
        return sorted(t for t in self.publication["tables"] if t.startswith(prefix)) or [
            f"{prefix}{f}" for f in contracts()
        ]

    def show(self, con: duckdb.DuckDBPyConnection, name: str) -> None:
        """Makes the view of that name."""
        columns = {"deliveries": DELIVERY_COLUMNS, "quarantine": QUARANTINE_COLUMNS}.get(name)
        if columns is None:
            con.register(name, self.data(name))
            return
        parts = []
        for table in self.quarantines() if name == "quarantine" else [name]:
            hidden = f"_{table.replace('/', '_')}"  # not a view: parse() refuses its name
            con.register(hidden, self.data(table))
            parts.append(f'SELECT {", ".join(columns)} FROM "{hidden}"')
        con.execute(f"CREATE TEMP VIEW {name} AS {' UNION ALL '.join(parts)}")

    def _publications(self) -> pa.Table:
        rows = [
            {n: json.dumps(r[n], sort_keys=True) if n == "tables" else r.get(n) for n in PUBLICATIONS.names}
            for r in self.rows
            if r["night"] <= self.night
        ]
        return pa.Table.from_pylist(rows, schema=PUBLICATIONS.arrow())


def _connect() -> duckdb.DuckDBPyConnection:
    """An empty database in memory that reaches no file, no network and no Python variable."""
    con = duckdb.connect(
        config={
            "python_enable_replacements": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )
    con.execute("SET TimeZone = 'UTC'")
    con.execute("SET temp_directory = ''")  # person keys are not spilled beside the caller
    con.execute("SET enable_external_access = false")
    return con


def run_query(lake: str, sql: str, as_of: dt.date | None = None) -> pa.Table:
    """The answer to one SELECT over the views of the night asked for (default: the last published one)."""
    con = _connect()
    try:
        statement = parse(con, sql)
        published = Published(Lake(lake), as_of)
        for name in sorted(statement.views):
            published.show(con, name)
        if statement.lists_views:
            for name in set(VIEWS) - statement.views:
                con.execute(f"CREATE TEMP TABLE {name} (person_id BIGINT)")
        con.execute("SET lock_configuration = true")
        answer = con.sql(statement.sql).to_arrow_table()
    except (duckdb.Error, pa.ArrowException) as e:
        raise UsageError(f"the statement cannot be run: {_one_line(e)}") from None
    finally:
        con.close()
    return _distinct_names(answer)


def _distinct_names(table: pa.Table) -> pa.Table:
    """Columns of one name told apart, so that no format loses one."""
    names: list[str] = []
    for name in table.column_names:
        new, n = name, 1
        while new in names:
            new, n = f"{name}_{n}", n + 1
        names.append(new)
    return table.rename_columns(names)
