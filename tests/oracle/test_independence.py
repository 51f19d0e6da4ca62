"""The oracle shares no code with the pipeline, or it would share its faults."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "benchmarks" / "oracle").glob("*.py"))
OURS = {"jobs", "schemas", "expectations", "examples", "dags", "tests"}


def imported(text: str) -> set[str]:
    """Every module that a text imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(f"{'.' * node.level}{node.module or ''}")
    return found


@pytest.mark.parametrize("path", MODULES, ids=[p.name for p in MODULES])
def test_the_oracle_imports_nothing_of_the_pipeline(path):
    found = imported(path.read_text(encoding="utf-8"))
    assert {f for f in found if f.split(".")[0] in OURS or f.startswith(".")} == set()
    assert {f for f in found if f.startswith("benchmarks") and not f.startswith("benchmarks.oracle")} == set()


@pytest.mark.parametrize(
    "line", ["import jobs", "def f():\n    from jobs.rules import floor", "from . import x"]
)
def test_an_import_would_be_seen(line):
    assert {f for f in imported(line) if f.split(".")[0] in OURS or f.startswith(".")}


def test_computing_a_night_loads_nothing_of_the_pipeline():
    code = (
        "import sys, benchmarks.oracle.compare; "
        f"print(sorted(m for m in sys.modules if m.split('.')[0] in {OURS | {'pyspark'}!r}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
