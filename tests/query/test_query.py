"""`assent query`: what the views show on which night, and what a statement cannot reach."""

import datetime as dt
import io
import json
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.errors import AssentError, UsageError
from jobs.lake.answer import format_table
from jobs.lake.query import VIEWS, run_query

FIRST, SECOND = dt.date(2026, 11, 18), dt.date(2026, 11, 19)


def rows(lake, sql, as_of=None):
    return run_query(lake, sql, as_of).to_pylist()


SHOWN = {  # view: rows on the first night, on the second
    "scores": (3, 2),
    "features": (1, 1),
    "registers": (1, 1),
    "deliveries": (1, 2),
    "quarantine": (1, 2),
    "publications": (1, 2),
    "notices": (1, 2),
    "disclosures": (1, 2),
    "approvals": (0, 0),
    "holds": (0, 0),
    "returns": (0, 0),
    "accesses": (0, 1),
}


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_shows_its_night(lake, view):
    counts = tuple(rows(lake, f"select count(*) n from {view}", d)[0]["n"] for d in (FIRST, SECOND))
    assert counts == SHOWN[view]
    assert rows(lake, f"select count(*) n from {view}")[0]["n"] == SHOWN[view][1]


def test_a_night_that_is_not_published_is_not_seen(lake):
    later = dt.date(2026, 11, 25)
    assert rows(lake, "select distinct score from scores", later) == [{"score": 701}]


def test_the_columns_are_those_promised(lake):
    promised = {
        "registers": "register feed record_id person_id recipient state listed since cause",
        "deliveries": "night feed file rows accepted quarantined duplicates",
        "quarantine": "night feed file row_number reasons",
    }
    for view, names in promised.items():
        names_shown = run_query(lake, f"from {view}").column_names
        assert sorted(names_shown) == sorted(names.split())


def test_before_the_first_night(lake):
    with pytest.raises(AssentError, match="nothing published on or before 2026-11-17") as e:
        run_query(lake, "from scores", dt.date(2026, 11, 17))
    assert e.value.status == 1


ALLOWED = [
    "select purpose, status, count(*) from scores group by all",
    "with best as (select max(score) m from scores) select * from best",
    "select * from (values (1), (2)) v(x), range(2), unnest([1, 2])",
    "from scores join features using (person_id)",
    "from main.scores",
    'select * from "Scores"',
    "from registers join disclosures using (person_id)",
    "describe scores",
    "summarize registers",
    "select night::varchar from deliveries union all select feed from quarantine",
    "with recursive r(n) as (select 1 union all select n + 1 from r where n < 3) from r",
]


@pytest.mark.parametrize("sql", ALLOWED)
def test_an_allowed_statement_is_answered(lake, sql):
    assert run_query(lake, sql).num_rows > 0


def test_show_tables_names_the_views(lake):
    assert {r["name"] for r in rows(lake, "show tables")} == set(VIEWS)


TOGETHER = [
    "select * from scores, registers",
    "select * from features natural join registers",
    "with s as (select * from scores) select * from s join registers using (person_id)",
    "select (select count(*) from registers) from scores",
    "from scores where person_id in (select person_id from registers)",
    "select person_id from scores union all select person_id from registers",
    "from scores limit (select count(*) from registers)",
    "from scores order by (select max(person_id) from registers)",
    "select sum(score) over (order by (select 1 from registers)) from scores",
    "with scores as (select * from registers) select * from scores",
    "with r as materialized (from Registers) select * from (from SCORES) s, lateral (from r) t",
    "from registers semi join scores using (person_id)",
    "select * from " + ", ".join(VIEWS),
    "select * from (summarize scores), registers",
    "select case when exists(from registers) then 1 end from features",
]


@pytest.mark.parametrize("sql", TOGETHER)
def test_scores_and_registers_are_never_read_together(lake, sql):
    with pytest.raises(UsageError, match="purpose limitation"):
        run_query(lake, sql)


