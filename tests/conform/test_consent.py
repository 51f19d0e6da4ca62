"""Who may be scored, for what and from which source (RULES, "Dates" and "Consents")."""

import datetime as dt

import pytest

from jobs.conform import People, barred, flagged, people
from jobs.lake.config import load_policy
from jobs.rules.consent import live_consents
from jobs.rules.doubt import stopped_people
from jobs.rules.policy import allowed_since
from schemas.contract import contracts
from schemas.tables import CONSENTED, DELIVERIES, QUARANTINE
from tests.tables import current, expected, frame, texts

NIGHT = dt.date(2026, 11, 20)
CONSENTS = contracts()["consents"]
DISPUTES = (
    "dispute_id STRING, feed STRING, record_id STRING, person_id BIGINT, opened_on DATE, verdict STRING, "
    "decided_on DATE, certified_by STRING"
)

# person 1.. each a case; what is expected live stands in EXPECTED
GIVEN = """
consent_id | person_id | kind       | purpose         | source       | recipient   | granted_on | expires_on | withdrawn_on | revised_at          | birth_date | night
live       | 1         | consent    | consumer_credit | transactions | demo-lender | 2026-11-20 | 2026-11-20 | -            | 2026-11-20T08:00:00 | 1980-01-01 | 2026-11-20
lapsed     | 2         | consent    | consumer_credit | transactions | demo-lender | 2026-01-01 | 2026-11-19 | -            | 2026-01-01T08:00:00 | 1980-01-01 | 2026-11-18
ends-today | 3         | consent    | consumer_credit | transactions | demo-lender | 2026-01-01 | 2026-12-01 | 2026-11-20   | 2026-01-01T08:00:00 | 1980-01-01 | 2026-11-18
ends-later | 4         | consent    | consumer_credit | transactions | demo-lender | 2026-01-01 | 2026-12-01 | 2026-11-21   | 2026-01-01T08:00:00 | 1980-01-01 | 2026-11-18
minor      | 5         | consent    | consumer_credit | transactions | demo-lender | 2026-01-01 | 2026-12-01 | -            | 2026-01-01T08:00:00 | 2008-11-21 | 2026-11-18
adult      | 6         | consent    | consumer_credit | transactions | demo-lender | 2026-01-01 | 2026-12-01 | -            | 2026-01-01T08:00:00 | 2008-11-20 | 2026-11-18
a-tax      | 7         | consent    | consumer_credit | tax          | demo-lender | 2026-01-01 | 2026-12-01 | -            | 2026-01-01T08:00:00 | 1980-01-01 | 2026-11-18
a-court    | 7         | consent    | consumer_credit | court        | demo-lender | 2026-01-01 | 2026-12-01 | -            | 2026-01-01T08:00:00 | 1980-01-01 | 2026-11-18
no-tax     | 7         | withdrawal | -               | tax          | -           | 2026-11-20 | -          | -            | 2026-11-20T08:00:00 | 1980-01-01 | 2026-11-20
again      | 8         | consent    | consumer_credit | transactions | demo-lender | 2026-11-20 | 2026-12-01 | -            | 2026-11-20T08:00:00 | 1980-01-01 | 2026-11-20
none       | 8         | withdrawal | -               | -            | -           | 2026-11-19 | -          | -            | 2026-11-19T08:00:00 | 1980-01-01 | 2026-11-20
dead-c     | 9         | consent    | consumer_credit | transactions | demo-lender | 2026-01-01 | 2026-12-01 | -            | 2026-01-01T08:00:00 | 1980-01-01 | 2026-11-18
dead       | 9         | death      | -               | -            | -           | 2026-11-20 | -          | -            | 2026-11-20T08:00:00 | 1980-01-01 | 2026-11-20
erased-c   | 10        | consent    | consumer_credit | transactions | demo-lender | 2026-01-01 | 2026-12-01 | -            | 2026-01-01T08:00:00 | 1980-01-01 | 2026-11-18
erase      | 10        | erasure    | consumer_credit | -            | -           | 2026-11-19 | -          | -            | 2026-11-19T08:00:00 | 1980-01-01 | 2026-11-20
after      | 10        | consent    | motor_cover     | traffic      | demo-insurer | 2026-11-20 | 2026-12-01 | -           | 2026-11-20T08:00:00 | 1980-01-01 | 2026-11-20
undone     | 11        | consent    | consumer_credit | transactions | demo-lender | 2026-01-01 | 2026-12-01 | 2026-11-10   | 2026-01-02T08:00:00 | 1980-01-01 | 2026-11-18
forbidden  | 12        | consent    | motor_cover     | transactions | demo-insurer | 2026-01-01 | 2026-12-01 | -           | 2026-01-02T08:00:00 | 1980-01-01 | 2026-11-18
disputed   | 13        | consent    | motor_cover     | traffic      | demo-insurer | 2026-01-01 | 2026-12-01 | -           | 2026-01-02T08:00:00 | 1980-01-01 | 2026-11-18
doubted    | 14        | consent    | motor_cover     | traffic      | demo-insurer | 2026-01-01 | 2026-12-01 | -           | 2026-01-02T08:00:00 | 1980-01-01 | 2026-11-18
stopped    | 15        | consent    | motor_cover     | traffic      | demo-insurer | 2026-01-01 | 2026-12-01 | -           | 2026-01-02T08:00:00 | 1980-01-01 | 2026-11-18
mended     | 16        | consent    | motor_cover     | traffic      | demo-insurer | 2026-01-01 | 2026-12-01 | -           | 2026-01-02T08:00:00 | 1980-01-01 | 2026-11-18
w-mended   | 16        | withdrawal | study_finance   | -            | -            | 2026-11-19 | -          | -           | 2026-11-19T08:00:00 | 1980-01-01 | 2026-11-20
contested  | 17        | consent    | motor_cover     | traffic      | demo-insurer | 2026-01-01 | 2026-12-01 | -           | 2026-01-02T08:00:00 | 1980-01-01 | 2026-11-18
a-unsigned | 20        | consent    | motor_cover     | traffic      | demo-insurer | 2026-01-01 | 2026-12-01 | -           | 2026-01-02T08:00:00 | 1980-01-01 | 2026-11-18
b-signed   | 20        | consent    | motor_cover     | traffic      | demo-insurer | 2026-01-01 | 2026-12-01 | -           | 2026-01-02T08:00:00 | 1980-01-01 | 2026-11-19
once       | 21        | consent    | motor_cover     | traffic      | demo-insurer | 2026-01-01 | 2026-12-01 | -           | 2026-01-02T08:00:00 | 1980-01-01 | 2026-11-19
shortened  | 18        | consent    | motor_cover     | traffic      | demo-insurer | 2026-01-01 | 2026-12-01 | -           | 2026-01-02T08:00:00 | 1980-01-01 | 2026-11-18
re-erased  | 19        | erasure    | -               | -            | -            | 2026-11-01 | -          | -           | 2026-11-01T08:00:00 | 1980-01-01 | 2026-11-18
re-erased  | 19        | erasure    | -               | -            | -            | 2026-11-01 | -          | -           | 2026-11-19T08:00:00 | 1980-01-01 | 2026-11-20
"""
# an older revision of "undone" that arrived later must not bring it to life; a newer one cannot be accepted
LATE = """
consent_id | person_id | kind    | purpose         | source       | recipient   | granted_on | expires_on | withdrawn_on | revised_at          | birth_date | night
undone     | 11        | consent | consumer_credit | transactions | demo-lender | 2026-01-01 | 2026-12-01 | -            | 2026-01-01T08:00:00 | 1980-01-01 | 2026-11-20
ends-today | 3         | consent | consumer_credit | transactions | demo-lender | 2026-01-01 | 2026-12-01 | -            | 2026-01-01T07:00:00 | 1980-01-01 | 2026-11-20
shortened  | 18        | consent | motor_cover     | traffic      | demo-insurer | 2026-01-01 | 2026-11-19 | -            | 2026-01-01T08:00:00 | 1980-01-01 | 2026-11-20
"""
# revised by an unsigned file: what was granted never changes, so the signed one still stands for it
REVISED = """
consent_id | person_id | kind    | purpose     | source  | recipient    | granted_on | expires_on | withdrawn_on | revised_at          | birth_date | night
once       | 21        | consent | motor_cover | traffic | demo-insurer | 2026-01-01 | 2026-11-25 | -            | 2026-01-03T08:00:00 | 1980-01-01 | 2026-11-20
"""
# every row is in consents.csv of its night; one night's file is signed
SIGNED = """
night      | feed     | file         | attested_by
2026-11-18 | consents | consents.csv | -
2026-11-19 | consents | consents.csv | 4a5f
2026-11-20 | consents | consents.csv | -
"""
REFUSED = """
night      | feed     | person_id | record_key | contested | verbatim
2026-11-20 | consents | 14        | doubted    | no        | {"withdrawn_on": "19.11.2026", "revised_at": "2026-11-19T08:00:00Z"}
2026-11-20 | consents | 15        | w-15       | no        | {"kind": "withdrawal"}
2026-11-19 | consents | 16        | w-mended   | no        | {"kind": "withdrawal"}
2026-11-20 | consents | 17        | c-17       | yes       | {"kind": "consent"}
"""
VERDICTS = """
dispute_id | feed     | record_id | person_id | opened_on  | verdict
d13        | consents | disputed  | 13        | 2026-11-19 | open
d1         | consents | live      | 13        | 2026-11-19 | open
"""
EXPECTED = """
person_id | purpose         | source       | consent_id | attested_by
1         | consumer_credit | transactions | live       | -
4         | consumer_credit | transactions | ends-later | -
6         | consumer_credit | transactions | adult      | -
7         | consumer_credit | court        | a-court    | -
8         | consumer_credit | transactions | again      | -
10        | motor_cover     | traffic      | after      | -
16        | motor_cover     | traffic      | mended     | -
20        | motor_cover     | traffic      | b-signed   | 4a5f
21        | motor_cover     | traffic      | once       | 4a5f
"""


