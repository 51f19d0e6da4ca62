"""What changed a score between two nights: a truth table for each cause.

A line gives what the night before and the night after knew of one record as differences from a plain one, and the causes
that follow. The nights are 19 and 20 November 2026.
"""

import datetime as dt
from dataclasses import replace

import pytest

from jobs.rules import consent_causes
from jobs.rules.causes import Known, of_bookings, of_feed, of_records, of_time
from jobs.rules.change import Application, of_application, unexplained
from jobs.rules.floor import FEATURES_BY_SOURCE
from schemas.reasons import CHANGE_CAUSES

BEFORE, AFTER = dt.date(2026, 11, 19), dt.date(2026, 11, 20)
PLAIN = {
    "court": {"kind": "money_judgment", "ordered_on": "2024-01-10", "objection_until": "2024-03-01"},
    "traffic": {
        "kind": "penalty_points", "severity": "minor", "ordered_on": "2024-01-10", "objection_until": "2024-03-01",
    },
    "tax": {"status": "assessed", "assessed_on": "2024-01-10"},
    "education": {"awarded_on": "2024-01-10"},
}  # fmt: skip
DATES = ("_on", "_until", "_from")
FLAGS = {"disputed": False, "upheld": False, "in_doubt": False}


def value(column, text):
    if text in ("yes", "no"):
        return text == "yes"
    return dt.date.fromisoformat(text) if column.endswith(DATES) or column == "night" else text


def cells(text, **plain):
    """A row from ``column=value`` pairs, or None for ``-``."""
    if text == "-":
        return None
    pairs = dict(p.split("=") for p in text.split() if p != "plain")
    row = {"file": "first", "row_number": 1, "night": "2026-11-01", **plain, **pairs}
    return {**FLAGS, **{k: value(k, v) if isinstance(v, str) else v for k, v in row.items()}}


def lines(table):
    return [[c.strip() for c in line.split("|")] for line in table.strip().splitlines()]


RECORDS = """
court     | -                       | night=2026-11-20                        | record_new
court     | plain                   | -                                       | record_gone
court     | plain                   | plain                                   | -
court     | plain                   | file=second                             | record_revised
court     | plain                   | disputed=yes                            | record_disputed
court     | disputed=yes            | plain                                   | dispute_ended
court     | disputed=yes            | file=second                             | record_revised dispute_ended
court     | disputed=yes            | upheld=yes                              | dispute_upheld
court     | plain                   | upheld=yes                              | dispute_upheld
court     | upheld=yes              | file=second                             | record_revised record_restored
court     | upheld=yes              | disputed=yes                            | record_disputed record_restored
court     | plain                   | in_doubt=yes                            | record_in_doubt
court     | in_doubt=yes            | file=second                             | record_revised doubt_ended
court     | ordered_on=2019-11-20   | ordered_on=2019-11-20                   | record_obsolete
court     | ordered_on=2019-11-19   | ordered_on=2019-11-19                   | -
court     | ordered_on=2019-11-21   | ordered_on=2019-11-21                   | -
court     | -                       | ordered_on=2019-11-20                   | -
court     | ordered_on=2019-11-19   | -                                       | -
court     | ordered_on=2019-11-20   | -                                       | record_gone
court     | ordered_on=2019-11-19   | ordered_on=2019-11-19 disputed=yes      | -
court     | ordered_on=2019-11-19   | ordered_on=2019-11-21 file=second       | record_revised
court     | kind=insolvency ordered_on=2019-11-20 | kind=insolvency ordered_on=2019-11-20 | -
court     | kind=insolvency ordered_on=2016-11-20 | kind=insolvency ordered_on=2016-11-20 | record_obsolete
court     | objection_until=2026-11-19 | objection_until=2026-11-19           | objection_over
court     | objection_until=2026-11-20 | objection_until=2026-11-20           | -
court     | objection_until=2026-11-30 | file=second objection_until=2026-11-10 | record_revised
court     | expires_on=2026-11-19   | expires_on=2026-11-19                   | order_ended
court     | expires_on=2026-11-20   | expires_on=2026-11-20                   | -
court     | stayed_from=2026-11-20  | stayed_from=2026-11-20                  | stay_began
court     | stayed_until=2026-11-19 | stayed_until=2026-11-19                 | stay_ended
court     | stayed_from=2026-11-19  | stayed_from=2026-11-19                  | -
traffic   | ordered_on=2023-11-20   | ordered_on=2023-11-20                   | record_obsolete
traffic   | severity=serious ordered_on=2023-11-20 | severity=serious ordered_on=2023-11-20 | -
traffic   | severity=serious ordered_on=2021-11-20 | severity=serious ordered_on=2021-11-20 | record_obsolete
tax       | assessed_on=2019-11-20  | assessed_on=2019-11-20                  | record_obsolete
tax       | status=arrears          | status=paid file=second                 | record_revised
education | plain                   | disputed=yes                            | record_disputed
education | awarded_on=2019-11-20   | awarded_on=2019-11-20                   | -
"""


