"""Human review of a score (GDPR art. 22(3)): open until a named person has decided, thirty days, an alarm from day 20."""

import datetime as dt

import pytest

from jobs.rules.reviews import reviews, under_review
from tests.tables import rows

NIGHT = dt.date(2026, 11, 20)
GIVEN = """
dispute_id | person_id | kind       | record_id                   | opened_on  | resolved_on | outcome  | certified_by
today      | 1         | review     | consumer_credit/demo-lender | 2026-11-20 | -           | -        | -
tomorrow   | 2         | review     | consumer_credit/demo-lender | 2026-11-21 | -           | -        | -
day-19     | 3         | review     | consumer_credit/demo-lender | 2026-11-01 | -           | -        | -
day-20     | 4         | review     | consumer_credit/demo-lender | 2026-10-31 | -           | -        | -
day-30     | 5         | review     | consumer_credit/demo-lender | 2026-10-21 | -           | -        | -
day-31     | 6         | review     | consumer_credit/demo-lender | 2026-10-20 | -           | -        | -
decided    | 7         | review     | motor_cover/demo-insurer    | 2026-11-01 | 2026-11-20  | upheld   | Iva Babić
later      | 8         | review     | motor_cover/demo-insurer    | 2026-11-01 | 2026-11-21  | upheld   | Iva Babić
nobody     | 9         | review     | motor_cover/demo-insurer    | 2026-11-01 | 2026-11-10  | rejected | -
blank      | 10        | review     | motor_cover/demo-insurer    | 2026-11-01 | 2026-11-10  | rejected | " "
no-outcome | 11        | review     | motor_cover/demo-insurer    | 2026-11-01 | 2026-11-10  | -        | Iva Babić
old        | 12        | review     | motor_cover/demo-insurer    | 2026-08-01 | 2026-08-20  | rejected | Iva Babić
again      | 12        | review     | motor_cover/demo-insurer    | 2026-11-20 | -           | -        | -
a-dispute  | 13        | inaccurate | O-1                         | 2026-11-01 | -           | -        | -
"""
EXPECTED = """
dispute_id | open | alarm | overdue | outcome  | reviewer  | due_on
today      | yes  | no    | no      | -        | -         | 2026-12-20
day-19     | yes  | no    | no      | -        | -         | 2026-12-01
day-20     | yes  | yes   | no      | -        | -         | 2026-11-30
day-30     | yes  | yes   | no      | -        | -         | 2026-11-20
day-31     | yes  | yes   | yes     | -        | -         | 2026-11-19
decided    | no   | no    | no      | upheld   | Iva Babić | 2026-12-01
later      | yes  | no    | no      | -        | -         | 2026-12-01
nobody     | yes  | no    | no      | -        | -         | 2026-12-01
blank      | yes  | no    | no      | -        | -         | 2026-12-01
no-outcome | yes  | no    | no      | -        | -         | 2026-12-01
old        | no   | no    | no      | rejected | Iva Babić | 2026-08-31
again      | yes  | no    | no      | -        | -         | 2026-12-20
"""


def given():
    for row in rows(GIVEN):
        cells = {k: None if v == "-" else v.strip('"') for k, v in row.items()}
        yield {
            **cells,
            "person_id": int(row["person_id"]),
            **{
                k: dt.date.fromisoformat(cells[k]) if cells[k] else None for k in ("opened_on", "resolved_on")
            },
        }


@pytest.fixture(scope="module")
def found():
    return reviews(given(), NIGHT)


def test_a_review_is_open_until_a_named_person_has_decided(found):
    def word(yes):
        return "yes" if yes else "no"

    made = set()
    for r in found:
        flags = (word(r.is_open), word(r.alarming(NIGHT)), word(r.overdue(NIGHT)))
        made.add((r.dispute_id, *flags, r.outcome or "-", r.reviewer or "-", r.due_on.isoformat()))
    assert made == {tuple(r.values()) for r in rows(EXPECTED)}


def test_an_application_is_marked_while_any_of_its_reviews_is_open(found):
    marked = under_review(found)
    assert (12, "motor_cover", "demo-insurer") in marked
    assert {p for p, _, _ in marked} == {1, 3, 4, 5, 6, 8, 9, 10, 11, 12}