@pytest.fixture(scope="module")
def live(spark):
    given = frame(spark, CONSENTS.accepted_ddl(), GIVEN, file="consents.csv")
    for more in (LATE, REVISED):
        given = given.unionByName(frame(spark, CONSENTS.accepted_ddl(), more, file="consents.csv"))
    quarantine = frame(spark, QUARANTINE.ddl(), REFUSED)
    stopped = stopped_people(quarantine, given)
    contested = quarantine.where("contested").select("person_id")
    who: People = people(given, stopped, contested, NIGHT)
    verdicts = frame(spark, DISPUTES, VERDICTS)
    newest = current(given, CONSENTS, frame(spark, DELIVERIES.ddl(), SIGNED))
    flags = flagged(newest, CONSENTS, verdicts, quarantine)
    withdrawals = given.where("kind = 'withdrawal'")
    since = allowed_since(load_policy(), [], NIGHT)
    return live_consents(flags, withdrawals, barred(who, stopped), NIGHT, since)


def test_a_later_revision_of_an_erasure_does_not_erase_again(spark):
    given = frame(spark, CONSENTS.accepted_ddl(), GIVEN)
    nobody = given.limit(0).select("person_id")
    erased = people(given, given.limit(0).select("person_id", "kind"), nobody, NIGHT).erased
    assert texts(erased, "person_id", "erased_on", "erased_night") == {
        ("10", "2026-11-19", "2026-11-20"),
        ("19", "2026-11-01", "2026-11-18"),
    }


def test_only_live_consents_remain_and_who_attests_them(live):
    assert texts(live, "person_id", "purpose", "source", "consent_id", "attested_by") == expected(EXPECTED)
    assert live.columns == CONSENTED.names
