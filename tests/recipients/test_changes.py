"""What is sent of applications that are other than the last package held them."""

import pyarrow as pa
import pytest

from jobs.applications import KEY, SENT, changes
from tests.tables import rows

# `lost`: what it rests on is gone; the last columns are the change by who or what waits
CASES = """
id | was | stands | attested | other | rests | lost | change | held   | untold
1  | no  | yes    | yes      | score | yes   | no   | ADD    | -      | -
2  | yes | yes    | yes      | score | yes   | no   | CHANGE | -      | -
3  | yes | yes    | no       | score | yes   | no   | -      | -      | -
4  | yes | yes    | no       | -     | no    | no   | -      | -      | -
5  | yes | no     | yes      | score | yes   | no   | REMOVE | REMOVE | REMOVE
6  | no  | no     | no       | score | yes   | no   | -      | -      | -
7  | yes | yes    | yes      | score | yes   | yes  | CHANGE | REMOVE | REMOVE
8  | yes | yes    | no       | score | yes   | yes  | REMOVE | REMOVE | REMOVE
9  | yes | yes    | yes      | under | no    | yes  | CHANGE | -      | -
"""
TYPES = {"score": pa.int64(), "under_review": pa.bool_()}


def found() -> pa.Table:
    cases = rows(CASES)
    made = {KEY: [r["id"] for r in cases], "person_id": [int(r["id"]) for r in cases]}
    made |= {c: [r[c] == "yes" for r in cases] for c in ("was", "stands", "attested", "rests")}
    made["other"] = ["" if r["other"] == "-" else r["other"] for r in cases]
    columns = {n: pa.array(v) for n, v in made.items()}
    for name in SENT:
        for which in ("new", "old"):
            columns[f"{which}_{name}"] = pa.nulls(len(cases), TYPES.get(name, pa.string()))
    return pa.table(columns)


@pytest.mark.parametrize("waits", ["change", "held", "untold"])
def test_each_application_changes_as_what_waits_lets_it(waits: str):
    cases = rows(CASES)
    lost = {r["id"]: "withdrawn" for r in cases if r["lost"] == "yes"}
    untold = [int(r["id"]) for r in cases] if waits == "untold" else []
    made = changes(found(), {"5": "lapsed"}, waits == "held", untold, lost).to_pylist()
    assert [(r[KEY], r["person_id"], r["change"]) for r in made] == [
        (r["id"], int(r["id"]), r[waits]) for r in cases if r[waits] != "-"
    ]
    causes = {r[KEY]: r["cause"] for r in made if r["change"] == "REMOVE"}
    assert causes == {"5": "lapsed"} | {k: "withdrawn" for k in causes if k in lost}
