"""Why an application dropped out of its recipient's package (DESIGN 5), one person a case."""

import datetime as dt

import pyarrow as pa

from jobs.lake.ask import ask
from jobs.rules.consent import WHY_ENDED
from tests.tables import rows

NIGHT, SINCE = dt.date(2026, 11, 20), dt.date(2026, 11, 19)
TEXT, DAY = pa.string(), pa.date32()
ACCEPTED_SCHEMA = pa.schema(
    [
        ("person_id", pa.int64()),
        *[(n, TEXT) for n in ("consent_id", "kind", "purpose", "source", "recipient")],
        *[(n, DAY) for n in ("granted_on", "expires_on", "withdrawn_on", "night")],
    ]
)
# what the score rested on is consent a<person>; transactions is what consumer_credit requires
ACCEPTED = """
person_id | consent_id | kind       | purpose         | source       | recipient   | granted_on | expires_on | withdrawn_on | night
1         | a1         | consent    | consumer_credit | transactions | demo-lender | 2026-06-01 | 2027-05-01 | 2026-11-20   | 2026-11-20
2         | a2         | consent    | consumer_credit | transactions | demo-lender | 2026-06-01 | 2026-11-19 | -            | 2026-06-02
3         | a3         | consent    | consumer_credit | transactions | demo-lender | 2026-06-01 | 2027-05-01 | -            | 2026-06-02
3         | w3         | withdrawal | -               | -            | -           | 2026-11-20 | -          | -            | 2026-11-20
4         | a4         | consent    | consumer_credit | transactions | demo-lender | 2026-06-01 | 2027-05-01 | -            | 2026-06-02
4         | w4         | withdrawal | consumer_credit | tax          | demo-lender | 2026-11-20 | -          | -            | 2026-11-20
5         | a5         | consent    | consumer_credit | transactions | demo-lender | 2026-06-01 | 2027-05-01 | -            | 2026-06-02
5         | w5         | withdrawal | -               | -            | other-lender | 2026-11-20 | -         | -            | 2026-11-20
6         | a6         | consent    | consumer_credit | transactions | demo-lender | 2026-06-01 | 2027-05-01 | -            | 2026-06-02
6         | e6         | erasure    | -               | -            | -           | 2026-11-20 | -          | -            | 2026-11-20
7         | a7         | consent    | consumer_credit | transactions | demo-lender | 2026-06-01 | 2027-05-01 | -            | 2026-06-02
7         | d7         | death      | -               | -            | -           | 2026-11-20 | -          | -            | 2026-11-20
8         | a8         | consent    | consumer_credit | transactions | demo-lender | 2026-06-01 | 2027-05-01 | -            | 2026-06-02
9         | a9         | consent    | consumer_credit | transactions | demo-lender | 2026-06-01 | 2027-05-01 | -            | 2026-06-02
10        | a10        | consent    | consumer_credit | transactions | demo-lender | 2026-06-01 | 2027-05-01 | -            | 2026-06-02
11        | a11        | consent    | consumer_credit | transactions | demo-lender | 2026-06-01 | 2027-05-01 | 2026-11-21   | 2026-06-02
12        | old        | consent    | consumer_credit | transactions | demo-lender | 2026-01-01 | 2026-12-01 | 2026-05-01   | 2026-01-02
12        | a12        | consent    | consumer_credit | transactions | demo-lender | 2026-06-01 | 2026-11-19 | -            | 2026-06-02
13        | a13        | consent    | consumer_credit | transactions | demo-lender | 2026-06-01 | 2027-05-01 | -            | 2026-06-02
13        | w13        | withdrawal | -               | -            | -           | 2026-03-01 | -          | -            | 2026-03-01
14        | a14        | consent    | consumer_credit | transactions | demo-lender | 2026-06-01 | 2026-11-19 | 2026-11-20   | 2026-11-20
15        | e15        | erasure    | -               | -            | -           | 2026-01-20 | -          | -            | 2026-01-20
15        | a15        | consent    | consumer_credit | transactions | demo-lender | 2026-06-01 | 2026-11-19 | -            | 2026-06-02
16        | a16        | consent    | consumer_credit | transactions | demo-lender | 2026-06-01 | 2026-11-19 | -            | 2026-06-02
16        | e16        | erasure    | -               | -            | -           | 2026-11-20 | -          | -            | 2026-11-20
16        | d16        | death      | -               | -            | -           | 2026-11-20 | -          | -            | 2026-11-20
"""
CURRENT = """
person_id | consent_id | in_doubt
8         | a8         | yes
9         | a9         | no
"""
REFUSED = """
person_id | kind
9         | withdrawal
10        | death
"""
# 3: every consent ended; 4: tax is not what is required; 5: another recipient's; 8 and 9: doubt; 11: from tomorrow on;
# 12: the old one was withdrawn long ago; 13: a declaration of before the consent; 14: both; 15: erased long ago; 17: gone
CAUSES = """
person_id | cause
1         | withdrawn
2         | lapsed
3         | withdrawn
4         | -
5         | -
6         | erased
7         | deceased
8         | withdrawn
9         | withdrawn
10        | deceased
11        | -
12        | lapsed
13        | -
14        | withdrawn
15        | lapsed
16        | erased
17        | erased
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

    return pa.Table.from_pylist(
        [{k: value(v, schema.field(k).type) for k, v in row.items()} for row in rows(text)], schema=schema
    )


def test_each_cause_and_the_first_that_is_so():
    people = [int(r["person_id"]) for r in rows(CAUSES)]
    held = pa.table({"person_id": people, "consent_id": [f"a{p}" for p in people]})
    tables = {
        "held": held,
        "accepted": table(ACCEPTED_SCHEMA, ACCEPTED),
        "current": table(
            pa.schema([("person_id", pa.int64()), ("consent_id", TEXT), ("in_doubt", pa.bool_())]), CURRENT
        ),
        "refused": table(pa.schema([("person_id", pa.int64()), ("kind", TEXT)]), REFUSED),
    }
    given = {"purpose": "consumer_credit", "recipient": "demo-lender", "source": "transactions"}
    found = ask(WHY_ENDED, tables, night=NIGHT, since=SINCE, **given).to_pylist()
    assert [(str(r["person_id"]), r["cause"] or "-") for r in found] == [
        (r["person_id"], r["cause"]) for r in rows(CAUSES)
    ]