@pytest.mark.parametrize(("feed", "before", "after", "causes"), lines(RECORDS))
def test_causes_of_a_record(feed, before, after, causes):
    nights = []
    for day, text in ((BEFORE, before), (AFTER, after)):
        row = cells(text, **PLAIN[feed])
        nights.append(Known(day, records={feed: {"R1": row} if row else {}}))
    found = list(of_records(feed, *nights))
    assert [c.cause for c in found] == [c for c in causes.split() if c != "-"]
    assert all((c.feed, c.record_id) == (feed, "R1") and c.file for c in found)


ENTERED = """
court   | kind=money_judgment           | judgments_unsatisfied judgments_satisfied months_since_judgment
court   | kind=insolvency               | insolvencies
court   | kind=director_disqualification | -
traffic | severity=minor                | penalty_points_minor
traffic | severity=serious              | penalty_points_serious
traffic | kind=driving_disqualification | driving_disqualifications
"""


@pytest.mark.parametrize(("feed", "row", "features"), lines(ENTERED))
def test_a_cause_names_what_its_record_may_enter(feed, row, features):
    after = Known(AFTER, records={feed: {"R1": cells(row, **PLAIN[feed])}})
    (found,) = of_records(feed, Known(BEFORE, records={feed: {}}), after)
    assert found.features == tuple(f for f in features.split() if f != "-")


def test_a_dispute_and_a_doubt_are_told_by_the_rows_that_brought_them():
    dispute = {"dispute_id": "D1", "feed": "court", "record_id": "R1", "verdict": "open", "night": AFTER}
    dispute |= {"file": "disputes.csv", "row_number": 4}
    refused = {"feed": "court", "record_key": "R1", "kind": None, "contested": False, "night": AFTER}
    refused |= {"file": "refused.csv", "row_number": 9}
    before = Known(BEFORE, records={"court": {"R1": cells("plain", **PLAIN["court"])}})
    row = cells("disputed=yes in_doubt=yes", **PLAIN["court"])
    after = Known(AFTER, records={"court": {"R1": row}}, disputes=(dispute,), refused=(refused,))
    found = {c.cause: (c.file, c.row_number) for c in of_records("court", before, after)}
    assert found == {"record_disputed": ("disputes.csv", 4), "record_in_doubt": ("refused.csv", 9)}


BOOKINGS = """
2026-11-19 | 2026-11-20 | -                                  | night=2026-11-20 booked_on=2026-11-18 | record_new
2026-11-19 | 2026-11-20 | booked_on=2026-11-18               | -                                     | record_gone
2026-11-19 | 2026-11-20 | booked_on=2026-11-18               | booked_on=2026-11-18 struck=disputed  | record_disputed
2026-11-19 | 2026-11-20 | booked_on=2026-11-18 struck=disputed | booked_on=2026-11-18                | dispute_ended
2026-11-19 | 2026-11-20 | booked_on=2026-11-18 struck=disputed | booked_on=2026-11-18 struck=upheld  | dispute_upheld
2026-11-30 | 2026-12-01 | booked_on=2025-11-05               | -                                     | window_moved
2026-11-30 | 2026-12-01 | booked_on=2025-12-05               | booked_on=2025-12-05                  | window_moved
"""


@pytest.mark.parametrize(("first", "second", "before", "after", "causes"), lines(BOOKINGS))
def test_causes_of_bookings(first, second, before, after, causes):
    nights = []
    for day, text in ((first, before), (second, after)):
        row = cells(text, struck=None)
        nights.append(Known(dt.date.fromisoformat(day), bookings={"T1": row} if row else {}))
    assert [c.cause for c in of_bookings(*nights)] == causes.split()


def test_a_month_more_since_the_record_that_gave_both_values():
    day = {"ordered_on": "2026-08-20"}
    rows = {"R1": cells("plain", **PLAIN["court"] | day), "R2": cells("plain", **PLAIN["court"])}
    before, after = (Known(d, records={"court": rows}) for d in (BEFORE, AFTER))
    old, new = {"months_since_judgment": 2.0}, {"months_since_judgment": 3.0}
    assert [(c.cause, c.record_id) for c in of_time("court", before, after, old, new)] == [
        ("time_passed", "R1")
    ]
    assert list(of_time("court", before, after, new, new)) == []


