"""Which nights of a large lake are small: those that compute a few people, as far as that is known before."""

from pathlib import Path

import pytest

from jobs.lake import lake as lakes
from jobs.lake import touched
from jobs.nightly import open_night
from tests.oracle.conftest import date
from tests.tables import rows

TABLE = """
night                          | lake  | number | full | policy  | rows | small
a usual one                    | large | 61     | no   | same    | few  | yes
the first of a month           | large | 77     | no   | same    | few  | no
everything asked for           | large | 61     | yes  | same    | few  | no
under another policy           | large | 61     | no   | shipped | few  | no
of many rows                   | large | 61     | no   | same    | many | no
of a small lake, whatever else | small | 77     | yes  | shipped | many | yes
"""


@pytest.mark.parametrize("case", rows(TABLE), ids=lambda c: c["night"])
def test_a_night_is_small(history, monkeypatch, case):
    if case["lake"] == "large":
        monkeypatch.setattr(lakes, "SMALL_BYTES", 0)
    monkeypatch.setattr(touched, "WORTH_ROWS", 0)
    monkeypatch.setattr(touched, "FEW_ROWS", {"few": 0, "many": -1}[case["rows"]])
    if case["policy"] == "same":
        monkeypatch.setenv("ASSENT_POLICY", str(Path(history.lake).parent / "policy" / "policy.yaml"))
    night = open_night(
        date(int(case["number"])), history.lake, str(history.deliveries), full=case["full"] == "yes"
    )
    assert night.lake.starts_small() == (case["small"] == "yes")
