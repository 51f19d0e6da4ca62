"""What is refused of an outcomes file, in one line that names rows by number alone."""

import datetime as dt

import pytest

from jobs.errors import AssentError
from jobs.lake.outcomes import read_outcomes

NIGHT = dt.date(2026, 11, 20)
GOOD = "national_id,outcome_on,bad\nA1,2026-11-21,0\nA2,2026-12-31,1\n"


def read(tmp_path, text):
    path = tmp_path / "outcomes.csv"
    path.write_text(text, encoding="utf-8")
    return read_outcomes(path, NIGHT)


def test_ids_and_outcomes_in_the_order_of_the_file(tmp_path):
    found = read(tmp_path, GOOD)
    assert (found.national_ids, found.bad) == (["A1", "A2"], [False, True])
    assert len(found.sha256) == 64


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            GOOD.replace("2026-11-21", "2026-11-20"),
            "row 1 has an outcome of 2026-11-20, known on the night of",
        ),
        (GOOD.replace(",1\n", ",2\n"), "row 2 is neither 0 nor 1"),
        (GOOD.replace(",1\n", ",0\n"), "2 rows of one outcome only"),
        (GOOD.replace("2026-12-31", "31.12.2026"), "row 2 has no date"),
        (GOOD.replace("A2,2026-12-31,1", "A2,2026-12-31"), "row 2 has the wrong number of fields"),
        (GOOD.replace("outcome_on", "seen_on"), "column seen_on is unknown"),
        ("national_id,bad\nA1,0\n", "column outcome_on is unknown, missing"),
        ("", "unknown, missing"),
        (GOOD.splitlines()[0], "0 rows of one outcome only"),
    ],
)
def test_what_is_refused(tmp_path, text, said):
    with pytest.raises(AssentError, match=said) as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value)
    assert "A1" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(AssentError, match=r"none.csv: cannot be read \(FileNotFoundError\)"):
        read_outcomes(tmp_path / "none.csv", NIGHT)
