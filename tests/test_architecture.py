"""The habits that keep the code as it is laid out, held by reading the code itself."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
JOBS = sorted(p for p in (ROOT / "jobs").rglob("*.py"))


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=name(path))


def imported(path: Path) -> set[str]:
    """Every module that a file imports, wherever in it, but for type checking alone."""
    found: set[str] = set()
    stack: list[ast.AST] = [tree(path)]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            stack.extend(node.orelse)
            continue
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{a.name}" for a in node.names)}
        stack.extend(ast.iter_child_nodes(node))
    return found


def of(found: set[str], *packages: str) -> set[str]:
    return {f for f in found if any(f == p or f.startswith(f"{p}.") for p in packages)}


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Every call with the dotted text of what is called."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def ids(paths: list[Path]) -> list[str]:
    return [name(p) for p in paths]


# -- rules, feeds and contracts are pure
PURE = [
    *sorted((ROOT / "jobs" / "rules").glob("*.py")),
    *sorted((ROOT / "jobs" / "feeds").glob("*.py")),
    *sorted((ROOT / "schemas").glob("*.py")),
    *sorted((ROOT / "expectations").glob("*.py")),
]
# schemas/render.py writes the repository's own documents, from main() alone, and never the lake
WRITES_DOCUMENTS = "schemas/render.py"
IO = (
    "jobs.lake os pathlib shutil tempfile glob fsspec deltalake duckdb requests urllib http socket subprocess "
    "adbc_driver_manager adbc_driver_postgresql sqlite3 pyarrow.parquet pyarrow.dataset pyarrow.fs pyarrow.csv "
    "great_expectations airflow"
).split()


@pytest.mark.parametrize("path", PURE, ids=ids(PURE))
def test_rules_feeds_and_contracts_do_no_input_or_output(path):
    found = of(imported(path), *IO)
    if name(path) == WRITES_DOCUMENTS:
        found -= {"pathlib", "pathlib.Path"}
    assert not found
    assert [c for c, _ in calls(path) if c in ("open", "print", "input") or c.endswith(".collect")] == []


def test_the_import_contracts_hold():
    command = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run(
        [command, "--config", ".importlinter", "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 kept, 0 broken" in done.stdout


# -- DAG files say when, and in which order
DAGS = sorted((ROOT / "dags").glob("*.py"))


@pytest.mark.parametrize("path", DAGS, ids=ids(DAGS))
def test_a_dag_file_imports_no_spark_and_no_storage(path):
    assert not of(imported(path), "pyspark", "delta", "deltalake", "fsspec", "jobs.lake", "pyarrow")


@pytest.mark.parametrize("path", DAGS, ids=ids(DAGS))
def test_reading_a_dag_file_loads_no_spark(path, tmp_path):
    code = (
        "import runpy, sys; runpy.run_path(sys.argv[1]); "
        "print(sorted(m for m in sys.modules if m.split('.')[0] in ('pyspark', 'delta', 'deltalake')))"
    )
    env = {**os.environ, "AIRFLOW_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    env["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
    done = subprocess.run([sys.executable, "-c", code, path], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


# -- one place touches storage
OUTSIDE = {
    "jobs/generate": "makes deliveries: what an agency would write, before any lake",
    "jobs/demo.py": "sets up and runs the demo in its own folder, reads the generator's truth",
}
STEPS = [p for p in JOBS if not name(p).startswith(("jobs/lake/", *OUTSIDE))]
STORAGE = (
    "fsspec s3fs sshfs deltalake delta adbc_driver_manager adbc_driver_postgresql boto3 sqlite3 "
    "pyarrow.parquet pyarrow.dataset pyarrow.fs pyarrow.csv"
).split()
FILE_METHODS = ("read_text", "write_text", "read_bytes", "write_bytes", "unlink", "rmtree")


def storage_touched(path: Path) -> list[str]:
    """Lines where a module reads or writes storage itself."""
    found = sorted(of(imported(path), *STORAGE))
    for node in ast.walk(tree(path)):
        # spark.read.format(…), frame.write.mode(…): the reader or writer itself is used, not a method of ours
        if not (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute)):
            continue
        if node.value.attr in ("read", "write", "readStream", "writeStream"):
            found.append(f"{node.lineno}: {ast.unparse(node)}")
    for called, node in calls(path):
        last = called.rsplit(".", 1)[-1]
        if called == "open" or called.endswith((".writeTo", ".saveAsTable", ".read.table")):
            found.append(f"{node.lineno}: {called}")
        if last in FILE_METHODS and ".lake." not in called:
            found.append(f"{node.lineno}: {called}")
    return found


@pytest.mark.parametrize("path", STEPS, ids=ids(STEPS))
def test_only_the_lake_touches_storage(path):
    assert storage_touched(path) == []


@pytest.mark.parametrize(
    "line",
    [
        "spark.read.parquet('x')",
        "frame.write.mode('overwrite').save('x')",
        "open('x')",
        "import fsspec",
        "from pyarrow import parquet",
        "def f():\n    from deltalake import write_deltalake",
        "Path('x').write_text('y')",
    ],
)
def test_touching_storage_is_seen(line, tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    path = tmp_path / "x.py"
    path.write_text(line)
    assert storage_touched(path)


# -- consent is applied in one module
CONSENT_DATES = re.compile(r"\b(granted_on|withdrawn_on)\b")
KNOWS_CONSENT_DATES = {
    "jobs/rules/consent.py": "decides who may be scored, for what, for whom and from which source",
    "jobs/conform.py": "hands consent.py its frames; the day of an erasure bounds the consents before it",
    "jobs/rules/due.py": "names whom a day touches, so that consent.py decides on them again",
    "jobs/rules/matching.py": "refuses a consent rewritten, and rows of erased people",
    "jobs/validate.py": "which rows of an erased person came after a consent granted later",
    "jobs/rules/doubt.py": "a refused row that fills withdrawn_on puts the consent in doubt",
    "jobs/feeds/consents.py": "checks of the rows of the feed",
    "jobs/rules/consent_causes.py": "says why a consent was live on one night and not on another",
    "jobs/lake/history.py": "names the columns that consent_causes.py reads",
    "jobs/lake/explain.py": "shows the dates of the consents that were applied",
    "jobs/lake/explained.py": "words for them",
    "jobs/rules/retention.py": "whose rows are kept for a consent that is live or was of late; decides on no score",
}


def test_consent_dates_are_read_in_few_modules_each_with_its_reason():
    found = {name(p) for p in JOBS if CONSENT_DATES.search(p.read_text(encoding="utf-8"))}
    assert {f for f in found if not f.startswith("jobs/generate")} <= set(KNOWS_CONSENT_DATES)


def test_live_consents_are_decided_once():
    callers = {
        name(p) for p in JOBS for called, _ in calls(p) if called.rsplit(".", 1)[-1] == "live_consents"
    }
    assert callers == {"jobs/conform.py"}


# what features and score may read: conform has left in these only what a consent covers
READS = {"frame", "frame_before", "touched_frame", "among_before", "arrow", "dataset"}
AFTER_CONSENT = re.compile(r"^(conformed/.*|features|scores)$")


@pytest.mark.parametrize("step", ["features", "score"])
def test_nothing_reads_around_consent(step):
    path = ROOT / "jobs" / f"{step}.py"
    tables = []
    for called, node in calls(path):
        if called.startswith("night.") and called.rsplit(".", 1)[-1] in READS:
            tables.append(ast.unparse(node.args[0]).strip("f").strip("'\""))
    assert tables
    assert [t for t in tables if not AFTER_CONSENT.match(t)] == []
    assert "accepted/" not in path.read_text(encoding="utf-8")


# -- a night is handed in
CLOCKS = {"now", "today", "utcnow", "current_date", "current_timestamp", "localtimestamp", "unix_timestamp"}
LOOKS = {  # a clock by definition
    ("jobs/lake/actor.py", "dt.datetime.now"),  # when somebody looked or decided
    ("jobs/lake/statements.py", "dt.datetime.now"),  # whether a statement still holds for who reads it
    ("jobs/lake/delivery.py", "dt.datetime.now"),  # when a package arrived
    ("jobs/lake/openpgp.py", "dt.datetime.now"),  # a key's last day is the world's, not the night's
}
SQL_CLOCK = re.compile(r"\b(current_date|current_timestamp|now\(\)|getdate\(\)|today\(\))", re.IGNORECASE)


def test_no_job_asks_what_time_it_is():
    found = set()
    for path in [*JOBS, *PURE]:
        for called, node in calls(path):
            if called.rsplit(".", 1)[-1] in CLOCKS and (node.args or called != "unix_timestamp"):
                found.add((name(path), called))
        for node in ast.walk(tree(path)):
            text = node.value if isinstance(node, ast.Constant) else None
            if isinstance(text, str) and SQL_CLOCK.search(text) and not _docstring(text, path):
                found.add((name(path), text))
    assert found == LOOKS


def _docstring(text: str, path: Path) -> bool:
    return any(
        isinstance(owner, ast.Module | ast.ClassDef | ast.FunctionDef)
        and owner.body
        and isinstance(owner.body[0], ast.Expr)
        and isinstance(owner.body[0].value, ast.Constant)
        and owner.body[0].value.value == text
        for owner in ast.walk(tree(path))
    )


# -- nothing leaves Spark row by row
UDFS = {
    "udf", "pandas_udf", "udtf", "mapInPandas", "mapInArrow", "applyInPandas", "applyInArrow", "foreach",
    "foreachPartition", "mapPartitions", "rdd", "toPandas", "toLocalIterator", "toArrow",
}  # fmt: skip


def test_no_python_function_runs_on_rows_of_a_frame():
    found = []
    for path in JOBS:
        for node in ast.walk(tree(path)):
            word = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", None)
            if word in UDFS:
                found.append(f"{name(path)}:{node.lineno} {word}")
    assert found == []


# how many collect() a module has, and what bounds their rows
COLLECTS = {
    "jobs/features.py": (1, "a row a feed"),
    "jobs/registers.py": (1, "a row a feed"),
}


def test_what_is_collected_is_bounded():
    found: dict[str, int] = {}
    for path in JOBS:
        count = sum(called.endswith(".collect") for called, _ in calls(path))
        if count:
            found[name(path)] = count
    assert found == {k: n for k, (n, _) in COLLECTS.items()}


# -- modules are one concept each
@pytest.mark.parametrize(
    "path", [*JOBS, *PURE, *sorted((ROOT / "expectations").glob("*.py"))], ids=lambda p: name(p)
)
def test_a_module_is_short_and_named_for_what_it_holds(path):
    assert path.stem not in {"utils", "util", "helpers", "common", "misc", "shared", "base"}
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