FEEDS = """
court        | yes yes yes | no no yes   | feed_late court
court        | yes yes yes | no yes no   | feed_late disputes
court        | yes yes yes | no no no    | feed_late court, feed_late disputes
transactions | no no yes   | yes yes yes | feed_back transactions
transactions | yes yes yes | yes yes no  | -
"""


@pytest.mark.parametrize(("source", "before", "after", "causes"), lines(FEEDS))
def test_causes_of_a_feed(source, before, after, causes):
    """Whether the source is usable, whether its own delivery is fresh, whether that of disputes is."""
    nights = []
    for day, text in ((BEFORE, before), (AFTER, after)):
        usable, own, disputes = (t == "yes" for t in text.split())
        nights.append(Known(day, fresh={source: usable}, own_fresh={source: own, "disputes": disputes}))
    found = ", ".join(f"{c.cause} {c.feed}" for c in of_feed(source, *nights))
    assert found == causes.replace("-", "")


PAIR = ("consumer_credit", "court", "demo-lender")
GRANTED = "granted_on=2026-06-01 expires_on=2027-05-01"
# what is known of the consent C1 on each night, what else is declared, refused or so of the person, and the cause
CONSENTS = f"""
ended | {GRANTED} | granted_on=2026-06-01 expires_on=2026-11-19 | -        | consent_lapsed
ended | {GRANTED} | {GRANTED} disputed=yes | -                                | consent_disputed
ended | {GRANTED} | {GRANTED} upheld=yes   | -                                | consent_disputed
ended | {GRANTED} | {GRANTED} in_doubt=yes | -                                | consent_in_doubt
ended | {GRANTED} | {GRANTED} | own withdrawn_on=2026-11-20                   | consent_withdrawn
ended | {GRANTED} | {GRANTED} | own withdrawn_on=2026-11-21                   | -
ended | {GRANTED} | {GRANTED} | withdrawal granted_on=2026-11-20              | consent_withdrawn
ended | {GRANTED} | {GRANTED} | withdrawal granted_on=2026-11-20 source=court | consent_withdrawn
ended | {GRANTED} | {GRANTED} | withdrawal granted_on=2026-11-20 source=tax   | -
ended | {GRANTED} | {GRANTED} | withdrawal granted_on=2026-05-01              | -
ended | {GRANTED} | {GRANTED} | death granted_on=2026-11-20                   | deceased
ended | {GRANTED} | -         | erasure granted_on=2026-11-20 night=2026-11-20 | erased
ended | {GRANTED} | {GRANTED} | refused_withdrawal                            | declaration_unread
ended | {GRANTED} | {GRANTED} | refused_access                                | -
ended | {GRANTED} | {GRANTED} | contested                                     | contested
ended | {GRANTED} | {GRANTED} | late                                          | feed_late
ended | {GRANTED} | {GRANTED} | forbidden                                     | policy_changed
began | -         | {GRANTED} | -                                             | consent_granted
began | granted_on=2026-11-20 expires_on=2027-05-01 | granted_on=2026-11-20 expires_on=2027-05-01 | - | consent_granted
began | {GRANTED} disputed=yes | {GRANTED} | -                                | consent_restored
began | {GRANTED} in_doubt=yes | {GRANTED} | -                                | consent_restored
began | {GRANTED} | {GRANTED} | refused_withdrawal                            | declaration_mended
began | {GRANTED} | {GRANTED} | contested                                     | contest_ended
began | {GRANTED} | {GRANTED} | late                                          | feed_back
began | {GRANTED} | {GRANTED} | forbidden                                     | policy_changed
began | {GRANTED} | {GRANTED} | minor                                         | came_of_age
"""


