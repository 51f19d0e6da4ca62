"""What a dispute does to its record (RULES, "Orders"; FCRA 15 USC 1681i)."""

import datetime as dt

from jobs.rules.disputes import dispute_flags, verdicts
from schemas.contract import contracts
from tests.tables import expected, frame, texts

NIGHT = dt.date(2026, 11, 20)
RECORDS = """
order_id  | person_id | revised_at
open      | 1         | 2026-10-01T00:00:00
done      | 1         | 2026-10-01T00:00:00
out       | 1         | 2026-10-01T00:00:00
extended  | 1         | 2026-10-01T00:00:00
upheld    | 1         | 2026-10-01T00:00:00
revised   | 1         | 2026-11-15T00:00:00
certified | 1         | 2026-11-15T00:00:00
corrected | 1         | 2026-10-01T00:00:00
mended    | 1         | 2026-11-12T00:00:00
again     | 1         | 2026-10-01T00:00:00
afresh    | 1         | 2026-11-15T00:00:00
stranger  | 2         | 2026-10-01T00:00:00
today     | 1         | 2026-10-01T00:00:00
late      | 1         | 2026-11-18T00:00:00
late-cert | 1         | 2026-11-18T00:00:00
late-old  | 1         | 2026-11-10T00:00:00
on-time   | 1         | 2026-10-01T00:00:00
"""
DISPUTES = """
dispute_id | record_id | opened_on  | resolved_on | outcome   | certified_by
d1         | open      | 2026-11-20 | -           | -         | -
d2         | done      | 2026-11-01 | 2026-11-20  | rejected  | -
d3         | out       | 2026-10-21 | -           | -         | -
ext        | extended  | 2026-10-21 | -           | -         | -
d4         | upheld    | 2026-11-01 | 2026-11-10  | upheld    | -
d5         | revised   | 2026-11-01 | 2026-11-10  | upheld    | -
d6         | certified | 2026-11-01 | 2026-11-10  | upheld    | Registrar
d7         | corrected | 2026-11-01 | 2026-11-10  | corrected | -
d8         | mended    | 2026-11-01 | 2026-11-10  | corrected | -
d9         | again     | 2026-11-01 | 2026-11-10  | rejected  | -
d10        | again     | 2026-11-12 | -           | -         | -
d11        | afresh    | 2026-11-01 | 2026-11-10  | rejected  | -
d12        | afresh    | 2026-11-16 | -           | -         | -
d13        | stranger  | 2026-11-16 | -           | -         | -
d14        | today     | 2026-11-01 | 2026-11-20  | -         | -
d15        | late      | 2026-10-01 | 2026-11-15  | rejected  | -
d16        | late-cert | 2026-10-01 | 2026-11-15  | rejected  | Registrar
d17        | late-old  | 2026-10-01 | 2026-11-15  | rejected  | Registrar
d18        | on-time   | 2026-10-01 | 2026-10-31  | rejected  | -
"""
EXPECTED = """
order_id  | disputed | upheld
open      | yes      | no
done      | no       | no
out       | no       | yes
extended  | yes      | no
upheld    | no       | yes
revised   | no       | yes
certified | no       | no
corrected | yes      | no
mended    | no       | no
again     | no       | no
afresh    | yes      | no
today     | yes      | no
late      | no       | yes
late-cert | no       | no
late-old  | no       | yes
on-time   | no       | no
"""


def test_a_dispute_suspends_its_own_record_while_it_is_open(spark):
    court, own = contracts()["court"], contracts()["disputes"]
    records = frame(spark, court.accepted_ddl(), RECORDS)
    disputes = frame(spark, own.accepted_ddl(), DISPUTES, feed="court", person_id="1", kind="inaccurate")
    said = verdicts(disputes, NIGHT, ("ext",))
    flags = dispute_flags(records, "order_id", "court", said)
    assert texts(flags, "order_id", "disputed", "upheld") == expected(EXPECTED)
