"""Disparity from counts alone: what is reported, what is refused, and that no trait reaches the lake."""

import pytest

from jobs.disparity import disparity, read_counts
from jobs.errors import AssentError
from jobs.rules.floor import denied_word
from schemas.contract import contracts

HEAD = "purpose,trait,group,band,people,bad\n"
COUNTS = """consumer_credit,sex,one,B,800,40
consumer_credit,sex,one,E,200,80
consumer_credit,sex,other,B,500,25
consumer_credit,sex,other,E,500,200
consumer_credit,sex,small,E,9,1
"""


def write(tmp_path, text):
    path = tmp_path / "counts.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_rates_ratios_and_intervals(tmp_path):
    rows = {r["group"]: r for r in disparity(read_counts(write(tmp_path, HEAD + COUNTS)))}
    assert (rows["one"]["selection_rate"], rows["other"]["selection_rate"]) == (0.8, 0.5)
    assert rows["other"]["selection_ratio"] == pytest.approx(0.625)
    assert (rows["one"]["severity"], rows["other"]["severity"]) == ("ok", "warning")
    # good people not selected: 120 of 880, and 300 of 775
    assert rows["one"]["false_negative_rate"] == pytest.approx(120 / 880)
    assert rows["other"]["false_negative_rate"] == pytest.approx(300 / 775)
    assert rows["one"]["false_positive_rate"] == pytest.approx(40 / 120)
    assert rows["one"]["selection_low"] < 0.8 < rows["one"]["selection_high"]
    assert rows["small"] == {
        "purpose": "consumer_credit", "trait": "sex", "group": "small", "people": 9, "severity": "few"
    }  # fmt: skip


def test_without_outcomes_only_the_selection_is_told(tmp_path):
    text = "purpose,trait,group,band,people\nconsumer_credit,sex,one,B,20\nconsumer_credit,sex,one,E,20\n"
    (row,) = disparity(read_counts(write(tmp_path, text)))
    assert row["selection_rate"] == 0.5
    assert "false_negative_rate" not in row


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("national_id,purpose,trait,group,band,people\n", "column national_id is of persons"),
        ("purpose,trait,group,people\n", "column band is missing"),
        (HEAD + "consumer_credit,sex,one,B,many,\n", "row 1 has no whole number"),
        (HEAD + "threat,sex,one,B,10,\n", "row 1 has an unknown purpose"),
        (HEAD + "consumer_credit,sex,one,B,10,11\n", "row 1 has an unknown purpose or band, or a count"),
    ],
)
def test_what_is_refused(tmp_path, text, said):
    with pytest.raises(AssentError, match=said):
        read_counts(write(tmp_path, text))


def test_no_feed_has_a_protected_trait():
    for contract in contracts().values():
        assert not [n for n in contract.names if denied_word(n)]
    assert denied_word("sex")
    assert denied_word("ethnic_group")
