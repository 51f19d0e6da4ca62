"""Which nights of a large lake are small: those that compute a few people, as far as that is known before."""

from pathlib import Path

import pytest

from jobs.lake import lake as lakes
from jobs.lake import touched
from jobs.nightly import open_night
from tests.oracle.conftest import date
from tests.tables import rows

TABLE = """
night                             | lake  | number | full | policy  | limit   | small
a usual one                       | large | 61     | no   | same    | 1000000 | yes
the first of a month              | large | 77     | no   | same    | 1000000 | no
everything asked for              | large | 61     | yes  | same    | 1000000 | no
under another policy              | large | 61     | no   | shipped | 1000000 | no
after two weeks without deliveries | large | 75     | no   | same    | 1000000 | no
more than the limit               | large | 61     | no   | same    | -1      | no
of a small lake, whatever else    | small | 77     | yes  | shipped | 0       | yes
"""


@pytest.mark.parametrize("case", rows(TABLE), ids=lambda c: c["night"])
def test_a_night_is_small(history, monkeypatch, case):
    if case["lake"] == "large":
        monkeypatch.setattr(lakes, "SMALL_BYTES", 0)
    monkeypatch.setattr(touched, "WORTH_ROWS", 0)
    monkeypatch.setattr(touched, "FEW_ROWS", int(case["limit"]))
    if case["policy"] == "same":
        monkeypatch.setenv("ASSENT_POLICY", str(Path(history.lake).parent / "policy" / "policy.yaml"))
    night = open_night(
        date(int(case["number"])), history.lake, str(history.deliveries), full=case["full"] == "yes"
    )
    assert night.lake.starts_small() == (case["small"] == "yes")
