"""A night's features and scores by the SQL of this folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from benchmarks.oracle.published import FEEDS, Publication
from benchmarks.oracle.scorecard import scored

SQL = Path(__file__).parent / "sql"
SOURCES = ("court", "education", "tax", "traffic", "transactions")
# in their order: words of the rules, then what each needs of the ones before
SCRIPTS = ("0_rules", "1_feeds", "2_people", "3_records", "4_consents", *SOURCES)
# columns that are read of a refused row; `verbatim` holds an identity and goes no further than the SQL
REFUSED = pa.schema(
    [
        ("night", pa.date32()),
        ("feed", pa.string()),
        ("person_id", pa.int64()),
        ("record_key", pa.string()),
        ("contested", pa.bool_()),
        ("verbatim", pa.string()),
    ]
)


def connect(threads: int | None = None, spill: str = "") -> duckdb.DuckDBPyConnection:
    """A database in memory; ``spill`` is a folder for what does not fit."""
    con = duckdb.connect(config={"python_enable_replacements": False, "temp_directory": spill})
    con.execute("SET TimeZone = 'UTC'")
    if threads:
        con.execute(f"SET threads = {threads}")
    return con


def _inputs(con: duckdb.DuckDBPyConnection, published: Publication) -> None:
    con.execute("SET VARIABLE night = ?::DATE", [published.night])
    con.register("doubts", published.table("doubts") or REFUSED.empty_table())
    refused = []
    for feed in FEEDS:
        rows = published.table(f"accepted/{feed}")
        if rows is None:
            raise SystemExit(
                f"oracle: {published.night} has no accepted/{feed}; every feed must deliver once"
            )
        con.register(f"accepted_{feed}", rows)
        con.register(f"refused_{feed}", published.table(f"quarantine/{feed}") or REFUSED.empty_table())
        names = ", ".join(REFUSED.names)
        con.execute(
            f"CREATE OR REPLACE TEMP VIEW quarantine_{feed} AS SELECT {names} FROM refused_{feed} "
            f"UNION ALL SELECT {names} FROM doubts WHERE feed = '{feed}'"
        )
        refused.append(f"SELECT {names} FROM quarantine_{feed}")
    con.execute(f"CREATE OR REPLACE TEMP VIEW quarantine AS {' UNION ALL '.join(refused)}")
    con.register("deliveries", published.table("deliveries"))


def _policy(con: duckdb.DuckDBPyConnection, published: Publication) -> None:
    policy = published.policy()
    pairs = [
        {"purpose": name, "source": source, "recipient": recipient, "since": p["since"]}
        for name, p in policy["purposes"].items()
        for source in p["sources"]
        for recipient in p["recipients"]
    ]
    con.register("policy_pairs", pa.Table.from_pylist(pairs))
    required = [{"purpose": c["purpose"], "source": s} for c in published.scorecards() for s in c["required"]]
    con.register("policy_required", pa.Table.from_pylist(required))
    extended = pa.array(policy.get("dispute_extensions") or [], pa.string())
    con.register("policy_extensions", pa.table({"dispute_id": extended}))
    named = {name: list(register["authorities"]) for name, register in policy["registers"].items()}
    con.execute("SET VARIABLE authorities = ?::MAP(VARCHAR, VARCHAR[])", [named])


def _features(con: duckdb.DuckDBPyConnection) -> str:
    """SQL of the table ``features``: each source's columns where this very application may read them tonight."""
    columns, used, hidden, joins = [], [], [], []
    for source in SOURCES:
        names = [r[0] for r in con.execute(f"DESCRIBE of_{source}").fetchall()]
        own = [n for n in names if n not in ("person_id", "present", "suspended")]
        fresh = f"(SELECT fresh FROM feeds WHERE feed = '{source}')"
        readable = f"(list_contains(sources, '{source}') AND {fresh})"
        joins.append(f"LEFT JOIN of_{source} USING (person_id)")
        used.append(f"CASE WHEN {readable} AND of_{source}.present THEN ['{source}'] ELSE [] END")
        hidden.append(f"CASE WHEN {readable} THEN coalesce(of_{source}.suspended, []) ELSE [] END")
        columns += [
            f"CASE WHEN {readable} AND NOT list_contains(of_{source}.suspended, '{n}')\n"
            f"     THEN of_{source}.{n} END::DOUBLE AS {n}"
            for n in own
        ]
    return (
        f"SELECT person_id, purpose, recipient, {', '.join(columns)},\n"
        f"list_sort({' || '.join(used)}) AS sources_used, list_sort({' || '.join(hidden)}) AS suspended\n"
        f"FROM applications {' '.join(joins)}"
    )


def compute(con: duckdb.DuckDBPyConnection, published: Publication) -> None:
    """Makes the tables ``features`` and ``scores`` of a published night."""
    _inputs(con, published)
    _policy(con, published)
    for script in SCRIPTS:
        con.execute((SQL / f"{script}.sql").read_text(encoding="utf-8"))
    con.execute(f"CREATE OR REPLACE TEMP TABLE features AS {_features(con)}")
    cards: list[Any] = published.scorecards()
    con.execute(f"CREATE OR REPLACE TEMP TABLE scores AS {' UNION ALL '.join(scored(c) for c in cards)}")
