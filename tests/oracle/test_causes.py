"""No score of the history changed without a cause, and the history shows what the causes are for."""

import datetime as dt
import json

import pytest

from benchmarks.causes import told
from jobs.cli import main
from schemas.reasons import CHANGE_CAUSES
from tests.oracle.conftest import date

# what no delivery can bring about: an operator's decision, a row taken back, another program
NOT_PLANTED = {"contest_ended", "record_gone", "rules_changed"}


@pytest.fixture(scope="module")
def changes(history):
    """Every change between neighbouring nights."""
    return told(history.lake)


def test_no_change_is_without_a_cause(changes):
    assert changes.without == []
    assert changes.changes > 500


def test_the_history_shows_every_cause(changes):
    assert set(CHANGE_CAUSES) - set(changes.causes) - NOT_PLANTED == set()


def test_explain_names_the_causes_between_any_two_nights(history, capsys):
    """Over the whole history, whichever night is named first, and in each format."""
    from jobs.lake.lake import Lake

    lake = Lake(history.lake)
    version = lake.version("accepted/consents")
    rows = lake.dataset("accepted/consents", version).to_table(columns=["national_id", "purpose"]).to_pylist()
    people = sorted({r["national_id"] for r in rows if r["purpose"] == "consumer_credit"})[:40]
    words = ["explain", *people, "--lake", history.lake, "--purpose", "consumer_credit"]

    def said(fmt: str, as_of: dt.date, against: dt.date) -> str:
        nights = ["--as-of", as_of.isoformat(), "--against", against.isoformat()]
        assert main([*words, *nights, "--format", fmt]) == 0
        return capsys.readouterr().out

    forward = json.loads(said("json", date(60), date(1)))
    found = [c for o in forward if o.get("against") for c in o["against"]["changes"]]
    scored = [c for c in found if c["before"] != c["after"]]
    assert len(scored) >= 20
    assert all(c["causes"] and not c["unexplained"] for c in scored)
    assert all(
        set(c["causes"][0]) >= {"cause", "text", "feed", "record_id", "file", "row_number"} for c in scored
    )
    backward = json.loads(said("json", date(1), date(60)))
    assert [o["against"]["changes"] for o in backward] == [o["against"]["changes"] for o in forward]
    for fmt in ("text", "html"):
        shown = said(fmt, date(60), date(1))
        assert "because" in shown
        assert "record_new" in shown
        assert "no cause was found" not in shown
