"""What is held back though its order is in force: a recall until a newer revision, a refusal until a person decides."""

import datetime as dt

import pytest

from jobs.rules.holds import held
from tests.tables import rows

# hours of one day; decisions, answers and the record's version, and whether it is held at the end
CASES = """
case                         | events                                      | version | held
nothing                      |                                             | 1       | -
recalled                     | recall@5:1                                  | 1       | recall
recalled, mended             | recall@5:1                                  | 6       | -
recalled, an older version   | recall@5:4                                  | 1       | recall
recalled of no version       | recall@5:-                                  | -       | recall
recalled of none, one came   | recall@5:-                                  | 6       | -
recalled, not there any more | recall@5:1                                  | -       | recall
recalled, released           | recall@5:1 release@6:1                      | 1       | -
recalled again               | recall@5:1 release@6:1 recall@7:1           | 1       | recall
recalled anew after mending  | recall@5:1 recall@7:6                       | 6       | recall
recalled, kept               | recall@5:1 keep@6:1                         | 1       | recall
refused                      | refused@5                                   | 1       | refused
refused, a newer revision    | refused@5                                   | 9       | refused
refused, kept                | refused@5 keep@6:1                          | 1       | refused
refused, released            | refused@5 release@6:1                       | 1       | -
refused again                | refused@5 release@6:1 refused@7             | 1       | refused
released before              | release@4:1 refused@5                       | 1       | refused
acted on                     | acted@5 loaded@6                            | 1       | -
recalled and refused         | recall@5:1 refused@6                        | 1       | recall
recalled, mended, refused    | recall@5:1 refused@6                        | 9       | refused
"""


def hour(text):
    return None if text == "-" else dt.datetime(2026, 11, 20, int(text), tzinfo=dt.UTC)


def told(text):
    decisions, answers = [], []
    for word in text.split():
        what, _, when = word.partition("@")
        at, _, version = when.partition(":")
        if what in ("recall", "release", "keep"):
            decisions.append(
                {"record_id": "r", "event": what, "decided_at": hour(at), "revised_at": hour(version or "-")}
            )
        else:
            answers.append({"record_id": "r", "outcome": what, "taken_at": hour(at)})
    return decisions, answers


@pytest.mark.parametrize("case", rows(CASES), ids=lambda r: r["case"])
def test_until_when_a_record_is_held_back(case):
    decisions, answers = told(case["events"])
    found = held(decisions, answers, {"r": hour(case["version"])})
    assert {k: h.reason for k, h in found.items()} == ({} if case["held"] == "-" else {"r": case["held"]})
    # the order in which the ledger gives its rows says nothing
    assert held(decisions[::-1], answers[::-1], {"r": hour(case["version"])}) == found


def test_a_hold_says_whether_a_person_has_looked():
    for text, looked in (("refused@5", False), ("refused@5 keep@6:1", True), ("keep@4:1 refused@5", False)):
        assert held(*told(text), {})["r"].decided == looked