@pytest.mark.parametrize(("what", "before", "after", "so", "causes"), lines(CONSENTS))
def test_causes_of_a_consent(what, before, after, so, causes):
    word, *_ = so.split() or ["-"]
    more = {"disputes": (), "declared": (), "refused": (), "pairs": {PAIR: dt.date(2000, 1, 1)}}
    more |= {"own_fresh": {"consents": True}, "born": dt.date(1980, 1, 1)}
    otherwise = dict(more)
    blank = {"purpose": None, "source": None, "recipient": None, "withdrawn_on": None}
    if word in ("own", "withdrawal", "death", "erasure"):
        key, kind = ("C1", "consent") if word == "own" else ("W1", word)
        row = cells(so.removeprefix(word), **blank, consent_id=key, kind=kind, granted_on="2026-06-01")
        otherwise["declared"] = (row,)
    elif word.startswith("refused") or word == "contested":
        row = {"feed": "consents", "record_key": None, "kind": word.removeprefix("refused_"), "night": AFTER}
        otherwise["refused"] = ({**row, "contested": word == "contested", "file": "f", "row_number": 1},)
    elif word == "late":
        otherwise["own_fresh"] = {"consents": False}
    elif word == "forbidden":
        otherwise["pairs"] = {}
    elif word == "minor":
        more["born"] = otherwise["born"] = dt.date(2008, 11, 20)
    # what is so of the person is so on the night on which the consent is not live
    sides = (more, otherwise) if what == "ended" else (otherwise, more)
    nights = []
    for day, text, side in zip((BEFORE, AFTER), (before, after), sides, strict=True):
        row = cells(text, consent_id="C1")
        nights.append(Known(day, consents={"C1": row} if row else {}, **side))
    ids = ("C1", None) if what == "ended" else (None, "C1")
    found = list(consent_causes.of_source(PAIR, *ids, *nights))
    assert [c.cause for c in found] == [c for c in causes.split() if c != "-"]


def test_a_refused_declaration_stops_nothing_once_it_is_mended():
    refused = {"feed": "consents", "kind": "withdrawal", "contested": False, "night": BEFORE}
    refused |= {"file": "f", "row_number": 1}
    said = cells("night=2026-11-20", kind="withdrawal", consent_id="W1", granted_on="2026-01-01",
                 purpose="motor_cover", source=None, recipient=None, withdrawn_on=None)  # fmt: skip
    row = cells(GRANTED, consent_id="C1")
    common = {"consents": {"C1": row}, "own_fresh": {"consents": True}, "pairs": {PAIR: dt.date(2000, 1, 1)}}
    for key in ("W1", None):
        before = Known(BEFORE, refused=({**refused, "record_key": key},), **common)
        after = Known(AFTER, refused=({**refused, "record_key": key},), declared=(said,), **common)
        found = [c.cause for c in consent_causes.of_source(PAIR, None, "C1", before, after)]
        assert found == ["declaration_mended"]


# -- of an application
def application(score=700, version="1", policy="p", code="c", **features):
    names = [f for s in ("transactions", "tax", "court") for f in FEATURES_BY_SOURCE[s]]
    row = {
        "status": "scored",
        "score": score,
        "band": "B",
        "points": [score],
        "reasons": [],
        "no_score_reason": None,
    }
    row |= {"scorecard_version": version, "sources_used": ["court", "transactions"]}
    return Application(
        "consumer_credit",
        "demo-lender",
        row,
        {**dict.fromkeys(names), "suspended": [], **features},
        {"transactions": "C1", "court": "C2"},
        (version, version),
        policy,
        code,
    )


def person(night, *orders):
    rows = {f"R{n}": cells(text, **PLAIN["court"]) for n, text in enumerate(orders, 1)}
    usable = dict.fromkeys(("transactions", "court", "tax", "consents", "disputes"), True)
    return Known(night, records={"court": rows}, fresh=usable, own_fresh=usable)


def test_nothing_changed_has_no_cause():
    one = application(insolvencies=0.0)
    assert of_application(one, one, person(BEFORE, "plain"), person(AFTER, "file=second")) == ()
    assert unexplained(one, one, ()) == ()


def test_a_cause_is_kept_where_it_may_have_moved_what_changed():
    old, new = application(insolvencies=0.0), application(600, insolvencies=1.0)
    before = person(BEFORE, "plain", "kind=insolvency")
    after = person(AFTER, "file=second", "kind=insolvency file=second")
    (found,) = of_application(old, new, before, after)
    assert (found.cause, found.record_id, found.source, found.features) == (
        "record_revised", "R2", "court", ("insolvencies",),
    )  # fmt: skip
    assert unexplained(old, new, (found,)) == ()
    assert unexplained(old, new, ()) == ("insolvencies",)


def test_a_suspended_feature_is_a_change():
    old, new = application(), application(suspended=["insolvencies"])
    before, after = person(BEFORE, "kind=insolvency"), person(AFTER, "kind=insolvency disputed=yes")
    assert [c.cause for c in of_application(old, new, before, after)] == ["record_disputed"]


