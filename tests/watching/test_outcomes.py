"""What is refused of an outcomes file, in one line that names lines by number alone."""

import datetime as dt

import pytest

from jobs.errors import AssentError
from jobs.lake.keys import Keys, make_keys
from jobs.lake.macs import Macs
from jobs.lake.outcomes import read_outcomes
from tests.extract.conftest import oib

NIGHT = dt.date(2026, 11, 20)
ONE, OTHER = oib(1), oib(2)
GOOD = f"national_id,outcome_on,bad\n{ONE},2026-11-21,0\n{OTHER},2026-12-31,1\n"


@pytest.fixture
def macs(tmp_path):
    make_keys(tmp_path / "keys")
    return Macs(Keys(tmp_path / "keys"), "hr.oib")


def read(tmp_path, text, macs):
    path = tmp_path / "outcomes.csv"
    path.write_text(text, encoding="utf-8")
    return read_outcomes(path, NIGHT, macs)


def test_who_and_what_became_of_them(tmp_path, macs):
    assert sorted(read(tmp_path, GOOD, macs).values()) == sorted([(ONE, 0), (OTHER, 1)])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD.replace("2026-11-21", "2026-11-20"), ":2: outcome_on is not after the night 2026-11-20"),
        (GOOD.replace(",1\n", ",2\n"), ":3: bad must be 0 or 1"),
        (GOOD.replace("2026-12-31", "31.12.2026"), ":3: outcome_on is not a date"),
        (GOOD.replace(OTHER, "123"), ":3: not a valid national_id"),
        (GOOD + GOOD.splitlines()[1], ":4: a second line for one person"),
        (GOOD.replace(f"{OTHER},", f" {ONE},"), ":3: a second line for one person"),
        (GOOD.replace("outcome_on", "seen_on"), "must have the columns"),
        ("national_id,bad\n1,0\n", "must have the columns"),
        ("", "is not a readable CSV"),
        (GOOD.splitlines()[0] + "\n", "holds nobody"),
    ],
)
def test_what_is_refused(tmp_path, macs, text, said):
    with pytest.raises(AssentError, match=said) as caught:
        read(tmp_path, text, macs)
    assert "\n" not in str(caught.value)
    assert ONE not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path, macs):
    with pytest.raises(AssentError, match="FileNotFoundError"):
        read_outcomes(tmp_path / "none.csv", NIGHT, macs)
