"""When a score falls across a band that its recipient uses, and what a policy may say of it."""

import pytest

from jobs.lake.config import REPOSITORY, load_policy
from jobs.rules.bands import bands_used, fell_across
from jobs.rules.policy import PolicyError, compile_policy
from tests.tables import rows

FALLS = """
before | after | used    | fell
A      | B     | A+B+C+D | yes
A      | A     | A+B+C+D | no
B      | A     | A+B+C+D | no
-      | E     | A+B+C+D | no
A      | -     | A+B+C+D | no
A      | B     | C       | no
A      | C     | C       | no
A      | D     | C       | yes
C      | D     | C       | yes
D      | E     | C       | no
D      | E     | D       | yes
B      | C     | A+C     | no
B      | E     | A+C     | yes
"""


@pytest.mark.parametrize("row", rows(FALLS), ids=lambda r: f"{r['before']}{r['after']}-{r['used']}")
def test_a_fall_counts_where_the_recipient_draws_a_line(row):
    before, after = (None if row[k] == "-" else row[k] for k in ("before", "after"))
    assert fell_across(before, after, row["used"].split("+")) is (row["fell"] == "yes")


TEXT = (REPOSITORY / "policy.yaml").read_text(encoding="utf-8")


def test_without_a_word_in_the_policy_the_careful_answer_holds():
    bare = compile_policy("\n".join(x for x in TEXT.splitlines() if not x.startswith(KEYS)), "policy.yaml")
    for policy in (load_policy(), bare):
        assert bands_used(policy, "demo-lender") == ("A", "B", "C", "D")
    assert 0 < bare.sending.new_consents_share <= 0.5
    assert bare.sending.pages is True


KEYS = ("operator:", "bands_used:", "new_consents_share:", "notice_pages:")


def test_a_policy_names_the_bands_that_a_recipient_uses():
    policy = compile_policy(TEXT + "\nbands_used: {demo-lender: [C]}\n", "policy.yaml")
    assert bands_used(policy, "demo-lender") == ("C",)
    assert bands_used(policy, "other-lender") == ("A", "B", "C", "D")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("bands_used: {enforcement-office: [C]}", "receives no score"),
        ("bands_used: {demo-lender: [E]}", "must be of A, B, C, D"),
        ("bands_used: {demo-lender: []}", "one at least"),
        ("bands_used: [C]", "must be a mapping"),
        ("new_consents_share: 0.9", "must be 0..0.5"),
        ("new_consents_share: many", "must be 0..0.5"),
        ("new_consents_share: true", "must be 0..0.5"),
        ("operator: {name: X}", "operator needs contact"),
        ("operator: {name: X, contact: Y, phone: Z}", "remove it"),
        ("notice_pages: maybe", "true or false"),
        ("unattested: export", "outside the floor"),
    ],
)
def test_a_policy_that_goes_beyond_the_floor_names_the_line(line, said):
    kept = "\n".join(x for x in TEXT.splitlines() if not x.startswith(line.split(":")[0] + ":"))
    text = f"{kept}\n{line}\n"
    with pytest.raises(PolicyError, match=rf"^policy\.yaml:{text.count(chr(10))}: ") as caught:
        compile_policy(text, "policy.yaml")
    assert said in str(caught.value)