HOSTILE = [
    "",
    ";",
    "select 1; select 2",
    "select 1; drop view scores",
    "create table t as from scores",
    "create view both_ as from scores",
    "create macro m() as table (from registers)",
    "copy scores to '{dir}/out.csv'",
    "copy (from scores) to '{dir}/out.parquet' (format parquet)",
    "export database '{dir}/db'",
    "attach '{dir}/x.db'",
    "install httpfs",
    "load httpfs",
    "pragma database_list",
    "set enable_external_access = true",
    "reset lock_configuration",
    "call duckdb_settings()",
    "prepare p as from scores",
    "explain analyze from scores",
    "insert into scores values (1)",
    "delete from scores",
    "update scores set score = 950",
    "vacuum",
    "checkpoint",
    "begin transaction",
    "use memory",
    "select * from read_parquet('{lake}/vault/*.parquet')",
    "select * from '{lake}/vault/*.parquet'",
    'select * from "{lake}/accepted/court/*.parquet"',
    "select * from parquet_metadata('{lake}/vault/*.parquet')",
    "select * from read_text('{lake}/_lake.json')",
    "select * from read_blob('/etc/passwd')",
    "select * from read_csv('/etc/passwd')",
    "select * from read_json('{lake}/_lake.json')",
    "select * from glob('{lake}/**')",
    "select * from sniff_csv('/etc/passwd')",
    "select * from delta_scan('{lake}/vault')",
    "select * from arrow_scan(1, 2, 3)",
    "select * from arrow_scan_dumb(1, 2, 3)",
    "select * from pandas_scan(1)",
    "select * from python_map_function(1)",
    "select * from query('select * from registers')",
    "select * from query_table('registers')",
    "select * from query_table(['scores', 'registers'])",
    "select * from from_substrait('x'::blob)",
    "select * from json_execute_serialized_sql('x')",
    "select * from duckdb_views()",
    "select * from duckdb_tables()",
    "select * from duckdb_settings()",
    "select * from pragma_table_info('scores')",
    "select * from system.main.range(3)",
    "select * from information_schema.tables",
    "select * from pg_catalog.pg_tables",
    "select * from sqlite_master",
    "select * from duckdb_views",
    "select * from vault",
    "select * from accepted",
    "select * from _quarantine_court",
    "select * from _deliveries",
    "select * from temp._quarantine_court",
    "select * from temp.main.scores",
    "select * from other.scores",
    "select * from statement",
    "select * from published",
    "select * from con",
    "select (select national_id from vault)",
    "with x as (select verbatim from _quarantine_court) select * from x",
    "select verbatim from quarantine",
    "select national_id from quarantine",
    "select nope from scores",
    "selec 1",
    "select 'x'::int from scores",
    "show databases",
    "pivot scores on purpose using count(*)",
    "select getenv('HOME')",
    "select * from scores at (version => 0)",
    "select\x00 1",
]


@pytest.mark.parametrize("sql", HOSTILE)
def test_a_hostile_statement_is_one_line_of_wrong_use(lake, scratch, sql):
    before = sorted(scratch.rglob("*"))
    with pytest.raises(UsageError) as e:
        run_query(lake, sql.replace("{lake}", lake).replace("{dir}", str(scratch)))
    assert e.value.status == 2
    assert "\n" not in str(e.value)
    assert "SECRET" not in str(e.value)
    assert sorted(scratch.rglob("*")) == before


def test_no_answer_holds_the_verbatim_row(lake):
    for view in VIEWS:
        assert "SECRET" not in str(rows(lake, f"from {view}"))


def test_without_a_lake(tmp_path):
    with pytest.raises(AssentError):
        run_query(str(tmp_path / "none"), "from scores")


TABLE = pa.table(
    {
        "night": pa.array([FIRST, None], pa.date32()),
        "at": pa.array([dt.datetime(2026, 11, 18, 21, 4, 5, tzinfo=dt.UTC), None]),
        "codes": [["A", "B"], None],
        "total": pa.array([7, None], pa.decimal128(38, 0)),
        "listed": [True, None],
    }
)


def test_formats():
    assert json.loads(format_table(TABLE, "json")) == [
        {
            "night": "2026-11-18",
            "at": "2026-11-18T21:04:05Z",
            "codes": ["A", "B"],
            "total": 7,
            "listed": True,
        },
        dict.fromkeys(TABLE.column_names),
    ]
    assert format_table(TABLE, "csv").decode().splitlines() == [
        "night,at,codes,total,listed",
        '2026-11-18,2026-11-18T21:04:05Z,"[""A"", ""B""]",7,true',
        ",,,,",
    ]
    assert pq.read_table(io.BytesIO(format_table(TABLE, "parquet"))).equals(TABLE)
    text = format_table(TABLE, "table").decode()
    assert "A, B" in text
    assert text.endswith("(2 rows)\n")
    assert json.loads(format_table(TABLE.slice(0, 0), "json")) == []
    with pytest.raises(UsageError):
        format_table(TABLE, "xml")


def test_two_columns_of_one_name_are_both_kept(lake):
    assert rows(lake, "select 1 as a, 2 as a") == [{"a": 1, "a_1": 2}]


def test_no_jvm_and_no_heavy_import_and_soon(lake):
    code = (
        "import sys; from jobs.lake.query import run_query, format_table;"
        f"sys.stdout.buffer.write(format_table(run_query({lake!r}, 'select count(*) from scores'), 'json'));"
        "bad = {'pyspark', 'great_expectations', 'airflow'} & set(sys.modules);"
        "sys.exit(f'imported {bad}' if bad else 0)"
    )
    began = time.monotonic()
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, cwd=root)
    assert (
        time.monotonic() - began < 10
    )  # the promise is 3 s; benchmarks/ holds the measure on a quiet machine
