"""State, entry, cause and count of each order on each night, against the table."""

import json

import pytest

from tests.edges import consents, orders
from tests.edges.conftest import LATE, NIGHTS
from tests.tables import rows

CASES = rows(orders.ORDERS)
WORDS = {v: k for k, v in orders.LETTERS.items() if v}
# what a state makes of an entry that was listed (RULES, "Removal causes")
CAUSE = {"S": "satisfied", "A": "set_aside", "T": "stay", "P": "appeal", "X": "expiry", "D": "dispute"}
COUNTED = {
    "mj": ("judgments_unsatisfied", "judgments_satisfied"),
    "ins": ("insolvencies",),
    "dir": ("judgments_unsatisfied", "judgments_satisfied", "insolvencies"),
    "deb": ("judgments_unsatisfied", "judgments_satisfied", "insolvencies"),
    "tax": ("tax_debt_minor",),
    "ban": ("driving_disqualifications",),
    "pts": ("penalty_points_minor", "penalty_points_serious"),
}


@pytest.fixture(scope="session")
def registers(history):
    """(record, register) -> a row a night."""
    found = {}
    for night in (*NIGHTS, *LATE):
        for r in history.query("from registers", night):
            found.setdefault((r["record_id"], r["register"]), {})[night] = r
    return found


def entries(states):
    """``(listed, since, cause)`` a night that follow from a row of states."""
    listed, since, was, made = None, None, False, []
    for night, letter in zip(NIGHTS, states, strict=True):
        if letter == ".":
            made.append(None)
            continue
        now = letter == "I"
        if now != listed:
            listed, since = now, night
        cause = None if now or not was else CAUSE.get(letter, "correction")
        was = was or now
        made.append((now, since, cause))
    return made


def shown(row):
    return None if row is None else (row["listed"], str(row["since"]), row["cause"])


def test_every_order_has_its_state_on_every_night(history, registers):
    wrong = []
    for case in CASES:
        _, _, register, _ = orders.KINDS[case["kind"]]
        by_night = registers.get((case["case"], register), {})
        found = "".join(WORDS[by_night[n]["state"]] if n in by_night else "." for n in NIGHTS)
        if found != case["states"]:
            wrong.append(f"{case['case']}: due {case['states']}, found {found}")
    assert wrong == []
    assert {letter for c in CASES for letter in c["states"]} == set(orders.LETTERS)


def test_every_entry_is_listed_since_its_night_and_leaves_with_its_cause(history, registers):
    wrong = []
    for case in CASES:
        _, _, register, _ = orders.KINDS[case["kind"]]
        by_night = registers.get((case["case"], register), {})
        found = [shown(by_night.get(n)) for n in NIGHTS]
        if found != entries(case["states"]):
            wrong.append(f"{case['case']}: due {entries(case['states'])}, found {found}")
    assert wrong == []


def counted(features, kind):
    if features is None:
        return "?"
    names = COUNTED[kind]
    if set(names) & set(features["suspended"]):
        assert all(features[n] is None for n in names if n in features["suspended"])
        return "s"
    if kind == "mj":
        return "u" if features["judgments_unsatisfied"] else "p" if features["judgments_satisfied"] else "0"
    return "1" if any(features[n] for n in names) else "0"


def test_every_record_counts_in_scores_on_its_own_conditions(history):
    people = history.person_ids()
    by_night = {
        night: {people[r["person_id"]]: r for r in history.query("from features", night)} for night in NIGHTS
    }
    wrong = []
    for case in CASES:
        found = "".join(counted(by_night[n].get(case["case"]), case["kind"]) for n in NIGHTS)
        if found != case["counts"]:
            wrong.append(f"{case['case']}: due {case['counts']}, found {found}")
    assert wrong == []


def letter(row):
    if row is None:
        return "."
    return "E" if row["cause"] == "erasure" else WORDS[row["state"]]


def test_orders_of_people_who_die_are_erased_or_contested_leave(history, registers):
    wrong = []
    for e in rows(consents.ENTRIES):
        by_night = registers[(f"J-{e['who']}", "judgment_debts")]
        found = "".join(letter(by_night.get(n)) for n in NIGHTS)
        last = [r["cause"] for r in by_night.values() if r["cause"]]
        if (found, (last or ["-"])[0]) != (e["states"], e["cause"]):
            wrong.append(f"{e}: found {found} {last}")
        assert all(r["listed"] == (r["state"] == "in_force") for r in by_night.values())
    assert wrong == []


def test_a_record_of_another_person_or_register_leaves_as_a_correction(history, registers):
    people = {name: person for person, name in history.person_ids().items()}
    handed = registers[("handed-over", "judgment_debts")]
    assert [handed[n]["person_id"] for n in NIGHTS] == [people["giver"]] * 2 + [people["taker"]] * 3
    assert [str(handed[n]["since"]) for n in NIGHTS] == [NIGHTS[0]] * 2 + [NIGHTS[2]] * 3
    out, into = registers[("reclassified", "judgment_debts")], registers[("reclassified", "insolvencies")]
    assert (out[NIGHTS[2]]["listed"], out[NIGHTS[2]]["cause"]) == (False, "correction")
    assert NIGHTS[3] not in out
    assert [n for n in NIGHTS if n in into and into[n]["listed"]] == list(NIGHTS[2:])


def test_late_feeds_add_nobody_and_still_remove(history, registers):
    late = registers[("late-order", "judgment_debts")]
    # taken on the night on which disputes are late, listed on the next, on which they are not
    assert [late[n]["listed"] for n in LATE[1:]] == [False, True]
    sound = registers[("sound", "judgment_debts")]
    assert [(sound[n]["listed"], sound[n]["cause"]) for n in LATE] == [
        (True, None),
        (False, "satisfied"),
        (False, "satisfied"),
    ]
    ban = registers[("ban-sound", "driving_disqualifications")]
    assert [ban[n]["listed"] for n in LATE] == [True, True, True]


def test_nothing_shows_who_it_is(history):
    ids = {history.national_id(w) for w in list(history.people)}
    for view in ("registers", "features", "scores", "quarantine", "deliveries", "notices", "disclosures"):
        text = json.dumps(
            [{k: str(v) for k, v in r.items()} for r in history.query(f"from {view}", NIGHTS[4])]
        )
        assert not any(i in text for i in ids)
        assert "Horvat" not in text
