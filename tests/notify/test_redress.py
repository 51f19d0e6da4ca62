"""A record that a dispute removed comes back only certified, and its person is told once (15 USC 1681i(a)(5))."""

import datetime as dt

import pyarrow as pa

from jobs.redress import RECORDS, back_again
from schemas.tables import NOTICES
from tests.tables import rows

DISPUTES = pa.schema(
    [
        ("feed", pa.string()),
        ("record_id", pa.string()),
        ("person_id", pa.int64()),
        ("verdict", pa.string()),
        ("decided_on", pa.date32()),
        ("certified_by", pa.string()),
    ]
)
RECORDS_NOW = """
record_id   | person_id | upheld | disputed | authority
out         | 1         | yes    | no       | Demo Court
certified   | 1         | no     | no       | Demo Court
contested   | 1         | no     | yes      | Demo Court
told        | 1         | no     | no       | Demo Court
told-before | 1         | no     | no       | Demo Court
late        | 1         | no     | no       | Demo Court
rejected    | 1         | no     | no       | Demo Court
others      | 2         | no     | no       | Demo Court
gap         | 1         | no     | no       | -
"""
# "gap" was not held the night before; "late" was out because its clock had run out
RECORDS_BEFORE = """
record_id   | person_id | upheld | disputed | authority
out         | 1         | yes    | no       | Demo Court
certified   | 1         | yes    | no       | Demo Court
contested   | 1         | yes    | no       | Demo Court
told        | 1         | no     | no       | Demo Court
told-before | 1         | yes    | no       | Demo Court
late        | 1         | yes    | no       | Demo Court
rejected    | 1         | no     | no       | Demo Court
others      | 2         | no     | no       | Demo Court
"""
SAID = """
feed  | record_id   | person_id | verdict  | decided_on | certified_by
court | out         | 1         | upheld   | 2026-11-01 | -
court | certified   | 1         | upheld   | 2026-11-01 | Registrar
court | contested   | 1         | upheld   | 2026-11-01 | Registrar
court | told        | 1         | upheld   | 2026-11-01 | Registrar
court | told-before | 1         | upheld   | 2026-11-01 | Registrar
court | late        | 1         | rejected | 2026-11-18 | -
court | rejected    | 1         | rejected | 2026-11-01 | -
court | others      | 1         | upheld   | 2026-11-01 | Registrar
court | gap         | 1         | upheld   | 2026-11-01 | Registrar
tax   | rejected    | 1         | upheld   | 2026-11-01 | Registrar
"""
TOLD = """
night      | kind       | person_id | subject
2026-11-02 | reinserted | 1         | court/told
2026-10-30 | reinserted | 1         | court/told-before
2026-11-02 | listing    | 1         | court/certified
2026-11-02 | reinserted | 2         | court/gap
"""
BACK = """
record_id   | certified_by | authority
certified   | Registrar    | Demo Court
told-before | Registrar    | Demo Court
late        | -            | Demo Court
gap         | Registrar    | -
"""


def table(schema: pa.Schema, text: str) -> pa.Table:
    def value(cell: str, kind: pa.DataType):
        if cell == "-":
            return None
        if pa.types.is_date(kind):
            return dt.date.fromisoformat(cell)
        if pa.types.is_boolean(kind):
            return cell == "yes"
        return int(cell) if pa.types.is_integer(kind) else cell

    made = [{k: value(v, schema.field(k).type) for k, v in row.items()} for row in rows(text)]
    return pa.Table.from_pylist(made, schema=schema)


def test_who_is_told_that_a_record_is_back():
    found = back_again(
        table(RECORDS, RECORDS_NOW),
        table(RECORDS, RECORDS_BEFORE),
        table(DISPUTES, SAID),
        table(NOTICES.arrow(), TOLD),
        "court",
    ).to_pylist()
    assert {r["person_id"] for r in found} == {1}
    made = {(r["record_id"], r["certified_by"] or "-", r["authority"] or "-") for r in found}
    assert made == {tuple(r.values()) for r in rows(BACK)}
