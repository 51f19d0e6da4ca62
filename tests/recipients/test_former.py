"""Who is told that a score it was once sent is corrected, though it holds the application no longer (GDPR art. 19)."""

import datetime as dt

import pyarrow as pa

from jobs.corrections import former
from tests.tables import rows

NIGHT, SINCE = dt.date(2026, 11, 20), dt.date(2026, 11, 18)
DISPUTES = """
person_id | feed      | verdict   | decided_on | night
1         | court     | upheld    | 2026-11-20 | 2026-11-20
2         | court     | corrected | 2026-11-19 | 2026-11-10
3         | court     | rejected  | 2026-11-20 | 2026-11-20
4         | court     | upheld    | 2026-11-18 | 2026-11-10
5         | court     | upheld    | 2026-11-10 | 2026-11-20
6         | traffic   | upheld    | 2026-11-20 | 2026-11-20
7         | court     | upheld    | 2026-11-20 | 2026-11-20
8         | court     | upheld    | 2026-11-20 | 2026-11-20
9         | court     | upheld    | 2026-11-20 | 2026-11-20
10        | court     | upheld    | 2026-11-20 | 2026-11-20
11        | court     | open      | -          | 2026-11-20
"""
# 4: told on an earlier night; 5: decided before, heard of tonight; 6: no source of the purpose; 7: it holds it still;
# 8: sent over a year ago; 9: a statement; 10: removed and nothing sent since; 12: no dispute
SENT = """
person_id | night      | change
1         | 2026-03-01 | ADD
1         | 2026-05-01 | CHANGE
1         | 2026-06-01 | REMOVE
2         | 2026-03-01 | ADD
3         | 2026-03-01 | ADD
4         | 2026-03-01 | ADD
5         | 2025-11-21 | ADD
6         | 2026-03-01 | ADD
7         | 2026-03-01 | ADD
8         | 2025-11-20 | ADD
8         | 2025-12-01 | REMOVE
9         | 2026-08-01 | STATEMENT
10        | 2026-03-01 | REMOVE
11        | 2026-03-01 | ADD
12        | 2026-03-01 | ADD
"""
# what went to another recipient, or of another purpose, is no reason to tell this one
OTHERS = (
    {"recipient": "b", "night": dt.date(2026, 11, 1)},
    {"subject": "motor_cover/a", "night": dt.date(2026, 11, 1)},
)
TOLD = """
person_id | last_sent_on
1         | 2026-05-01
2         | 2026-03-01
5         | 2025-11-21
9         | 2026-08-01
"""


def table(text: str) -> pa.Table:
    def value(name: str, cell: str):
        if cell == "-":
            return None
        if name == "person_id":
            return int(cell)
        return dt.date.fromisoformat(cell) if name in ("decided_on", "night") else cell

    return pa.Table.from_pylist([{k: value(k, v) for k, v in r.items()} for r in rows(text)])


def test_who_was_sent_it_within_twelve_months_and_holds_it_no_longer():
    whose = {"subject": "consumer_credit/a", "recipient": "a"}
    sent = [{**r, **whose} for r in table(SENT).to_pylist()]
    sent += [{**r, **whose, **other} for r in sent if r["person_id"] == 2 for other in OTHERS]
    holding = pa.chunked_array([[7]], pa.int64())
    found = former(
        table(DISPUTES),
        pa.Table.from_pylist(sent),
        holding,
        ("transactions", "tax", "court"),
        NIGHT,
        SINCE,
        **whose,
    )
    assert [(str(r["person_id"]), str(r["last_sent_on"])) for r in found] == [
        tuple(r.values()) for r in rows(TOLD)
    ]
