"""What of an agency's answer is taken, and what is wrong with the rest."""

import datetime as dt

import pytest

from jobs.rules.returned import answer, header_fault, of_package
from tests.tables import rows

PACKAGE, NIGHT = dt.date(2026, 11, 18), dt.date(2026, 11, 20)
CASES = """
record_id | outcome | reason                | on         | taken
R1        | loaded  |                       | 2026-11-18 | loaded -
R1        | LOADED  |                       | 2026-11-20 | loaded -
R1        | acted   | not_our_remit         | 2026-11-19 | acted not_our_remit
R1        | refused | not_our_remit         | 2026-11-19 | refused not_our_remit
R1        | refused | Not our person        | 2026-11-19 | refused not_our_person
R1        | refused | she moved to Split    | 2026-11-19 | refused other
R1        | refused |                       | 2026-11-19 | missing_required
R1        |         |                       | 2026-11-19 | missing_required
          | loaded  |                       | 2026-11-19 | missing_required
R1        | loaded  |                       |            | missing_required
R1        | loded   |                       | 2026-11-19 | unknown_value
R2        | loaded  |                       | 2026-11-19 | unknown_value
R1        | loaded  |                       | 19.11.2026 | bad_type
R1        | loaded  |                       | 2026-W47-4 | bad_type
R1        | loaded  |                       | 2026-11-17 | impossible_date
R1        | loaded  |                       | 2026-11-21 | impossible_date
"""


@pytest.mark.parametrize(
    "row", rows(CASES), ids=lambda r: f"{r['outcome']} {r['reason']} {r['on']} {r['taken']}"
)
def test_a_row_is_taken_or_has_a_code(row):
    found = answer(row, {"R1": 7}, PACKAGE, NIGHT)
    if isinstance(found, str):
        assert found == row["taken"]
    else:
        assert f"{found['outcome']} {found['reason'] or '-'}" == row["taken"]
        assert (found["record_id"], found["person_id"]) == ("R1", 7)
        assert "split" not in str(found).lower()  # words of one's own are not kept


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("judgment_debts-2026-11-18.csv", ("judgment_debts", PACKAGE)),
        ("judgment_debts-2026-11-31.csv", None),
        ("judgment_debts.csv", None),
        ("../judgment_debts-2026-11-18.csv", None),
        ("judgment_debts-2026-11-18.csv.part", None),
    ],
)
def test_a_file_is_named_after_its_package(name, found):
    assert of_package(name) == found


@pytest.mark.parametrize(
    ("head", "code"),
    [
        ("on reason outcome record_id", None),
        ("record_id outcome on", "missing_column"),
        ("record_id outcome reason on name", "unknown_column"),
        ("record_id outcome reason on on", "duplicate_column"),
    ],
)
def test_a_file_has_the_four_columns(head, code):
    assert header_fault(head.split()) == code