def test_a_consent_that_ended_is_told_also_where_no_score_shows_it():
    old, new = application(), application()
    new.consents.pop("court")
    row = cells(GRANTED, consent_id="C2")
    lapsed = cells("granted_on=2026-06-01 expires_on=2026-11-19", consent_id="C2")
    nights = [
        replace(person(day), consents={"C2": it}, pairs={PAIR: dt.date(2000, 1, 1)})
        for day, it in ((BEFORE, row), (AFTER, lapsed))
    ]
    (found,) = of_application(old, new, *nights)
    assert (found.cause, found.source, found.features) == ("consent_lapsed", "court", ())
    assert unexplained(old, new, (found,)) == ()
    assert unexplained(old, new, ()) == ("court",)


def test_a_consent_in_place_of_another_is_told():
    old, new = application(), application()
    new.consents["court"] = "C3"
    first, second = cells(GRANTED, consent_id="C2"), cells(GRANTED, consent_id="C3")
    before, after = (
        replace(person(day), consents=held, pairs={PAIR: dt.date(2000, 1, 1)})
        for day, held in ((BEFORE, {"C2": first}), (AFTER, {"C2": first, "C3": second}))
    )
    (found,) = of_application(old, new, before, after)
    assert (found.cause, found.record_id) == ("consent_granted", "C3")


VERSIONS = """
version=1 policy=p code=c | version=2 policy=p code=c | scorecard_changed
version=1 policy=p code=c | version=1 policy=q code=c | policy_changed
version=1 policy=p code=c | version=1 policy=p code=d | rules_changed
"""


@pytest.mark.parametrize(("before", "after", "cause"), lines(VERSIONS))
def test_causes_of_the_versions_in_force(before, after, cause):
    old, new = (
        application(score, **dict(p.split("=") for p in text.split()))
        for score, text in ((700, before), (705, after))
    )
    found = of_application(old, new, person(BEFORE), person(AFTER))
    assert [c.cause for c in found] == [cause]
    assert (found[0].before, found[0].after) != (None, None)
    # a policy moves no score that has the same features
    assert unexplained(old, new, found) == (("score", "points") if cause == "policy_changed" else ())


def test_a_new_policy_explains_what_authorities_decide_and_nothing_else():
    old = application(policy="p", insolvencies=0.0)
    for changed, missing in (
        ({"insolvencies": 1.0}, ()),
        ({"insolvencies": 0.0, "months_late": 1.0}, ("months_late",)),
    ):
        new = application(600, policy="q", **changed)
        found = of_application(old, new, person(BEFORE), person(AFTER))
        assert [c.cause for c in found] == ["policy_changed"]
        assert unexplained(old, new, found) == missing


def test_an_application_that_a_policy_ends_says_so_once():
    old = application(policy="p")
    new = Application("consumer_credit", "demo-lender", None, None, {}, ("1", "1"), "q", "c")
    row = cells(GRANTED, consent_id="C1")
    pair = ("consumer_credit", "transactions", "demo-lender")
    common = {"consents": {"C1": row}, "own_fresh": {"consents": True}}
    before = Known(BEFORE, pairs={pair: dt.date(2000, 1, 1)}, **common)
    (found,) = of_application(old, new, before, Known(AFTER, **common))
    assert (found.cause, found.source, found.before, found.after) == (
        "policy_changed",
        "transactions",
        "p",
        "q",
    )
    assert unexplained(old, new, (found,)) == ()
    assert unexplained(old, new, ()) == ("application",)


def test_a_contest_that_an_operator_ended_is_no_cause_of_a_later_end():
    row = {"feed": "consents", "record_key": None, "kind": None, "night": BEFORE, "contested": True}
    common = {"refused": ({**row, "file": "f", "row_number": 1},), "own_fresh": {"consents": True}}
    nights = [
        Known(day, consents={"C1": cells(text, consent_id="C1")}, pairs={PAIR: dt.date(2000, 1, 1)}, **common)
        for day, text in ((BEFORE, GRANTED), (AFTER, "granted_on=2026-06-01 expires_on=2026-11-19"))
    ]
    found = consent_causes.of_source(PAIR, "C1", None, *nights)
    assert [c.cause for c in found] == ["consent_lapsed"]


def test_a_score_that_moved_with_nothing_is_said():
    old, new = application(700), application(701)
    found = of_application(old, new, person(BEFORE), person(AFTER))
    assert found == ()
    assert unexplained(old, new, found) == ("score", "points")


def test_every_cause_is_explained_in_the_dictionary():
    tables = (RECORDS, BOOKINGS, FEEDS, CONSENTS, VERSIONS)
    shown = {word for table in tables for line in lines(table) for word in line[-1].replace(",", " ").split()}
    shown -= {"-", "court", "disputes", "transactions"}
    assert shown | {"time_passed"} == set(CHANGE_CAUSES)
