"""Who is scored on each night, from which sources, and what becomes of each row of consents."""

from tests.edges import consents
from tests.edges.conftest import LATE, NIGHTS
from tests.tables import rows


def test_every_row_ends_where_its_table_says(history):
    refused = {
        (r["file"], r["row_number"]): "+".join(r["reasons"])
        for r in history.query("from quarantine", NIGHTS[4])
    }
    wrong = []
    for (day, feed, number), outcome in history.due.items():
        found = refused.get((f"{day}/{feed}.csv", number), "accepted")
        if found != outcome:
            wrong.append(
                f"{day} {feed} {history.rows[(day, feed)][number - 1]}: due {outcome}, found {found}"
            )
    assert wrong == []


def letters(history):
    people = history.person_ids()
    found = {}
    for night in (*NIGHTS, *LATE):
        for r in history.query("from scores", night):
            letter = {None: "s", "source_absent": "a", "thin_file": "t"}[r["no_score_reason"]]
            assert (r["status"] == "scored") == (letter == "s")
            assert str(r["score_date"]) == night
            found.setdefault((people[r["person_id"]], r["recipient"]), {})[night] = (
                letter,
                r["sources_used"],
            )
    return found


def test_every_due_score_is_there_and_no_other(history):
    here = {r["who"] for r in rows(consents.ROWS)}
    found = {
        key: "".join(by[n][0] if n in by else "." for n in NIGHTS)
        for key, by in letters(history).items()
        if key[0] in here
    }
    due = {(r["who"], r["recipient"]): r["scores"] for r in rows(consents.DUE)}
    assert {k: (due.get(k, "....."), found.get(k, ".....")) for k in due.keys() | found.keys() if due.get(k, ".....") != found.get(k, ".....")} == {}  # fmt: skip


def test_sources_used_are_consented_fresh_and_have_a_record(history):
    found = letters(history)
    wrong = []
    for r in rows(consents.SOURCES):
        for night in NIGHTS:
            _, used = found[(r["who"], r["recipient"])].get(night, (None, ["."]))
            if ("+".join(used) or "-") != r[night[5:]]:
                wrong.append((r["who"], night, used, r[night[5:]]))
    assert wrong == []


def test_a_late_feed_is_absent(history):
    found = letters(history)
    assert not [k for k, by in found.items() if LATE[0] in by]  # consents are late: nobody is scored
    # disputes are late: what agencies decided is absent, bookings are not
    assert found[("all-sources", "demo-lender")][LATE[1]] == ("s", ["transactions"])
    assert found[("driver", "demo-insurer")][LATE[1]] == ("a", [])
    assert found[("student", "demo-student-finance")][LATE[1]] == ("s", ["education", "transactions"])
    # transactions and traffic are late, tax and court are not
    assert found[("all-sources", "demo-lender")][LATE[2]] == ("a", ["court", "tax"])
    assert found[("driver", "demo-insurer")][LATE[2]] == ("a", [])
    assert found[("student", "demo-student-finance")][LATE[2]] == ("s", ["education"])
