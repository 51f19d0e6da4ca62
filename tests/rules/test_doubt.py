"""What a refused row still does (RULES, "Doubt"; DESIGN 1.10)."""

from jobs.rules.doubt import doubted_keys, stopped_people, suspending_disputes
from schemas.contract import contracts
from schemas.tables import QUARANTINE
from tests.tables import expected, frame, texts

COURT, DISPUTES, CONSENTS = (contracts()[f] for f in ("court", "disputes", "consents"))
RECORDS = """
order_id  | person_id | satisfied_on | revised_at          | night
paid      | 1         | -            | 2026-10-01T00:00:00 | 2026-11-18
known     | 1         | 2026-01-01   | 2026-10-01T00:00:00 | 2026-11-18
stranger  | 1         | -            | 2026-10-01T00:00:00 | 2026-11-18
older     | 1         | -            | 2026-10-01T00:00:00 | 2026-11-18
newer     | 1         | -            | 2026-11-19T00:00:00 | 2026-11-19
same      | 1         | -            | 2026-11-10T00:00:00 | 2026-11-20
between   | 1         | -            | 2026-11-05T00:00:00 | 2026-11-20
timeless  | 1         | -            | 2026-10-01T00:00:00 | 2026-11-18
time-gone | 1         | -            | 2026-11-05T00:00:00 | 2026-11-20
far-off   | 1         | -            | 2026-11-05T00:00:00 | 2026-11-20
ambiguous | 1         | -            | 2026-10-01T00:00:00 | 2026-11-18
"""
REFUSED = """
night      | person_id | record_key | verbatim
2026-11-19 | 1         | paid       | {"satisfied_on": "x", "revised_at": "2026-11-10T00:00:00Z"}
2026-11-19 | 1         | known      | {"satisfied_on": "x", "revised_at": "2026-11-10T00:00:00Z"}
2026-11-19 | 2         | stranger   | {"satisfied_on": "x", "revised_at": "2026-11-10T00:00:00Z"}
2026-11-19 | 1         | older      | {"satisfied_on": "x", "revised_at": "2026-01-10T00:00:00Z"}
2026-11-19 | 1         | newer      | {"satisfied_on": "x", "revised_at": "2026-11-10T00:00:00Z"}
2026-11-19 | 1         | same       | {"satisfied_on": "x", "revised_at": "2026-11-10T00:00:00Z"}
2026-11-19 | 1         | between    | {"satisfied_on": "x", "revised_at": "2026-11-10T00:00:00Z"}
2026-11-19 | 1         | timeless   | {"satisfied_on": "x", "revised_at": "soon"}
2026-11-19 | 1         | time-gone  | {"satisfied_on": "x", "revised_at": "soon"}
2026-11-19 | 1         | far-off    | {"satisfied_on": "x", "revised_at": "2036-11-10T00:00:00Z"}
2026-11-19 | 1         | ambiguous  | {"satisfied_on": "x", "revised_at": "2026-10-01T00:00:00Z"}
2026-11-19 | 1         | -          | {"satisfied_on": "x"}
"""


def test_a_refused_row_leaves_its_record_in_doubt_until_it_is_mended(spark):
    records = frame(spark, COURT.accepted_ddl(), RECORDS)
    refused = frame(spark, QUARANTINE.ddl(), REFUSED, contested="no")
    found = {key for (key,) in texts(doubted_keys(refused, records, "order_id"), "order_id")}
    assert found == {"paid", "between", "timeless", "ambiguous"}


ACCEPTED_DISPUTES = """
dispute_id | person_id | feed  | record_id | revised_at          | night
mended     | 1         | court | c2        | 2026-11-20T00:00:00 | 2026-11-20
too-old    | 1         | court | c3        | 2026-11-01T00:00:00 | 2026-11-20
anew       | 1         | court | c4        | 2026-11-20T00:00:00 | 2026-11-20
"""
REFUSED_DISPUTES = """
night      | person_id | record_key | contested | verbatim
2026-11-19 | 1         | open       | no        | {"feed": "court", "record_id": "c1", "opened_on": "x"}
2026-11-19 | 1         | mended     | no        | {"feed": "court", "record_id": "c2", "revised_at": "2026-11-19T00:00:00Z"}
2026-11-19 | 1         | too-old    | no        | {"feed": "court", "record_id": "c3", "revised_at": "2026-11-19T00:00:00Z"}
2026-11-19 | 1         | -          | no        | {"feed": "court", "record_id": "c4"}
2026-11-19 | 1         | rejected   | no        | {"feed": "court", "record_id": "c5", "outcome": "rejected", "resolved_on": "2026-11-01"}
2026-11-19 | 1         | unclear    | no        | {"feed": "court", "record_id": "c6", "outcome": "rejected", "resolved_on": "1.11."}
2026-11-19 | 1         | mended     | yes       | {"feed": "court", "record_id": "c7", "revised_at": "2026-11-01T00:00:00Z"}
2026-11-19 | -         | nobody     | no        | {"feed": "court", "record_id": "c8"}
2026-11-19 | 1         | nothing    | no        | {"feed": "court"}
"""


def test_a_refused_dispute_suspends_until_it_is_mended_and_a_contested_one_for_good(spark):
    accepted = frame(spark, DISPUTES.accepted_ddl(), ACCEPTED_DISPUTES)
    found = suspending_disputes(frame(spark, QUARANTINE.ddl(), REFUSED_DISPUTES), accepted)
    assert texts(found, "record_id", "person_id") == expected(
        """
record_id | person_id
c1        | 1
c3        | 1
c6        | 1
c7        | 1
"""
    )


ACCEPTED_CONSENTS = """
consent_id | person_id | kind       | night
w2         | 2         | withdrawal | 2026-11-20
w3         | 3         | withdrawal | 2026-11-18
w4         | 4         | withdrawal | 2026-11-20
w5         | 5         | erasure    | 2026-11-20
"""
REFUSED_CONSENTS = """
night      | person_id | record_key | verbatim
2026-11-19 | 1         | w1         | {"kind": "Withdrawal"}
2026-11-19 | 2         | w2         | {"kind": "withdrawal"}
2026-11-19 | 3         | w3         | {"kind": "withdrawal"}
2026-11-19 | 4         | -          | {"kind": "withdrawal"}
2026-11-19 | 5         | -          | {"kind": "withdrawal"}
2026-11-19 | 6         | c6         | {"kind": "consent"}
2026-11-19 | 7         | a7         | {"kind": "access"}
2026-11-19 | 8         | d8         | {"kind": "death"}
2026-11-19 | -         | w9         | {"kind": "withdrawal"}
2026-11-19 | 10        | e10        | -
"""


def test_a_refused_withdrawal_erasure_or_death_stops_until_it_is_mended(spark):
    refused = frame(spark, QUARANTINE.ddl(), REFUSED_CONSENTS, contested="no")
    found = stopped_people(refused, frame(spark, CONSENTS.accepted_ddl(), ACCEPTED_CONSENTS))
    assert texts(found, "person_id", "kind") == {
        ("1", "withdrawal"),
        ("3", "withdrawal"),
        ("5", "withdrawal"),
        ("8", "death"),
    }
