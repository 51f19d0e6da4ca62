"""When a refused row puts a record in doubt, and what ends it (RULES, "Doubt")."""

from jobs.rules.doubt import doubted_keys
from schemas.contract import contracts
from schemas.tables import QUARANTINE
from tests.tables import frame

# the accepted current version, and the row of the same key and person that was refused on the second night
CURRENT = """
order_id   | person_id | revised_at          | night      | satisfied_on
older      | 1         | 2026-11-01T08:00:00 | 2026-11-18 | -
newer      | 1         | 2026-11-20T08:00:00 | 2026-11-20 | -
between    | 1         | 2026-11-10T08:00:00 | 2026-11-20 | -
mended     | 1         | 2026-11-19T08:00:00 | 2026-11-20 | -
beside     | 1         | 2026-11-19T08:00:00 | 2026-11-19 | -
undated    | 1         | 2026-11-10T08:00:00 | 2026-11-20 | -
undated2   | 1         | 2026-11-10T08:00:00 | 2026-11-19 | -
dreamt     | 1         | 2026-11-20T08:00:00 | 2026-11-20 | -
paid       | 1         | 2026-11-01T08:00:00 | 2026-11-18 | 2026-10-01
of_another | 2         | 2026-11-01T08:00:00 | 2026-11-18 | -
"""
REFUSED = {
    "older": "2026-11-19T08:00:00Z",
    "newer": "2026-11-19T08:00:00Z",
    "between": "2026-11-19T08:00:00Z",  # accepted later, but older than what was refused: it cannot know of it
    "mended": "2026-11-19T08:00:00Z",
    "beside": "2026-11-19T08:00:00Z",
    "undated": "yesterday",
    "undated2": "yesterday",
    "dreamt": "2062-11-19T08:00:00Z",  # no revision could ever be newer
    "paid": "2026-11-19T08:00:00Z",
    "of_another": "2026-11-19T08:00:00Z",
}


def test_a_record_is_in_doubt_until_a_newer_revision_than_the_refused_one(spark):
    current = frame(spark, contracts()["court"].accepted_ddl(), CURRENT)
    lines = [
        f'2026-11-19 | court | {key} | 1 | no | {{"satisfied_on": "soon", "revised_at": "{at}"}}'
        for key, at in REFUSED.items()
    ]
    table = "\n".join(["night | feed | record_key | person_id | contested | verbatim", *lines])
    refused = frame(spark, QUARANTINE.ddl(), table)
    found = {r["order_id"] for r in doubted_keys(refused, current, "order_id").collect()}
    assert found == {"older", "between", "beside", "undated2"}
